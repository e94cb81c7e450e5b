"""Tests of compare_classifiers and of the table."""

import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline

from sk_ctxmem import TrainingInterruptedWarning, WindowTfidfVectorizer, compare_classifiers
from sk_ctxmem._compare._models import make_model
from sk_ctxmem._compare._report import Difference, _verdict, table_lines
from sk_ctxmem.comparison import GRIDS, LOGISTIC_REGRESSION

COLUMNS = {"text_column": "text", "group_column": "call"}
OURS = ["context-memory (past)", "context-memory (both)", "context-memory (none)"]
TIMES = ["fit_seconds", "search_seconds", "predict_rows_per_second"]


def make_calls(n_calls=24):
    """Return calls of two rows, of which the second one says yes and means the first one."""
    random = np.random.default_rng(0)
    verbs = random.choice(["sing", "jump"], n_calls)
    texts = [text for verb in verbs for text in (f"please {verb}", "yes")]
    labels = [label for verb in verbs for label in ("ask", f"will {verb}")]
    calls = np.repeat([f"c{number}" for number in range(n_calls)], 2)
    return pd.DataFrame({"text": texts, "call": calls}, index=range(100, 100 + 2 * n_calls)), labels


@pytest.fixture(scope="module")
def table():
    """Return the table of the baselines and an estimator of the user's."""
    X, y = make_calls()
    features = WindowTfidfVectorizer((1, 0), text_column="text", group_column="call")
    mine = make_pipeline(features, LogisticRegression(C=100))
    models = ["lr", "lr-window", "svm"]
    return compare_classifiers(X, y, models=models, estimators={"mine": mine}, cv=3, **COLUMNS)


def test_each_model_has_a_row(table):
    """Check accuracies where the answer needs the row before, and the difference to the best."""
    rows = table.set_index("model")
    assert rows.index.tolist() == ["lr", "lr-window", "svm", "mine"]
    assert rows.loc["lr-window", "accuracy"] == rows.loc["mine", "accuracy"] == 1.0
    assert 0.5 <= rows.loc["lr", "accuracy"] < 0.9
    assert table.attrs["baseline"] == "lr-window"
    assert np.isnan(rows.loc["lr-window", "difference"])
    found = rows.loc["lr", ["difference", "low", "high"]]
    assert_allclose(found["difference"], rows.loc["lr", "accuracy"] - 1.0)
    assert found["low"] <= found["difference"] <= found["high"] < 0
    assert rows.loc["mine", ["difference", "low", "high"]].tolist() == [0, 0, 0]


def test_only_models_with_probabilities_have_a_calibration_error(table):
    """Check that the SVM has none, and that times are positive."""
    rows = table.set_index("model")
    assert rows["ece"].isna().tolist() == [False, False, True, False]
    assert (rows[["fit_seconds", "predict_rows_per_second"]] > 0).all(axis=None)
    assert (rows["search_seconds"] > 0).tolist() == [True, True, True, False]


def test_the_lines_end_with_the_conclusion(table):
    """Check the lines for a terminal, and what they say of the data."""
    lines = table_lines(table)
    assert lines[0].split()[:2] == ["model", "accuracy"]
    assert lines[-2].startswith("48 rows in 24 groups, 3 folds.")
    assert lines[-1] == table.attrs["conclusion"]
    assert lines[-1].startswith("Whether context pays was not asked")


def test_it_is_repeated_by_its_seed(table):
    """Check two runs in any order of rows of a frame of texts and calls, but for the times."""
    X, y = make_calls()
    options = {"models": ["lr", "lr-window"], "cv": 2, "random_state": 3} | COLUMNS
    first, second = (compare_classifiers(X, y, **options) for _ in range(2))
    pd.testing.assert_frame_equal(first.drop(columns=TIMES), second.drop(columns=TIMES))


def test_y_may_be_in_any_form():
    """Check numbers, a Series with another index, and rows without groups."""
    X, y = make_calls()
    numbers = pd.Series(pd.factorize(np.array(y))[0], index=range(len(y), 0, -1))
    by_name, by_number = (
        compare_classifiers(X["text"].tolist(), each, models=["lr"], cv=3, random_state=0)
        for each in (y, numbers)
    )
    assert by_name["accuracy"].tolist() == by_number["accuracy"].tolist()
    assert by_name.attrs["n_groups"] == 0
    assert "Rows have no groups" in by_name.attrs["conclusion"]


def test_splitters_of_scikit_learn_split_by_group():
    """Check that a splitter gets the groups of the column."""
    X, y = make_calls()
    table = compare_classifiers(X, y, models=["lr"], cv=GroupKFold(4), **COLUMNS)
    assert table.attrs["n_folds"] == 4


def test_there_are_no_more_folds_than_groups():
    """Check three calls with five folds."""
    X, y = make_calls(3)
    table = compare_classifiers(X, y, models=["lr"], **COLUMNS)
    assert table.attrs["n_folds"] == 3


def test_the_baseline_is_chosen_by_the_held_out_rows():
    """Check that a value of the grid is chosen, and that there are classes and probabilities."""
    X, y = make_calls()
    columns = {"text": "text", "group": "call", "order": None, "speaker": None}
    model = make_model("lr-window", X["text"].tolist(), columns, seed=0).fit(X, y)
    assert model.choice_.strength in GRIDS[LOGISTIC_REGRESSION]
    assert model.predict_proba(X).shape == (48, 3)
    assert model.score(X, y) == 1.0


def test_chinese_texts_have_features_of_characters():
    """Check the vectorizers of context memory and of a baseline."""
    texts = ["房间很干净", "距离川沙公路较近"] * 5
    columns = dict.fromkeys(("text", "group", "order", "speaker"))
    ours = make_model("context-memory", texts, columns, 0)
    assert ours.vectorizer.analyzer == "char"
    baseline = make_model("lr", texts, columns, 0).fit(texts, [0, 1] * 5)
    assert baseline.features_.vectorizer_.analyzer == "char"


@pytest.mark.slow
def test_context_pays_where_it_does():
    """Check the three contexts, the tuned one, and what the conclusion says of them."""
    X, y = make_calls(80)
    models = ["lr", "lr-window", "context-memory", "context-memory (tuned)"]
    table = compare_classifiers(X, y, models=models, cv=2, random_state=0, **COLUMNS)
    assert table["model"].tolist() == ["lr", "lr-window", *OURS, "context-memory (tuned)"]
    rows = table.set_index("model")
    assert rows.loc[OURS[0], "accuracy"] > 0.95 > rows.loc[OURS[2], "accuracy"]
    assert rows.loc["context-memory (tuned)", "search_seconds"] > 0
    assert table.attrs["conclusion"].startswith("Context pays. context-memory (past) against the")
    assert "lr-window, which reads two rows on each side" in table.attrs["conclusion"]


class Interrupts(DummyClassifier):
    """Classifier whose fit is interrupted on its second call."""

    n_fits = 0

    def fit(self, X, y, sample_weight=None):
        type(self).n_fits += 1
        if type(self).n_fits == self.random_state:
            raise KeyboardInterrupt
        return super().fit(X, y, sample_weight)


@pytest.mark.parametrize(("fit", "n_models", "n_folds"), [(1, 1, 1), (3, 2, 2)])
def test_an_interrupt_keeps_what_is_done(fit, n_models, n_folds):
    """Check that the table is that of whole folds, or of the models of the first one."""
    X, y = make_calls()
    Interrupts.n_fits = 0
    mine = {"mine": Interrupts(random_state=fit)}
    with pytest.warns(TrainingInterruptedWarning, match=f"{n_folds} of 3 folds and {n_models} of"):
        table = compare_classifiers(X, y, models=["lr"], estimators=mine, cv=3, **COLUMNS)
    assert len(table) == n_models
    assert table.attrs["n_folds"] == n_folds


def test_an_interrupt_before_any_result_is_raised():
    """Check that there is no empty table."""
    X, y = make_calls()
    Interrupts.n_fits = 0
    with pytest.raises(KeyboardInterrupt):
        compare_classifiers(
            X, y, models=[], estimators={"mine": Interrupts(random_state=1)}, **COLUMNS
        )


def test_an_estimator_that_fails_is_left_out():
    """Check a vectorizer that gets a frame in place of texts, beside a baseline and alone."""
    X, y = make_calls()
    mine = {"mine": make_pipeline(TfidfVectorizer(), LogisticRegression())}
    with pytest.warns(FitFailedWarning, match="'mine' failed in fold 0 and is left out"):
        table = compare_classifiers(X, y, models=["lr"], estimators=mine, cv=2, **COLUMNS)
    assert table["model"].tolist() == ["lr"]
    warnings.simplefilter("ignore", FitFailedWarning)  # pytest brings the filters back
    with pytest.raises(ValueError, match="All models failed"):
        compare_classifiers(X, y, models=[], estimators=mine, cv=2, **COLUMNS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": "lr"}, "must be a list of names, such as"),
        ({"models": ["lr", "forest"]}, "'forest', but the names are 'lr', 'lr-window', 'svm'"),
        ({"models": ["lr-window"], "group_column": None}, "rows have no groups; set group_column"),
        ({"models": [], "estimators": {}}, "There is nothing to compare"),
        ({"estimators": [LogisticRegression()]}, "must be a dict of names and classifiers"),
        ({"estimators": {"lr": LogisticRegression()}}, "the name of another model of the table"),
        ({"estimators": {"mine": LogisticRegression}}, "must be an unfitted classifier"),
        ({"group_column": "conversation"}, "'conversation' is not a column of X"),
        ({"text_column": "utterance"}, "'utterance' is not a column of X"),
        ({"cv": 1}, "must be an integer of at least 2"),
        ({"cv": "five"}, "must be an integer, a splitter"),
        ({"random_state": -1}, "must be from 0 to"),
    ],
)
def test_wrong_options_are_named(options, message):
    """Check names of models and columns, estimators, folds and seeds."""
    X, y = make_calls(4)
    with pytest.raises((TypeError, ValueError), match=message):
        compare_classifiers(X, y, **{"models": ["lr"]} | COLUMNS | options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: (X, ["a"] * len(y)), "y has only one class, 'a'"),
        (lambda X, y: (X, y[1:]), "47"),
        (lambda X, y: (X, np.eye(48, 3, dtype=int)), "several labels for each row"),
        (lambda X, y: (X.assign(call="c"), y), "All rows are of one group"),
        (lambda X, y: (X.assign(call=np.arange(48) < 24), ["a"] * 24 + ["b"] * 24), "only the cl"),
        (lambda X, y: (X.assign(text=None), y), "has no text in row 0"),
        (lambda X, y: (X.assign(text=1.0), y), "of type float64 in row 0"),
    ],
)
def test_wrong_data_are_named(change, message):
    """Check single classes and groups, lengths, several labels, and classes of one group each."""
    X, y = change(*make_calls())
    with pytest.raises((TypeError, ValueError), match=message):
        compare_classifiers(X, y, models=["lr"], **COLUMNS)


def test_numbers_are_no_texts():
    """Check features without a column of texts."""
    with pytest.raises(TypeError, match="X does not consist of rows of texts"):
        compare_classifiers(np.ones((4, 2)), [0, 1, 0, 1])


def test_intervals_that_hold_zero_are_not_clear():
    """Check a gain, a loss, and what rows cannot tell."""
    assert Difference(0.02, 0.01, 0.03).is_clear
    assert Difference(-0.02, -0.03, -0.01).is_clear
    assert not Difference(0.02, -0.01, 0.05).is_clear
    assert str(Difference(0.02, -0.01, 0.05)) == "+2.0 points (95 % interval −1.0 to +5.0)"


def test_one_group_of_test_rows_has_no_interval():
    """Check that the words and the table do not speak of an interval that is not there."""
    gain = Difference(0.1, np.nan, np.nan)
    said = _verdict("context-memory (past)", gain)
    assert said.startswith("Whether context pays cannot be told from these rows. ")
    assert said.endswith("+10.0 points (no interval, as the test rows are of one group).")
    X, y = make_calls()
    cv = [(np.arange(2, 48), np.arange(2))]
    shown = table_lines(compare_classifiers(X, y, models=["lr", "lr-window"], cv=cv, **COLUMNS))
    assert not any("nan" in line for line in shown)


class ColumnOfClasses(DummyClassifier):
    """A classifier that predicts a column, as some libraries do."""

    def predict(self, X):
        return super().predict(X).reshape(-1, 1)


def test_predictions_in_a_column_are_read():
    """Check that predictions of shape (n_rows, 1) count as those of shape (n_rows,)."""
    X, y = make_calls()
    estimators = {"row": DummyClassifier(), "column": ColumnOfClasses()}
    table = compare_classifiers(X, y, models=["lr"], estimators=estimators, cv=2, **COLUMNS)
    scores = table.set_index("model")["accuracy"]
    assert scores["row"] == scores["column"]


def test_a_failure_in_another_process_is_said():
    """Check that the warning comes from this process, with n_jobs, too."""
    X, y = make_calls()
    tasks = {"mine": LogisticRegression()}
    with (
        joblib.parallel_config("threading", n_jobs=2),
        pytest.warns(FitFailedWarning, match="'mine' failed in fold 0") as caught,
    ):
        compare_classifiers(X, y, models=["lr"], estimators=tasks, cv=2, **COLUMNS)
    assert {warning.filename for warning in caught} == {__file__}
