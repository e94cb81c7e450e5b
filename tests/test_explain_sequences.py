"""Tests of explanations of the label of a whole sequence, by the words of all of its rows."""

from functools import cache

import numpy as np
import pytest
from _forecasts import fit, make_frames, make_steps, make_talks
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logit
from sklearn.preprocessing import MultiLabelBinarizer

from sk_ctxmem._explain import _windows
from sk_ctxmem._network._memories import MEMORIES

pytestmark = pytest.mark.filterwarnings("ignore::sk_ctxmem.UnknownSpeakersWarning")
METHODS = ("integrated_gradients", "leave_one_out", "gradient_times_input")
TOLERANCE = 1e-3
SETTINGS = {
    "gru": {},
    "lstm": {"memory": "lstm"},
    "elman": {"memory": "elman"},
    "mingru": {"memory": "mingru"},
    "words": {"word_memory": True},
    "convolution": {"word_memory": "convolution"},
}


class Letters:
    """Embeds a text by counts of its letters."""

    def encode(self, texts):
        """Return the vectors of texts."""
        return np.array([[text.count(letter) for letter in "aeionr"] for text in texts], float)


@cache
def fit_long(context):
    """Return a classifier that knows which word tells the label."""
    return fit(*make_talks(80), context=context, max_epochs=4)


def scores_of(classifier, sequences, targets):
    """Return the log-odds of classes."""
    columns = np.searchsorted(classifier.classes_, targets)
    return logit(classifier.predict_proba(sequences))[np.arange(len(columns)), columns]


def check_sums(classifier, sequences, empty, **options):
    """Check that contributions add up to the score, minus that of an empty sequence."""
    lines = classifier.explain(sequences, **options)
    targets = lines.groupby("row")["target"].first().to_numpy()
    assert_array_equal(lines["row"].unique(), np.arange(len(sequences)))
    scores = scores_of(classifier, sequences, targets)
    baselines = scores_of(classifier, [empty] * len(sequences), targets)
    sums = lines.groupby("row")["contribution"].sum().to_numpy()
    assert_allclose(sums, scores - baselines, atol=TOLERANCE)
    return lines


@pytest.mark.parametrize("context", ["past", "both", "none"])
@pytest.mark.parametrize("name", SETTINGS)
def test_contributions_of_texts_add_up(name, context):
    """Check that the lines of all rows of a sequence add up to the score of its label."""
    talks, labels = make_talks()
    classifier = fit(talks, labels, context=context, **SETTINGS[name])
    lines = check_sums(classifier, talks[:5], [""])
    assert not (lines["source"] == "row").any()
    assert not (lines["source"] == "remainder").any()
    for number, talk in enumerate(talks[:5]):
        of_texts = lines[(lines["row"] == number) & (lines["from_row"] >= 0)]
        assert set(of_texts["from_row"]) == set(range(len(talk)))
        weights = of_texts.groupby("from_row")["attention"]
        assert (weights.nunique() == 1).all()
        assert_allclose(weights.first().sum(), 1, atol=1e-9)
    assert lines.loc[lines["from_row"] == -1, "attention"].isna().all()


@pytest.mark.parametrize("context", ["past", "both", "none"])
def test_contributions_of_steps_add_up(context):
    """Check that each step and feature of an array has a contribution."""
    steps, labels = make_steps()
    classifier = fit(steps, labels, context=context)
    empty = classifier.scaler_.mean_[np.newaxis]
    lines = check_sums(classifier, steps[:5], empty)
    of_first = lines[(lines["row"] == 0) & (lines["source"] == "ngram")]
    found = set(zip(of_first["from_row"], of_first["feature"], strict=True))
    assert found == {(step, f"x{column}") for step in range(len(steps[0])) for column in range(3)}


@pytest.mark.parametrize("context", ["past", "both", "none"])
def test_contributions_of_columns_and_vectors_add_up(context):
    """Check that speakers are structure, and columns and embeddings have lines of their own."""
    frames, labels = make_frames()
    columns = {"text_column": "said", "speaker_column": "who", "feature_columns": ["price"]}
    classifier = fit(frames, labels, context=context, embedder=Letters(), **columns)
    lines = classifier.explain(frames[:4])
    sums = lines.groupby("row")["contribution"].sum()
    assert not (lines["source"] == "remainder").any()
    for source in ("column", "embedding"):
        counts = lines[lines["source"] == source].groupby("row").size()
        assert counts.tolist() == [len(frame) for frame in frames[:4]]
    scores = scores_of(classifier, frames[:4], lines.groupby("row")["target"].first())
    # what is left is the score of one empty row, which is the same for equal classes
    baselines = (scores - sums)[lines.groupby("row")["target"].first() == "deal"]
    assert np.ptp(baselines) < TOLERANCE


@pytest.mark.parametrize("context", ["past", "both", "none"])
def test_contributions_to_several_labels_add_up(context):
    """Check that the score of each label of a sequence can be explained."""
    talks, _ = make_talks(60)
    names = np.array(["one", "red", "yes"])
    words = [{word for word in names if any(word in t for t in talk)} for talk in talks]
    classifier = fit(talks, MultiLabelBinarizer().fit_transform(words), context=context)
    for label in range(3):
        lines = classifier.explain(talks[:3], target=label)
        scores = logit(classifier.predict_proba(talks[:3])[:, label])
        baseline = logit(classifier.predict_proba([[""]])[0, label])
        sums = lines.groupby("row")["contribution"].sum()
        assert_allclose(sums, scores - baseline, atol=TOLERANCE)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("context", ["past", "both", "none"])
def test_the_word_that_tells_the_label_contributes_most(context, method):
    """Check that row and word of the only evidence come first, by every method."""
    classifier = fit_long(context)
    asked = [["no two", "red maybe", "blue yes three", "green"], ["yes"], ["one no", "red yes"]]
    lines = classifier.explain(asked, target="deal", method=method)
    lines = lines[lines["from_row"] >= 0]
    by_row = lines.groupby(["row", "from_row"])["contribution"].sum()
    assert [by_row[number].idxmax() for number in range(3)] == [2, 0, 1]
    by_word = lines.groupby(["row", "from_row", "feature"])["contribution"].sum()
    for number, place in enumerate([2, 0, 1]):
        assert by_word[number].idxmax() in [(place, "word__yes"), (place, "char__yes")]


@pytest.mark.parametrize("context", ["past", "both", "none"])
def test_leaving_a_feature_out_is_what_its_absence_changes(context):
    """Check that the lines of leave_one_out are differences of predictions."""
    steps, labels = make_steps()
    classifier = fit(steps, labels, context=context)
    lines = classifier.explain(steps[:3], target=1, method="leave_one_out")
    sums = lines.groupby(["row", "from_row", "feature"])["contribution"].sum()
    mean = classifier.scaler_.mean_
    for number, (row, column) in [(0, (0, 1)), (1, (len(steps[1]) - 1, 2)), (2, (0, 0))]:
        without = steps[number].copy()
        without[row, column] = mean[column]
        both = [steps[number], without]
        change = -np.diff(scores_of(classifier, both, [1, 1]))[0]
        assert_allclose(sums[number, row, f"x{column}"], change, atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_words_of_the_word_memory_are_left_out_in_their_row(method):
    """Check that each word of each row has a line, and that lines and remainder add up."""
    talks, labels = make_talks()
    classifier = fit(talks, labels, word_memory=True, memory="lstm")
    lines = check_sums(classifier, talks[:3], [""], method=method)
    of_words = lines[lines["source"] == "word"]
    found = set(zip(of_words["row"], of_words["from_row"], of_words["feature"], strict=True))
    assert found == {
        (number, row, word)
        for number, talk in enumerate(talks[:3])
        for row, text in enumerate(talk)
        for word in text.split()
    }


@pytest.mark.parametrize("memory", MEMORIES)
def test_other_sequences_and_their_number_do_not_matter(memory, monkeypatch):
    """Check that sequences are explained alike alone, among others and in small parts."""
    talks, labels = make_talks()
    classifier = fit(talks, labels, memory=memory)
    together = classifier.explain(talks[:6])
    some = classifier.explain(talks[:6], rows=[4, 1])
    assert some["row"].unique().tolist() == [1, 4] or set(some["row"]) == {1, 4}
    monkeypatch.setattr("sk_ctxmem._explain._explanation.CHUNK_ROWS", 3)
    for number, lines in some.groupby("row"):
        of_one = together[together["row"] == number]
        alone = classifier.explain([talks[number]])
        for other in (lines, alone):
            assert other["feature"].tolist() == of_one["feature"].tolist()
            assert other["from_row"].tolist() == of_one["from_row"].tolist()
            assert_allclose(other["contribution"], of_one["contribution"], atol=1e-6)


def test_rows_are_counted_in_the_frame_of_their_sequence():
    """Check that from_row is a position in the frame, whatever the order column says."""
    frames, labels = make_frames()
    frames = [frame.assign(at=np.arange(len(frame))[::-1]) for frame in frames]
    classifier = fit(frames, labels, text_column="said", order_column="at", speaker_column="who")
    lines = classifier.explain(frames[:5])
    words = lines[(lines["source"] == "wide") & lines["feature"].str.startswith("word__")]
    for number, row, feature in zip(words["row"], words["from_row"], words["feature"], strict=True):
        word = feature.removeprefix("word__").split(" ")[0]
        assert word in frames[number]["said"].iloc[row]


def test_long_work_is_warned_of_first(monkeypatch):
    """Check that leaving each part of long sequences out is warned of."""
    talks, labels = make_talks()
    classifier = fit(talks, labels)
    monkeypatch.setattr(_windows, "MAX_SILENT_WORK", 100)
    with pytest.warns(UserWarning, match="which takes minutes"):
        classifier.explain([talks[0] * 10], method="leave_one_out")


def test_sequences_are_chosen_by_their_number():
    """Check that rows= and target= count sequences."""
    talks, labels = make_talks()
    classifier = fit(talks, labels)
    mask = np.arange(5) == 3
    assert set(classifier.explain(talks[:5], rows=mask)["row"]) == {3}
    with pytest.raises(ValueError, match="rows has 5, but X has the rows 0 to 4"):
        classifier.explain(talks[:5], rows=[5])
    with pytest.raises(ValueError, match="target has 2 classes, but 5 rows are explained"):
        classifier.explain(talks[:5], target=["deal", "lost"])
