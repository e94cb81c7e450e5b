"""Tests of searches by Optuna, which need no engine but take several fits."""

import numpy as np
import pytest
from _clusters import loky
from _searches import TALKS, classifier
from joblib import Parallel, delayed, parallel_config
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, cross_val_score

from sk_ctxmem.datasets import make_conversations

optuna = pytest.importorskip("optuna")
integration = pytest.importorskip("optuna_integration")

# Optuna warns of a module of its own that OptunaSearchCV still uses.
pytestmark = pytest.mark.filterwarnings(
    "ignore:`optuna.terminator` module has been deprecated:FutureWarning",
    "ignore:OptunaSearchCV is experimental:optuna.exceptions.ExperimentalWarning",
)
MORE_TALKS = make_conversations(40, random_state=0)
SPACE = {
    "context": optuna.distributions.CategoricalDistribution(["none", "past"]),
    "learning_rate": optuna.distributions.FloatDistribution(1e-3, 3e-2, log=True),
}


@pytest.fixture(autouse=True)
def _quiet():
    """Have Optuna print no line for each trial."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    yield
    optuna.logging.set_verbosity(before)


def held_out_score(trial):
    """Return the best score on the groups that the fit holds out, unless the trial is pruned."""
    candidate = classifier(
        context=trial.suggest_categorical("context", ["none", "past"]),
        learning_rate=trial.suggest_float("learning_rate", 1e-3, 3e-2, log=True),
        max_epochs=4,
        n_iter_no_change=4,
        callbacks=[integration.SkorchPruningCallback(trial, "valid_score")],
    )
    candidate.fit(MORE_TALKS.data, MORE_TALKS.target)
    return candidate.history_["valid_score"].max()


def study_of(pruner, storage=None, seed=0):
    """Return a study whose candidates depend on the seed alone, not on the results before."""
    return optuna.create_study(
        study_name="talks",
        direction="maximize",
        sampler=optuna.samplers.RandomSampler(seed=seed),
        pruner=pruner,
        storage=storage,
        load_if_exists=True,
    )


def test_pruning_stops_bad_trials_early_and_changes_no_other():
    """Check that bad trials end after their first epoch, and all report what they do unpruned.

    Which of two good trials is pruned is the pruner's choice: it sees their first epoch alone.
    """
    whole = study_of(optuna.pruners.NopPruner())
    whole.optimize(held_out_score, n_trials=8)
    pruned = study_of(optuna.pruners.MedianPruner(n_startup_trials=3))
    pruned.optimize(held_out_score, n_trials=8)
    ended = [trial for trial in pruned.trials if trial.state.name == "PRUNED"]
    n_epochs = [len(trial.intermediate_values) for trial in ended]
    assert n_epochs.count(1) >= 3
    assert max(n_epochs) < 4
    assert all(len(trial.intermediate_values) == 4 for trial in whole.trials)
    for trial, unpruned in zip(pruned.trials, whole.trials, strict=True):
        assert trial.params == unpruned.params
        assert trial.intermediate_values.items() <= unpruned.intermediate_values.items()
        assert trial in ended or trial.value == unpruned.value
    assert pruned.best_params["context"] == whole.best_params["context"] == "past"


def test_a_pruned_fit_leaves_the_classifier_as_it_was():
    """Check Optuna's error itself, what it reported, and that the fit before still predicts."""
    study = study_of(optuna.pruners.ThresholdPruner(lower=1.5, n_warmup_steps=1))
    trial = study.ask()
    fitted = classifier(n_iter_no_change=2).fit(MORE_TALKS.data, MORE_TALKS.target)
    before = fitted.predict_proba(MORE_TALKS.data)
    fitted.set_params(
        callbacks=[integration.SkorchPruningCallback(trial, "valid_loss")], max_epochs=4
    )
    with pytest.raises(optuna.TrialPruned, match="pruned at epoch 1"):
        fitted.fit(MORE_TALKS.data, MORE_TALKS.target)
    assert list(study.trials[0].intermediate_values) == [0, 1]
    np.testing.assert_array_equal(fitted.predict_proba(MORE_TALKS.data), before)
    assert fitted.stop_reason_ == "all 2 epochs done"


def test_a_callback_of_a_trial_cannot_be_cloned():
    """Check what the guide says of cross_val_score, so that it is heard of when it changes."""
    trial = study_of(optuna.pruners.NopPruner()).ask()
    candidate = classifier(callbacks=[integration.SkorchPruningCallback(trial, "valid_score")])
    with pytest.raises(TypeError, match="unexpected keyword argument '_trial'"):
        clone(candidate)


def test_pruning_by_folds_finds_the_best_mean():
    """Check that trials are pruned between folds, and whole ones have the mean of the folds."""
    folds = list(GroupKFold(3).split(TALKS.data, groups=TALKS.groups))

    def mean_score(trial):
        candidate = classifier(context=trial.suggest_categorical("context", ["none", "past"]))
        scores = []
        for fold, (train, test) in enumerate(folds):
            candidate.fit(TALKS.data.iloc[train], TALKS.target.iloc[train])
            scores.append(candidate.score(TALKS.data.iloc[test], TALKS.target.iloc[test]))
            trial.report(np.mean(scores), fold)
            if trial.should_prune():
                raise optuna.TrialPruned
        return np.mean(scores)

    study = study_of(optuna.pruners.MedianPruner(n_startup_trials=2))
    for context in ("past", "past", "none"):
        study.enqueue_trial({"context": context})
    study.optimize(mean_score, n_trials=3)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "COMPLETE", "PRUNED"]
    expected = cross_val_score(
        classifier(), TALKS.data, TALKS.target, groups=TALKS.groups, cv=GroupKFold(3)
    )
    assert study.best_value == expected.mean()


@pytest.mark.parametrize("pruning", [{}, {"enable_pruning": True, "max_iter": 2}], ids=str)
def test_the_search_of_optuna_keeps_groups_whole(pruning):
    """Check its scores by hand, by fit in whole folds and by partial_fit where it prunes."""
    search = integration.OptunaSearchCV(
        classifier(), SPACE, cv=GroupKFold(2), n_trials=2, random_state=0, error_score="raise"
    ).set_params(**pruning)
    search.fit(TALKS.data, TALKS.target, groups=TALKS.groups)
    scores = []
    for train, test in GroupKFold(2).split(TALKS.data, groups=TALKS.groups):
        candidate = classifier(**search.best_params_)
        X, y = TALKS.data.iloc[train], TALKS.target.iloc[train]
        if pruning:
            for _ in range(2):
                candidate.partial_fit(X, y, classes=np.unique(TALKS.target))
        else:
            candidate.fit(X, y)
        scores.append(candidate.score(TALKS.data.iloc[test], TALKS.target.iloc[test]))
    assert search.best_score_ == np.mean(scores)
    assert search.best_estimator_.get_params()["group_column"] == "group"
    assert search.predict(TALKS.data).shape == TALKS.target.shape


def open_study(path):
    """Return the file in which a study lies."""
    return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(path))


def take_trials(path, seed):
    """Take part in a study that lies in a file."""
    pruner = optuna.pruners.MedianPruner(n_startup_trials=3)
    study_of(pruner, open_study(path), seed).optimize(held_out_score, n_trials=3)


def test_processes_share_a_study_by_its_file(tmp_path):
    """Check that two processes report to one study, and values are those of one process."""
    path = str(tmp_path / "study.log")
    with loky() as engine, parallel_config(**engine):
        Parallel()(delayed(take_trials)(path, seed) for seed in range(2))
    study = study_of(None, open_study(path))
    assert [trial.number for trial in study.trials] == list(range(6))
    assert all(trial.state.is_finished() for trial in study.trials)
    best = optuna.trial.FixedTrial(study.best_params)
    assert held_out_score(best) == study.best_value
