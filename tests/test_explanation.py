"""Tests of explanations: that they add up, and what they say where the truth is known."""

import threading

import numpy as np
import pandas as pd
import pytest
import torch
from captum.attr import IntegratedGradients
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.pipeline import make_pipeline

from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer
from sk_ctxmem._explain import _explanation
from sk_ctxmem._explain._attribution import METHODS, integrated_gradients
from sk_ctxmem._explain._scorer import Scorer, TextInputs, find_context_windows
from sk_ctxmem._explain._scores import score_rows
from sk_ctxmem._explain._table import find_entries
from sk_ctxmem.datasets import make_conversations

SMALL = {"hidden_size": 12, "max_epochs": 2, "random_state": 0}
ROLES = {"text_column": "text", "group_column": "group"}
MEMORIES = ("gru", "elman", "lstm", "mingru")
COLUMNS = ["row", "target", "source", "feature", "from_row", "contribution", "attention"]


def _talks(n_classes=3, n_conversations=40):
    return make_conversations(n_conversations, n_classes=n_classes, random_state=0).frame


def _fit(frame, **parameters):
    return ContextMemoryClassifier(**(SMALL | ROLES | parameters)).fit(frame, frame["target"])


def _log_odds(probabilities, classes, targets):
    """Return ln(p / (1 - p)) of one class of each row."""
    chosen = np.asarray(classes)[None] == np.asarray(targets, dtype=object)[:, None]
    return np.log(probabilities[chosen]) - np.log(np.where(chosen, 0, probabilities).sum(axis=1))


def _scores(clf, X, targets, **options):
    return _log_odds(clf.predict_proba(X, **options), clf.classes_, targets)


def _sums(lines):
    return lines.groupby("row", sort=False)["contribution"].sum().to_numpy()


def _targets(lines):
    return lines.groupby("row", sort=False)["target"].first().to_numpy()


def _check_sums(clf, X, empty, groups=None, *, left_over=False, **options):
    """Check that the contributions are the score less that of an empty text alone."""
    lines = clf.explain(X, groups=groups, **options)
    assert ("remainder" in set(lines["source"])) == left_over
    rows = lines["row"].unique()
    targets = _targets(lines)
    alone = None if groups is None else ["alone"]
    baseline = _log_odds(
        np.repeat(clf.predict_proba(empty, groups=alone), len(rows), axis=0), clf.classes_, targets
    )
    all_targets = np.full(len(groups) if groups is not None else X.shape[0], targets[0], object)
    all_targets[rows] = targets
    expected = _scores(clf, X, all_targets, groups=groups)[rows] - baseline
    assert_allclose(_sums(lines), expected, atol=1e-3)
    assert np.abs(expected).max() > 0.05
    return lines


def _nobody(**others):
    """Return one empty text of nobody, a conversation of its own."""
    return pd.DataFrame({"text": [""], "group": ["alone"], "speaker": [None]}).assign(**others)


@pytest.fixture(scope="module")
def talks():
    """Return conversations of three classes."""
    return _talks(n_conversations=60)


@pytest.fixture(scope="module")
def clf(talks):
    """Return a classifier that has learned that the colour named one turn before is the label."""
    return _fit(talks, max_epochs=8, hidden_size=32)


@pytest.mark.filterwarnings("ignore::sk_ctxmem.UnknownSpeakersWarning")  # an empty text has none
@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("context", ["past", "both"])
def test_contributions_add_up_with_every_memory(talks, memory, context):
    """Check the sum of the contributions with speakers, with past and with both."""
    clf = _fit(talks, memory=memory, context=context, speaker_column="speaker")
    lines = _check_sums(clf, talks[:30], _nobody())
    assert set(lines["source"]) == {"ngram", "wide", "row", "structure"}


@pytest.mark.parametrize(
    "parameters",
    [
        {"context": "none"},
        {"context": "none", "memory": "elman"},
        {"word_memory": True},
        {"word_memory": True, "memory": "lstm"},
        {"word_memory": True, "context": "none", "memory": "mingru"},
        {"word_memory": True, "context": "both", "memory": "elman"},
        {"word_memory": "convolution"},
        {"word_memory": "convolution", "context": "both", "memory": "elman"},
        {"word_memory": True, "vectorizer": TextSequenceVectorizer(analyzer="char")},
        {"order_column": "order", "speaker_column": "speaker", "n_iter_no_change": 2},
        {"vectorizer": TfidfVectorizer()},
        {"vectorizer": HashingVectorizer(n_features=64)},
        {"vectorizer": make_pipeline(TfidfVectorizer(), TruncatedSVD(4, random_state=0))},
        {"vectorizer": CountVectorizer(preprocessor=lambda text: text + " end")},
    ],
)
@pytest.mark.filterwarnings("ignore::sk_ctxmem.UnknownSpeakersWarning")  # an empty text has none
@pytest.mark.parametrize("n_classes", [2, 5])
def test_contributions_add_up_in_every_setting(parameters, n_classes):
    """Check the sum of the contributions with two and with more classes."""
    talks = _talks(n_classes)
    clf = _fit(talks, **parameters)
    lines = _check_sums(clf, talks[:20], _nobody(order=[0]))
    assert ("word" in set(lines["source"])) == bool(parameters.get("word_memory", False))
    assert ("row" in set(lines["source"])) == (parameters.get("context") != "none")


@pytest.mark.parametrize("temperature", [0.2, 3.0])
def test_contributions_add_up_at_every_temperature(talks, temperature):
    """Check the sum of the contributions where the logits are divided by a number."""
    clf = _fit(talks)
    clf.temperature_ = temperature
    _check_sums(clf, talks[:20], _nobody())


@pytest.mark.parametrize("as_features", [sparse.csr_array, sparse.csr_array.toarray])
def test_contributions_of_features_add_up(talks, as_features):
    """Check the sum for numbers, against no feature or, if not sparse, the means of training."""
    counts = sparse.csr_array(CountVectorizer().fit_transform(talks["text"]).astype(float))
    X, groups = as_features(counts), talks["group"].to_numpy()
    clf = ContextMemoryClassifier(**SMALL).fit(X, talks["target"], groups=groups)
    dense = isinstance(X, np.ndarray)
    empty = X.mean(axis=0, keepdims=True) if dense else sparse.csr_array((1, X.shape[1]))
    lines = _check_sums(clf, X[:20], empty, groups[:20])
    features = lines.loc[lines["source"] == "ngram", "feature"]
    stored = X.shape[1] * 20 if dense else counts[:20].nnz
    assert len(features) == stored
    assert features.str.match(r"x\d+$").all()


def test_contributions_of_sequences_add_up(talks):
    """Check the sum for containers of sequences, whose features and words are numbers."""
    sequences = TextSequenceVectorizer().fit_transform(talks["text"])
    groups = talks["group"].to_numpy()
    clf = ContextMemoryClassifier(word_memory=True, **SMALL)
    clf.fit(sequences, talks["target"], groups=groups)
    empty = TextSequenceVectorizer().fit(talks["text"]).transform([""])
    lines = _check_sums(clf, sequences[:20], empty, groups[:20], rows=[3, 19])
    assert lines["feature"].dropna().str.isdigit().all()
    words = lines[(lines["source"] == "word") & (lines["row"] == 3)]
    row = sequences[[3]]
    assert set(words["feature"]) == set(map(str, row.words))


def test_steep_scores_get_as_many_nodes_as_they_need(talks):
    """Check that the sum holds for a network whose weights are a hundred times larger."""
    clf = _fit(talks)
    with torch.no_grad():
        clf._model.network.table.weight *= 30
    _check_sums(clf, talks[:20], _nobody())


def test_what_too_few_nodes_leave_over_is_told(talks, monkeypatch):
    """Check that a sum that is not exact has a remainder, so that contributions still add up."""
    clf = _fit(talks)
    with torch.no_grad():
        clf._model.network.table.weight *= 30
    monkeypatch.setattr("sk_ctxmem._explain._attribution.MAX_NODES", 8)
    lines = _check_sums(clf, talks[:20], _nobody(), left_over=True)
    remainders = lines.loc[lines["source"] == "remainder", "contribution"]
    assert 0 < len(remainders) <= 20
    assert remainders.abs().min() > 5e-4


def test_the_table_has_a_line_for_each_contribution(clf, talks):
    """Check columns, sources and rows of one explained row."""
    lines = clf.explain(talks, rows=[4])
    assert lines.columns.tolist() == COLUMNS
    assert lines["row"].unique().tolist() == [4]
    assert lines["target"].unique().tolist() == [clf.predict(talks)[4]]
    features = clf.vectorizer_.transform(talks["text"][4:5]).features
    names = sorted(clf.vectorizer_.get_feature_names_out()[features.indices])
    by_source = dict(iter(lines.groupby("source")))
    assert sorted(by_source["ngram"]["feature"]) == names
    assert sorted(by_source["wide"]["feature"]) == names
    assert by_source["row"]["from_row"].tolist() == [0, 1, 2, 3]
    assert (by_source["ngram"]["from_row"] == 4).all()
    assert by_source["structure"]["from_row"].tolist() == [-1]
    assert lines.loc[lines["source"].isin(["row", "structure"]), "feature"].tolist() == [None] * 5
    assert lines["attention"].notna().tolist() == (lines["source"] == "row").tolist()


def test_the_row_that_tells_the_label_contributes_most(clf, talks):
    """Check that of all rows before the last one, the turn before it counts most."""
    rows = (talks.groupby("group").cumcount().to_numpy() >= 3) & (talks["group"] < 30)
    right = clf.predict(talks) == talks["target"]
    assert right.mean() > 0.9
    found = {}
    for method in METHODS:
        lines = clf.explain(talks, rows=rows & right, method=method)
        others = lines[lines["source"] == "row"]
        best = others.loc[others.groupby("row")["contribution"].idxmax()]
        found[method] = (best["from_row"] == best["row"] - 1).mean()
    assert found["integrated_gradients"] > 0.97
    assert found["leave_one_out"] > 0.97
    assert found["gradient_times_input"] > 0.9  # where scores are steep, gradients mislead


def test_the_wide_path_alone_contributes_coefficients_times_values():
    """Check the contributions of a network that is linear in its features."""
    rng = np.random.RandomState(0)
    X = sparse.csr_array(rng.rand(60, 5) * (rng.rand(60, 5) > 0.8))
    y = (X.toarray()[:, 0] > X.toarray()[:, 1]).astype(int)
    clf = ContextMemoryClassifier(**SMALL).fit(X, y)
    with torch.no_grad():
        clf._model.network.decoder.weight.zero_()
    coefficients = clf.decision_function(np.eye(5)) - clf.decision_function(np.zeros((1, 5)))
    lines = clf.explain(X[:9], target=1)
    wide = lines[lines["source"] == "wide"]
    columns = wide["feature"].str[1:].astype(int)
    found = sparse.coo_array((wide["contribution"], (wide["row"], columns)), shape=(9, 5))
    assert_allclose(found.toarray(), X[:9].toarray() * coefficients, atol=1e-6)
    assert_allclose(lines.loc[lines["source"] != "wide", "contribution"], 0, atol=1e-9)


@pytest.mark.parametrize("context", ["past", "both"])
def test_leaving_a_row_out_is_what_an_empty_text_changes(talks, context):
    """Check contributions of leave-one-out against predictions of edited conversations."""
    clf = _fit(talks, context=context, word_memory=True)
    group = talks[talks["group"] == 3].reset_index(drop=True)
    lines = clf.explain(group, rows=[4], method="leave_one_out", target="red")
    before = _scores(clf, group, ["red"] * len(group))[4]
    others = lines[lines["source"] == "row"]
    assert len(others) == (4 if context == "past" else len(group) - 1)
    for row, contribution in zip(others["from_row"], others["contribution"], strict=True):
        edited = group.assign(text=group["text"].where(group.index != row, ""))
        after = _scores(clf, edited, ["red"] * len(group))[4]
        assert contribution == pytest.approx(before - after, abs=1e-4)


def test_leaving_a_feature_out_is_what_its_absence_changes(talks):
    """Check that the two contributions of a feature are by how much the score falls without."""
    X = sparse.csr_array(CountVectorizer().fit_transform(talks["text"]).astype(float))
    groups = talks["group"].to_numpy()
    clf = ContextMemoryClassifier(**SMALL).fit(X, talks["target"], groups=groups)
    lines = clf.explain(X, groups=groups, rows=[4], method="leave_one_out", target="red")
    before = _scores(clf, X, ["red"] * len(groups), groups=groups)[4]
    features = lines[lines["source"].isin(["ngram", "wide"])].groupby("feature")["contribution"]
    assert len(features) > 3
    for name, contribution in features.sum().items():
        edited = X.tolil()
        edited[4, int(name[1:])] = 0
        after = _scores(clf, edited.tocsr(), ["red"] * len(groups), groups=groups)[4]
        assert contribution == pytest.approx(before - after, abs=1e-4)


@pytest.mark.filterwarnings("ignore::sk_ctxmem.UnknownSpeakersWarning")  # an empty text has none
@pytest.mark.parametrize("method", ["leave_one_out", "gradient_times_input"])
def test_other_methods_add_up_by_a_remainder(talks, method):
    """Check that the remainder is what the contributions lack."""
    clf = _fit(talks, word_memory=True, speaker_column="speaker")
    lines = _check_sums(clf, talks[:20], _nobody(), method=method, left_over=True)
    assert (lines.groupby("row")["source"].agg("last") == "remainder").all()
    assert lines["source"].value_counts()["remainder"] == 20


def test_two_classes_are_explained_by_the_decision_function(talks):
    """Check that contributions for one of two classes are those for the other, negated."""
    talks = _talks(n_classes=2)
    clf = _fit(talks)
    low, high = (clf.explain(talks[:20], target=name) for name in clf.classes_)
    assert_allclose(low["contribution"], -high["contribution"], atol=1e-9)
    expected = clf.decision_function(talks[:20]) - clf.decision_function(_nobody())
    assert_allclose(_sums(high), expected, atol=1e-3)


def test_integrated_gradients_are_those_of_captum(clf, talks):
    """Check the mean gradients against captum's, on the same path."""
    reader = clf._model.reader
    inputs = reader.read_inputs(talks)
    values = reader.vectorize(inputs)
    rows = reader.build_rows(inputs, values)
    empty = np.zeros((1, rows.features.shape[1]), dtype=np.float32)
    scorer = Scorer(clf._model.network, rows, sparse.csr_array(empty), clf.temperature_)
    explained = np.array([5])
    entries = find_entries(values.features, values.features[:0], clf.scaler_, explained)
    question = score_rows(scorer, find_context_windows(rows, explained), None, entries)
    ours = integrated_gradients(scorer, question)
    n_rows = len(question.texts.encoder)

    def score(read, wide):
        copies = TextInputs(read.flatten(0, 1), wide.flatten(0, 1))
        targets = np.repeat(question.targets, len(read))
        return scorer.scores(question.windows.repeat(len(read)), copies, targets)

    inputs = (question.texts.encoder[None], question.texts.wide[None])
    theirs = IntegratedGradients(score).attribute(inputs, n_steps=64)
    assert n_rows == 6
    assert_allclose(ours.encoder * question.texts.encoder, theirs[0][0], atol=1e-6)
    assert_allclose(ours.wide * question.texts.wide, theirs[1][0], atol=1e-6)


def test_attention_is_that_of_the_network(clf, talks):
    """Check that the weights of a row are positive, and with its own at most 1."""
    lines = clf.explain(talks[:40])
    attention = lines[lines["source"] == "row"].groupby("row")["attention"]
    assert attention.min().min() >= 0
    assert attention.sum().between(0.01, 1).all()
    long = pd.DataFrame({"text": ["red well"] * 80, "group": 0})
    lines = clf.explain(long, rows=[79])
    seen = lines[lines["source"] == "row"].set_index("from_row")["attention"]
    first = 80 - clf._model.network.window
    assert 16 < first < 79
    assert (seen[:first] == 0).all()
    assert (seen[first:] > 0).all()


def _canonical(lines, names=None):
    """Return the lines in an order of their own, with other names of rows."""
    lines = lines.copy()
    if names is not None:
        lines["row"] = names[lines["row"]]
        lines["from_row"] = np.where(lines["from_row"] < 0, -1, names[lines["from_row"]])
    order = ["row", "source", "feature", "from_row"]
    return lines.sort_values(order, na_position="first", ignore_index=True)


def test_the_order_of_rows_and_of_groups_does_not_matter(talks):
    """Check that shuffled rows, with an order column, are explained alike."""
    clf = _fit(talks, order_column="order")
    X = talks[:30]
    shuffled = np.random.RandomState(0).permutation(30)
    plain, other = clf.explain(X), clf.explain(X.iloc[shuffled].reset_index(drop=True))
    assert_frame_equal(_canonical(plain), _canonical(other, shuffled), atol=1e-5, rtol=1e-5)


def test_other_groups_do_not_matter(clf, talks):
    """Check that a conversation is explained as if it were alone."""
    group = talks[talks["group"] == 2]
    first = group.index[0]
    alone = clf.explain(group.reset_index(drop=True))
    together = clf.explain(talks, rows=group.index)
    assert_frame_equal(
        _canonical(alone, np.arange(first, first + len(group))),
        _canonical(together),
        atol=1e-6,
        rtol=1e-6,
    )


def test_later_rows_do_not_matter_to_the_past(clf, talks):
    """Check that with `context="past"` an explanation is the same before later rows come."""
    group = talks[talks["group"] == 2].reset_index(drop=True)
    whole, begun = clf.explain(group, rows=[3]), clf.explain(group[:4], rows=[3])
    assert_frame_equal(whole, begun, atol=1e-9, rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_long_groups_are_explained_in_parts(clf, talks, method, monkeypatch):
    """Check that small batches, which save memory, give the same."""
    whole = clf.explain(talks[:25], method=method)
    for name in ("_attribution", "_leave_one_out"):
        monkeypatch.setattr(f"sk_ctxmem._explain.{name}.MAX_BATCH_ROWS", 7)
    monkeypatch.setattr("sk_ctxmem._explain._explanation.CHUNK_ROWS", 5)
    assert_frame_equal(clf.explain(talks[:25], method=method), whole, atol=1e-8, rtol=1e-8)


def test_long_texts_leave_words_out_in_pieces(talks, monkeypatch):
    """Check that the words of a long text still add up to what they say together."""
    clf = _fit(talks, word_memory=True)
    lines = clf.explain(talks[:10])
    monkeypatch.setattr("sk_ctxmem._explain._leave_one_out.MAX_PIECES", 2)
    pieces = clf.explain(talks[:10])
    of_words = [frame[frame["source"] == "word"] for frame in (lines, pieces)]
    assert_allclose(*(frame.groupby("row")["contribution"].sum() for frame in of_words), atol=1e-9)
    assert of_words[0]["contribution"].std() != of_words[1]["contribution"].std()


def test_words_of_the_word_memory_have_their_names(talks):
    """Check that each different word has a line, also those that are not known."""
    clf = _fit(talks, word_memory=True, context="none")
    lines = clf.explain(pd.DataFrame({"text": ["Well red well zzz"], "group": [0]}))
    words = lines[lines["source"] == "word"]
    assert words["feature"].tolist() == ["well", "red", "zzz"]


@pytest.mark.parametrize("word_memory", [True, "convolution"])
@pytest.mark.parametrize("text", ["red", "", "\ud800"])
def test_texts_of_a_word_or_none_are_explained_by_the_word_memory(talks, text, word_memory):
    """Check that the only word of a text can be left out, and that there may be none."""
    clf = _fit(talks, word_memory=word_memory)
    X = pd.DataFrame({"text": pd.Series([text], dtype=object), "group": [0]})
    lines = clf.explain(X)
    assert (lines["source"] == "word").sum() == (text != "")
    assert np.isfinite(lines["contribution"]).all()


def test_rows_are_positions_or_a_mask(clf, talks):
    """Check that both say the same, and that lines come in the order of the positions."""
    mask = np.isin(np.arange(len(talks)), [2, 7])
    by_mask = clf.explain(talks, rows=mask)
    assert_frame_equal(by_mask, clf.explain(talks, rows=[2, 7]))
    assert clf.explain(talks, rows=pd.Series([7, 2]))["row"].unique().tolist() == [7, 2]
    assert clf.explain(talks, rows=7)["row"].unique().tolist() == [7]


def test_a_target_for_each_row_is_explained(clf, talks):
    """Check that each explained row may have a class of its own."""
    lines = clf.explain(talks, rows=[2, 7], target=["blue", "red"])
    assert lines.groupby("row")["target"].first().to_dict() == {2: "blue", 7: "red"}
    blue = clf.explain(talks, rows=[2], target="blue")
    assert_frame_equal(lines[lines["row"] == 2], blue, atol=1e-9, rtol=1e-9)


def test_names_of_features_are_used():
    """Check the names of the columns of a frame of numbers, with a column of groups."""
    rng = np.random.RandomState(0)
    frame = pd.DataFrame({"age": rng.rand(40), "call": np.arange(40) // 4, "size": rng.rand(40)})
    clf = ContextMemoryClassifier(group_column="call", **SMALL).fit(frame, frame["age"] > 0.5)
    lines = clf.explain(frame[:4])
    assert lines["feature"].dropna().unique().tolist() == ["age", "size"]
    assert lines["target"].dtype == bool


@pytest.mark.parametrize(
    ("vectorizer", "name"), [(CountVectorizer(), "red"), (HashingVectorizer(n_features=8), "5")]
)
def test_names_of_other_vectorizers_are_used(talks, vectorizer, name):
    """Check names of n-grams, and numbers of columns where the vectorizer knows no names."""
    clf = _fit(talks, vectorizer=vectorizer)
    features = clf.explain(talks[:20])["feature"].dropna().unique().tolist()
    assert name in features
    names = [str(column) for column in range(8)]
    known = name == "5" or set(features) <= set(vectorizer.fit(talks["text"]).vocabulary_)
    assert known
    assert name != "5" or set(features) <= set(names)


def _state(clf):
    """Return all that a classifier holds, in a form that does not change with it."""
    parameters = list(clf._model.network.parameters())
    weights = [(part.detach().clone(), part.dtype, part.requires_grad) for part in parameters]
    gradients = [None if part.grad is None else part.grad.sum().item() for part in parameters]
    return weights, gradients, {name: repr(value) for name, value in vars(clf).items()}


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_changed(clf, talks, method):
    """Check classifier, gradients, input and random states after an explanation."""
    weights, gradients, others = _state(clf)
    X, random, numpy_random = talks[:9].copy(), torch.get_rng_state(), np.random.get_state()[1]
    with torch.inference_mode():
        first = clf.explain(X, method=method)
    assert_frame_equal(first, clf.explain(X, method=method))
    assert_frame_equal(X, talks[:9])
    assert torch.equal(torch.get_rng_state(), random)
    assert_array_equal(np.random.get_state()[1], numpy_random)
    weights_after, gradients_after, others_after = _state(clf)
    assert others == others_after
    assert gradients == gradients_after
    for before, after in zip(weights, weights_after, strict=True):
        assert torch.equal(before[0], after[0])
        assert before[1:] == after[1:]


def test_threads_explain_at_the_same_time(clf, talks):
    """Check that explanations in several threads are those of one."""
    expected = clf.explain(talks[:20])
    found = []

    def explain():
        found.append(clf.explain(talks[:20]))

    threads = [threading.Thread(target=explain) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    for lines in found:
        assert_frame_equal(lines, expected)


def test_empty_texts_contribute_nothing(clf):
    """Check a conversation without words: the structure is all there is."""
    lines = clf.explain(pd.DataFrame({"text": ["", "", ""], "group": 0}))
    assert lines["source"].value_counts().to_dict() == {"row": 3, "structure": 3}
    assert_allclose(lines.loc[lines["source"] == "row", "contribution"], 0)
    assert lines.loc[lines["row"] == 0, "contribution"].tolist() == pytest.approx([0], abs=1e-12)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        (
            {"target": "violet"},
            ValueError,
            r"target='violet' is not a class.*'blue', 'green', 'red'",
        ),
        (
            {"target": ["red", "violet"], "rows": [0, 1]},
            ValueError,
            "target='violet' is not a class",
        ),
        ({"target": ["red"], "rows": [0, 1]}, ValueError, "target has 1 classes, but 2 rows"),
        ({"target": [["red"]], "rows": [0]}, TypeError, r"target=\['red'\] must be a class"),
        ({"rows": [5, 10_000]}, ValueError, "rows has 10000, but X has the rows 0 to"),
        ({"rows": [-1]}, ValueError, "rows has -1, but X has the rows 0 to"),
        ({"rows": []}, ValueError, "rows selects no row"),
        ({"rows": [True, False]}, ValueError, "rows is a mask of 2 rows, but X has"),
        ({"rows": [1, 1]}, ValueError, "rows contains a row twice"),
        ({"rows": [0.5]}, TypeError, r"rows=\[0.5\] must be integers"),
        ({"rows": [[1]]}, TypeError, r"rows=\[\[1\]\] must be integers"),
        ({"method": "lime"}, ValueError, "method='lime' must be one of 'integrated_gradients'"),
        ({"method": None}, ValueError, "method=None must be one of"),
    ],
)
def test_wrong_arguments_are_refused(clf, talks, options, error, match):
    """Check that errors name the value and say what is right."""
    with pytest.raises(error, match=match):
        clf.explain(talks, **options)


def test_explaining_needs_a_fit(talks):
    """Check that an unfitted classifier says so."""
    with pytest.raises(NotFittedError, match="not fitted"):
        ContextMemoryClassifier().explain(talks)


def test_missing_groups_are_warned_of_at_the_line_that_explains(clf, talks):
    """Check that the warning of missing groups points here."""
    plain = ContextMemoryClassifier(**SMALL).fit(
        talks["text"], talks["target"], groups=talks["group"]
    )
    with pytest.warns(UserWarning, match="X has no groups: each row") as caught:
        plain.explain(talks["text"][:3])
    assert caught[0].filename == __file__


@pytest.mark.parametrize("wrap", [lambda target: target, np.array], ids=["scalar", "array"])
@pytest.mark.parametrize("kind", ["datetime64[s]", "U1", "i8", "?"])
def test_classes_of_any_kind_can_be_targets(kind, wrap):
    """Check that a class that `classes_` holds is found, by itself or as an array of no axes."""
    classes = np.array([0, 1], dtype="i8").astype(kind)
    clf = ContextMemoryClassifier(random_state=0, max_epochs=1).fit(
        ["a", "b"] * 10, [*classes] * 10
    )
    lines = clf.explain(["a"], target=wrap(clf.classes_[1]))
    assert (lines["target"].to_numpy() == clf.classes_[1]).all()


@pytest.mark.parametrize(
    ("context", "row", "method"),
    [
        ("past", 139, "integrated_gradients"),
        ("both", 20, "gradient_times_input"),
        pytest.param("past", 139, "leave_one_out", marks=pytest.mark.slow),
    ],
)
def test_long_contexts_are_cropped_without_a_change(context, row, method, monkeypatch):
    """Check that far rows, which contribute nothing, have a line, and others are as before."""
    frame = _talks()[:140].assign(group=0)
    clf = _fit(frame.assign(group=np.arange(140) // 35), context=context)
    rows = {"rows": [row]}
    whole = clf.explain(frame, method=method, **rows)
    monkeypatch.setattr("sk_ctxmem._explain._windows.FIRST_REACH", 100)
    read = []
    choose = _explanation.choose_windows

    def note(*arguments):
        read.append(choose(*arguments))
        return read[0]

    monkeypatch.setattr(_explanation, "choose_windows", note)
    cropped = clf.explain(frame, method=method, **rows)
    assert_frame_equal(cropped, whole, atol=2e-6, rtol=0)
    assert read[0].lengths.max() == (101 if context == "past" else 121)


def test_contexts_are_not_cropped_where_the_score_would_change(monkeypatch):
    """Check that windows grow to all rows if a tiny one changes scores."""
    frame = _talks()[:40].assign(group=0)
    clf = _fit(frame)
    whole = clf.explain(frame)
    monkeypatch.setattr("sk_ctxmem._explain._windows.FIRST_REACH", 1)
    assert_frame_equal(clf.explain(frame), whole, atol=1e-5, rtol=0)


def test_long_work_is_warned_of_first(clf, talks, monkeypatch):
    """Check that the warning names what is read and the remedy, and points here."""
    monkeypatch.setattr("sk_ctxmem._explain._windows.MAX_SILENT_WORK", 10)
    with pytest.warns(
        UserWarning, match=r"to explain 20 rows.*takes minutes.*pass rows="
    ) as caught:
        clf.explain(talks[:20])
    assert caught[0].filename == __file__


def test_groups_in_the_second_place_are_refused(clf, talks):
    """Check that groups are not read as the target."""
    with pytest.raises(TypeError, match="1 more were passed, a ndarray first; pass groups= or"):
        clf.explain(talks, np.zeros(len(talks)))
