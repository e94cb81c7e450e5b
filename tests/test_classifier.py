"""Tests of what ContextMemoryClassifier promises about its predictions."""

import copy
import io
import pickle
import pickletools

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer

from sk_ctxmem import (
    ContextMemoryClassifier,
    MissingGroupsWarning,
    TextSequenceVectorizer,
    TrainingDivergedError,
)
from sk_ctxmem.datasets import make_conversations

COLUMNS = {
    "text_column": "text",
    "group_column": "group",
    "order_column": "order",
    "speaker_column": "speaker",
}
MEMORIES = ["elman", "gru", "lstm", "mingru"]


@pytest.fixture(scope="module")
def talks():
    """Train and test part of conversations in which the turn before tells the label."""
    talks = make_conversations(200, random_state=0)
    train = talks.frame["group"] < 150
    return (
        (talks.data[train], talks.target[train]),
        (talks.data[~train].reset_index(drop=True), talks.target[~train].reset_index(drop=True)),
    )


def _fit(talks, **parameters):
    parameters = {"random_state": 0, "hidden_size": 32, "max_epochs": 2} | COLUMNS | parameters
    return ContextMemoryClassifier(**parameters).fit(*talks[0])


@pytest.fixture(scope="module")
def past(talks):
    """Fit a classifier that sees the rows before."""
    return _fit(talks)


@pytest.mark.parametrize("context", ["past", "both"])
@pytest.mark.parametrize("memory", MEMORIES)
def test_memory_learns_what_the_row_alone_cannot_tell(talks, memory, context):
    """Check that each memory is far above the 0.41 that rows alone can reach."""
    parameters = {"hidden_size": 64, "max_epochs": 10, "n_iter_no_change": None}
    clf = _fit(talks, memory=memory, context=context, **parameters)
    assert clf.score(*talks[1]) > 0.7


def test_without_context_rows_are_at_chance(talks):
    """Check that context="none" cannot see the row before."""
    assert _fit(talks, context="none", max_epochs=6).score(*talks[1]) < 0.5


@pytest.mark.parametrize("memory", MEMORIES)
def test_past_is_the_same_without_later_rows(talks, memory):
    """Check that a row's probabilities do not change when later rows are cut off."""
    clf = _fit(talks, memory=memory, max_epochs=1)
    X = talks[1][0]
    whole = clf.predict_proba(X)
    for n_turns in (1, 4):
        early = X["order"] < n_turns
        np.testing.assert_allclose(clf.predict_proba(X[early]), whole[early], rtol=0, atol=1e-6)


def test_both_changes_with_later_rows(talks):
    """Check that context="both" does look at what follows."""
    clf = _fit(talks, context="both")
    X = talks[1][0]
    early = X["order"] < 2
    assert np.abs(clf.predict_proba(X[early]) - clf.predict_proba(X)[early]).max() > 0.01


@pytest.mark.parametrize("context", ["past", "both"])
def test_order_column_makes_the_order_of_rows_irrelevant(talks, context):
    """Check that rows of a group need not be adjacent, nor in order, for the same answer."""
    clf = _fit(talks, context=context)
    X = talks[1][0]
    shuffled = X.sample(frac=1, random_state=0)
    expected = clf.predict_proba(X)[shuffled.index]
    np.testing.assert_allclose(clf.predict_proba(shuffled), expected, rtol=0, atol=1e-6)


def test_fit_does_not_depend_on_the_index(talks):
    """Check that labels meet rows by position, whatever the index of the frame."""
    X, y = talks[0]
    expected = _fit(talks).predict_proba(X)
    odd = X.set_index(pd.Index(np.arange(len(X))[::-1]))
    clf = _fit(((odd, y.to_numpy()), None))
    assert (clf.predict_proba(odd) == expected).all()


def test_position_orders_rows_without_an_order_column(talks):
    """Check that interleaved groups are read in their order in X."""
    clf = _fit(talks, order_column=None)
    X = talks[1][0]
    interleaved = X.sort_values("order", kind="stable")
    expected = clf.predict_proba(X)[interleaved.index]
    np.testing.assert_allclose(clf.predict_proba(interleaved), expected, rtol=0, atol=1e-6)


def test_other_groups_do_not_matter(talks, past):
    """Check that a conversation gets the same probabilities alone as among others."""
    X = talks[1][0]
    whole = past.predict_proba(X)
    for group in X["group"].unique()[:5]:
        alone = X["group"] == group
        np.testing.assert_allclose(past.predict_proba(X[alone]), whole[alone], rtol=0, atol=1e-6)


@pytest.mark.parametrize("memory", MEMORIES)
def test_texts_without_groups_do_not_matter_to_each_other(talks, memory):
    """Check that each text gets the same probabilities alone, reversed and in a list."""
    X, y = talks[0]
    clf = ContextMemoryClassifier(memory=memory, max_epochs=1, random_state=0, word_memory=True)
    texts = X["text"].tolist()
    whole = clf.fit(texts, y).predict_proba(texts)
    alone = np.concatenate([clf.predict_proba([text]) for text in texts[:10]])
    np.testing.assert_allclose(alone, whole[:10], rtol=0, atol=1e-7)
    reverse = clf.predict_proba(texts[::-1])[::-1]
    np.testing.assert_allclose(reverse, whole, rtol=0, atol=1e-7)


def test_groups_argument_equals_the_column(talks):
    """Check that groups= gives the very same model as a column with the ids."""
    (X, y), (X_test, _) = talks
    by_column = _fit(talks, order_column=None, speaker_column=None)
    clf = ContextMemoryClassifier(random_state=0, hidden_size=32, max_epochs=2)
    clf.fit(X["text"], y, groups=X["group"])
    found = clf.predict_proba(X_test["text"], groups=X_test["group"])
    assert (found == by_column.predict_proba(X_test)).all()
    with pytest.warns(MissingGroupsWarning, match="fitted with groups, but X has no groups"):
        without = clf.predict_proba(X_test["text"])
    assert np.abs(found - without).max() > 0.01


def test_groups_that_fit_did_not_have_are_refused(talks):
    """Check that predict does not silently ignore groups, unless no context was asked for."""
    (X, y), (X_test, _) = talks
    clf = ContextMemoryClassifier(max_epochs=1, hidden_size=8, random_state=0)
    clf.fit(X["text"], y)
    with pytest.raises(ValueError, match="fitted without groups .*; pass groups to fit too"):
        clf.predict(X_test["text"], groups=X_test["group"])
    clf.set_params(context="none")
    with pytest.raises(ValueError, match="fitted without groups"):  # what fit had is what counts
        clf.predict(X_test["text"], groups=X_test["group"])
    clf.fit(X["text"], y).set_params(context="past")
    expected = clf.predict_proba(X_test["text"])
    assert (clf.predict_proba(X_test["text"], groups=X_test["group"]) == expected).all()


@pytest.mark.parametrize("vectorizer", [None, TfidfVectorizer()])
def test_same_seed_same_model_to_the_bit(talks, vectorizer):
    """Check that a seed fixes the probabilities, another one changes them, and refit forgets."""
    X = talks[1][0]
    clf = _fit(talks, vectorizer=vectorizer)
    expected = clf.predict_proba(X)
    assert (_fit(talks, vectorizer=vectorizer).predict_proba(X) == expected).all()
    assert (clf.fit(*talks[0]).predict_proba(X) == expected).all()
    other = clone(clf).set_params(random_state=1).fit(*talks[0]).predict_proba(X)
    assert (other != expected).any()


def test_refit_on_fewer_classes_forgets_the_old_ones(talks):
    """Check that nothing of a former fit is left after another."""
    X, y = talks[0]
    clf = _fit(talks)
    two = (y != "blue").to_numpy()
    clf.fit(X[two], y[two])
    fresh = _fit(((X[two], y[two]), None))
    assert clf.classes_.tolist() == ["green", "red"]
    assert (clf.predict_proba(X) == fresh.predict_proba(X)).all()
    clf.set_params(**dict.fromkeys(COLUMNS)).fit(X["text"].tolist(), y)
    assert not hasattr(clf, "n_features_in_")
    assert not hasattr(clf, "feature_names_in_")


def _joblib_copy(clf):
    file = io.BytesIO()
    joblib.dump(clf, file)
    file.seek(0)
    return joblib.load(file)


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, _joblib_copy, lambda clf: pickle.loads(pickle.dumps(clf))]
)
def test_copies_predict_the_same(talks, past, duplicate):
    """Check that copies give the same probabilities to the bit."""
    X = talks[1][0]
    assert (duplicate(past).predict_proba(X) == past.predict_proba(X)).all()


def test_pickle_holds_nothing_of_torch_or_skorch(past):
    """Check the modules that a pickle names."""
    names = [
        argument
        for _, argument, _ in pickletools.genops(pickle.dumps(past, protocol=2))
        if isinstance(argument, str)
    ]
    modules = {name.split(".")[0].split(" ")[0] for name in names if "." in name}
    assert {"numpy", "sk_ctxmem"} <= modules
    assert not {"torch", "skorch"} & modules


def test_models_of_a_gpu_load_without_one(talks):
    """Check that a pickle whose device is not here runs on the CPU, and says so."""
    clf = _fit(talks, max_epochs=1)
    X = talks[1][0]
    expected = clf.predict_proba(X)
    clf.device = "cuda:99"
    with pytest.warns(UserWarning, match="device='cuda:99' is not available"):
        loaded = pickle.loads(pickle.dumps(clf))
    assert (loaded.predict_proba(X) == expected).all()


def test_columns_never_seen_take_no_room(talks):
    """Check that a hashed vocabulary costs the columns that occur, not all of them."""
    X, y = talks[0]
    clf = ContextMemoryClassifier(HashingVectorizer(), max_epochs=1, random_state=0)
    clf.fit(X["text"], y)
    assert len(pickle.dumps(clf)) < 5e6
    assert np.isfinite(clf.predict_proba(["nothing of this was seen"])).all()


def test_rows_of_no_weight_do_not_set_the_scale():
    """Check that a row of weight 0 does not spoil the scaling of the others."""
    X = np.random.RandomState(0).normal(size=(400, 5))
    y = X[:, 0] > 0
    X[0] = 1e6
    clf = ContextMemoryClassifier(random_state=0)
    clf.fit(X, y, sample_weight=np.r_[0.0, np.ones(399)])
    assert clf.score(X[1:], y[1:]) > 0.9


def test_unfitted_copies_stay_unfitted():
    """Check that an unfitted classifier can be copied."""
    clf = pickle.loads(pickle.dumps(ContextMemoryClassifier(memory="lstm")))
    assert clf.memory == "lstm"
    assert not clf.__sklearn_is_fitted__()


def test_decision_function_and_probabilities_agree(talks, past):
    """Check that all methods tell the same, for three classes and for two."""
    (X, y), (X_test, _) = talks
    scores = past.decision_function(X_test)
    proba = past.predict_proba(X_test)
    np.testing.assert_allclose(np.log(proba), past.predict_log_proba(X_test))
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    np.testing.assert_allclose(odds / odds.sum(axis=1, keepdims=True), proba)
    assert (past.predict(X_test) == past.classes_[proba.argmax(axis=1)]).all()
    two = (y != "blue").to_numpy()
    binary = _fit(((X[two], y[two]), None))
    odds = np.exp(binary.decision_function(X_test))
    np.testing.assert_allclose(odds / (1 + odds), binary.predict_proba(X_test)[:, 1])


@pytest.mark.parametrize("dtype", [str, object, int, bool, "category"])
def test_labels_come_back_as_they_went_in(talks, dtype):
    """Check predictions for each type of label."""
    (X, y), (X_test, _) = talks
    y = (y == "red").astype(int) if dtype in (int, bool) else y
    clf = _fit(((X, y.astype(dtype)), None), max_epochs=1)
    predicted = clf.predict(X_test)
    assert set(predicted) <= set(clf.classes_) == set(y.unique())


@pytest.mark.filterwarnings("ignore::sk_ctxmem.UnknownSpeakersWarning")
def test_speaker_tells_what_the_text_does_not():
    """Check that a label that depends on the speaker alone is learned from the column."""
    talks = make_conversations(100, random_state=0)
    y, X = talks.frame["speaker"], talks.data
    train = talks.groups < 70
    parameters = {"text_column": "text", "group_column": "group", "random_state": 0}

    def score(**more):
        clf = ContextMemoryClassifier(**parameters, **more, max_epochs=2).fit(X[train], y[train])
        return clf, clf.score(X[~train], y[~train])

    assert score()[1] < 0.8
    clf, with_speaker = score(speaker_column="speaker")
    assert with_speaker > 0.95
    assert clf.speakers_ == {"A": 1, "B": 2}
    unknown = clf.predict_proba(X.assign(speaker=None))
    assert np.isfinite(unknown).all()


def test_order_of_words_is_read():
    """Check that word_memory learns what n-grams of one word cannot tell."""
    random = np.random.RandomState(0)
    y = random.randint(0, 2, 600)
    fillers = [" ".join(random.choice(list("uvwxyz"), 3)) for _ in y]
    texts = [f"a {f} b" if label else f"b {f} a" for f, label in zip(fillers, y, strict=True)]
    vectorizer = TextSequenceVectorizer(ngram_range=(1, 1))
    common = {"vectorizer": vectorizer, "random_state": 0, "max_epochs": 10}
    without = ContextMemoryClassifier(**common).fit(texts[:500], y[:500])
    assert without.score(texts[500:], y[500:]) < 0.7
    with_words = ContextMemoryClassifier(word_memory=True, **common).fit(texts[:500], y[:500])
    assert with_words.score(texts[500:], y[500:]) > 0.95


def test_class_weight_moves_the_balance():
    """Check that a class of large weight is predicted more, and "balanced" equals its dict."""
    random = np.random.RandomState(0)
    X = random.normal(size=(400, 3))
    y = (X[:, 0] + 2 * random.normal(size=400) > 1.5).astype(int)
    common = {"random_state": 0, "max_epochs": 3}
    shares = {}
    for weight in (None, "balanced", {1: 20.0}):
        clf = ContextMemoryClassifier(class_weight=weight, **common).fit(X, y)
        shares[str(weight)] = clf.predict(X).mean()
    assert shares["None"] < shares["balanced"] < shares["{1: 20.0}"]
    by_hand = dict(enumerate(len(y) / (2 * np.bincount(y))))
    expected = ContextMemoryClassifier(class_weight="balanced", **common).fit(X, y)
    found = ContextMemoryClassifier(class_weight=by_hand, **common).fit(X, y)
    np.testing.assert_allclose(found.predict_proba(X), expected.predict_proba(X))


def test_sample_weight_of_ones_is_none():
    """Check that equal weights, of any size, are no weights."""
    X = np.random.RandomState(0).normal(size=(200, 3))
    y = X[:, 0] > 0
    clf = ContextMemoryClassifier(random_state=0, max_epochs=2)
    expected = clf.fit(X, y).predict_proba(X)
    assert (clf.fit(X, y, sample_weight=np.ones(200)).predict_proba(X) == expected).all()
    assert (clf.fit(X, y, sample_weight=np.full(200, 4.0)).predict_proba(X) == expected).all()


def test_rows_of_no_weight_teach_nothing():
    """Check that labels of rows without weight are not learned."""
    X = np.random.RandomState(0).normal(size=(400, 2))
    y = X[:, 0] > 0
    weight = (X[:, 1] > 0).astype(float)
    wrong = np.where(weight == 1, y, ~y)
    clf = ContextMemoryClassifier(random_state=0).fit(X, wrong, sample_weight=weight)
    assert clf.score(X, y) > 0.9
    assert clf.score(X, y, sample_weight=weight) > 0.9


def test_warm_start_goes_on(talks):
    """Check that a second fit starts where the first ended, and continues the history."""
    clf = _fit(talks, warm_start=True)
    first_loss = clf.history_["train_loss"].tolist()
    clf.fit(*talks[0])
    assert clf.history_["epoch"].tolist() == [1, 2, 3, 4]
    assert clf.history_["train_loss"].tolist()[:2] == first_loss
    assert clf.history_["train_loss"].iloc[2] < first_loss[0] / 2
    assert clf.n_iter_ == 2


def test_warm_start_refuses_other_columns():
    """Check that weights are not trained on with features that another column has now."""
    X = pd.DataFrame({"price": np.arange(40.0), "weight": np.arange(40.0)[::-1]})
    y = [0, 1] * 20
    clf = ContextMemoryClassifier(max_epochs=1, warm_start=True).fit(X, y)
    clf.fit(X, y)
    needed = r"needs the features of the last fit, \['price', 'weight'\] \(2 columns\), but X has "
    with pytest.raises(ValueError, match=needed + r"\['weight', 'price'\] \(2 columns\)"):
        clf.fit(X[["weight", "price"]], y)
    with pytest.raises(ValueError, match=needed + r"\(1 columns\)"):
        clf.fit(X[["price"]].to_numpy(), y)


def test_warm_start_refuses_another_problem(talks):
    """Check the errors for other classes, another network and another kind of input."""
    X, y = talks[0]
    clf = _fit(talks, warm_start=True)
    with pytest.raises(ValueError, match="needs the classes of the last fit.*warm_start=False"):
        clf.fit(X, y == "red")
    with pytest.raises(ValueError, match="width from 32 to 16.*warm_start=False"):
        clf.set_params(hidden_size=16).fit(X, y)
    with pytest.raises(ValueError, match="X contains features.* fitted on texts"):
        clf.set_params(**dict.fromkeys(COLUMNS)).fit(np.ones((len(y), 2)), y)


def test_vectorizer_parameters_can_be_set_without_a_vectorizer():
    """Check that the default vectorizer has parameters to search over."""
    clf = ContextMemoryClassifier().set_params(vectorizer__min_df=2, memory="lstm")
    assert (clf.vectorizer.min_df, clf.memory) == (2, "lstm")
    clf.set_params(vectorizer__min_df=3)
    assert clf.vectorizer.min_df == 3
    with pytest.raises(ValueError, match="Invalid parameter 'depth'"):
        clf.set_params(vectorizer__depth=3)


def test_frame_of_numbers_with_a_group_column():
    """Check that columns without a role are features, in memory as texts are."""
    talks = make_conversations(200, random_state=0)
    frame = pd.get_dummies(talks.frame["text"].str.extract("(red|blue|green)")[0], dtype=float)
    frame["talk"] = talks.groups
    clf = ContextMemoryClassifier(group_column="talk", random_state=0)
    clf.fit(frame[:1200], talks.target[:1200])
    assert clf.score(frame[1200:], talks.target[1200:]) > 0.9
    assert clf.feature_names_in_.tolist() == ["blue", "green", "red"]


def test_parameters_set_after_fit_wait_for_the_next_fit(talks):
    """Check that a fitted classifier predicts as it was fitted, whatever is set since."""
    clf = _fit(talks, max_epochs=1)
    X = talks[1][0]
    expected = clf.predict_proba(X)
    clf.set_params(context="both", word_memory=True, memory="lstm", hidden_size=8)
    clf.set_params(group_column=None, speaker_column="order")
    assert (clf.predict_proba(X) == expected).all()


def test_failed_fit_changes_nothing(talks):
    """Check that a classifier is as it was when a fit fails late, in training."""
    clf = _fit(talks, max_epochs=1)
    X, y = talks[1]
    expected = clf.predict_proba(X)
    clf.set_params(learning_rate=1e30, **dict.fromkeys(COLUMNS))
    with pytest.raises(TrainingDivergedError, match="lower learning_rate"):
        clf.fit(np.random.RandomState(0).normal(size=(len(y), 2)), y)
    assert (clf.predict_proba(X) == expected).all()
    assert clf.n_features_in_ == 4


def test_parameters_are_as_documented_by_get_params():
    """Check that fit changes no parameter."""
    clf = ContextMemoryClassifier(max_epochs=1)
    before = clf.get_params()
    clf.fit(["a", "b"] * 20, [0, 1] * 20)
    assert clf.get_params() == before
