"""Tests of ForecastDisplay, and of other Displays of classifiers of sequences."""

import math
from functools import cache

import numpy as np
import pandas as pd
import pytest
from _forecasts import SMALL, fit, make_frames, make_steps, make_talks
from sklearn.metrics import accuracy_score, f1_score, log_loss, make_scorer, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MultiLabelBinarizer

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.inspection import (
    ContextAblationDisplay,
    ContextAttributionDisplay,
    ConversationDisplay,
    ForecastDisplay,
    TokenAttributionDisplay,
    suspect_labels,
)

pytestmark = pytest.mark.filterwarnings("ignore::sk_ctxmem.UnknownSpeakersWarning")
matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")
SHARES = (0.2, 0.5, 0.7, 1.0)


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


@cache
def fitted(context="past"):
    """Return a classifier of conversations."""
    return fit(*make_talks(60), context=context, max_epochs=4)


@cache
def new_talks():
    """Return conversations that it was not fitted on, and one of ten rows."""
    talks, labels = make_talks(30, seed=1)
    return [*talks, ["no one"] * 6 + ["yes"] + ["two"] * 3], np.append(labels, "deal")


def predict_shares(classifier, sequences, share):
    """Return the probabilities of the first rows of each sequence."""
    counts = [max(1, math.ceil(round(share * len(each), 6))) for each in sequences]
    taken = [each[:count] for each, count in zip(sequences, counts, strict=True)]
    return classifier.predict_proba(taken)


@pytest.mark.parametrize(
    ("scoring", "metric"),
    [
        ("accuracy", lambda y, p: accuracy_score(y, np.array(["deal", "lost"])[p.argmax(axis=1)])),
        ("roc_auc", lambda y, p: roc_auc_score(y == "lost", p[:, 1])),
        ("neg_log_loss", lambda y, p: -log_loss(y, p)),
    ],
)
def test_scores_are_those_of_shares_predicted_one_by_one(scoring, metric):
    """Check each score against predictions of the first rows of each sequence."""
    talks, y = new_talks()
    display = ForecastDisplay.from_estimator(fitted(), talks, y, shares=SHARES, scoring=scoring)
    expected = [metric(y, predict_shares(fitted(), talks, share)) for share in SHARES]
    np.testing.assert_allclose(display.scores, expected, atol=1e-6)
    assert display.scores[-1] > display.scores[0] + 0.05  # more is known later
    assert display.ax_.get_ylabel() == f"{scoring.replace('_', ' ')} ± standard error"
    np.testing.assert_array_equal(display.line_.get_xdata(), SHARES)


def test_seven_of_ten_rows_are_seven():
    """Check that rounding of a product such as 0.7 * 10 adds no row."""
    forecasts = np.tile([1.0, 0.0], (10, 1))
    forecasts[6] = [0.0, 1.0]
    shares = np.arange(0.1, 1.01, 0.1)
    display = ForecastDisplay.from_predictions(
        ["b"], [forecasts], classes=["a", "b"], shares=shares
    )
    assert shares[6] * 10 > 7
    assert display.scores.tolist() == [0.0] * 6 + [1.0] + [0.0] * 3


@pytest.mark.parametrize("scoring", ["neg_log_loss", "roc_auc"])
def test_a_class_of_one_sequence_leaves_errors_unknown(scoring):
    """Check that scores are drawn without a band where a part of the sequences has one class."""
    forecasts = [[[0.5, 0.5], [0.3, 0.7]]] * 9 + [[[0.5, 0.5], [0.9, 0.1]]]
    y = ["b"] * 9 + ["a"]
    display = ForecastDisplay.from_predictions(y, forecasts, shares=[0.5, 1.0], scoring=scoring)
    assert display.scores[1] > display.scores[0]
    assert np.isnan(display.errors).all()
    assert display.band_ is None


def test_errors_are_about_those_of_a_share_of_hits():
    """Check the standard errors of accuracy, and that one sequence has none."""
    talks, y = new_talks()
    display = ForecastDisplay.from_estimator(fitted(), talks, y, shares=[0.5])
    hits = display.scores[0]
    np.testing.assert_allclose(display.errors[0], np.sqrt(hits * (1 - hits) / 30), rtol=0.1)
    low, high = display.band_.get_paths()[0].get_extents().intervaly
    assert low < hits < high
    alone = ForecastDisplay.from_estimator(fitted(), talks[:1], y[:1])
    assert np.isnan(alone.errors).all()
    assert alone.band_ is None
    assert alone.ax_.get_ylabel() == "accuracy"


def test_forecasts_of_sessions_and_of_others_are_drawn_beside():
    """Check that forecasts from sessions give the same curve, in the same axes."""
    talks, y = new_talks()
    first = ForecastDisplay.from_estimator(fitted(), talks, y, name="ours")
    forecasts = []
    for talk in talks:
        session = fitted().session()
        forecasts.append([session.predict_proba_one(text) for text in talk])
    second = ForecastDisplay.from_predictions(y, forecasts, name="sessions", ax=first.ax_)
    np.testing.assert_allclose(second.scores, first.scores)
    np.testing.assert_allclose(second.errors, first.errors)
    assert second.ax_ is first.ax_
    assert second.line_.get_color() != first.line_.get_color()
    legend = [text.get_text() for text in first.ax_.get_legend().get_texts()]
    assert legend == ["ours", "sessions"]


def test_several_labels_are_scored():
    """Check indicators of labels, from an estimator and from predictions."""
    talks, _ = new_talks()
    names = ("red", "yes")
    words = [{name for name in names if any(name in t for t in talk)} for talk in talks]
    y = MultiLabelBinarizer().fit_transform(words)
    classifier = fit(talks, y)
    for scoring, metric in (
        ("f1_micro", lambda y, p: f1_score(y, p > 0.5, average="micro")),
        ("roc_auc", roc_auc_score),
    ):
        only = {"shares": SHARES, "scoring": scoring}
        display = ForecastDisplay.from_estimator(classifier, talks, y, **only)
        expected = [metric(y, predict_shares(classifier, talks, share)) for share in SHARES]
        np.testing.assert_allclose(display.scores, expected, atol=1e-6)
        forecasts = [classifier.predict_proba([t[: k + 1] for k in range(len(t))]) for t in talks]
        again = ForecastDisplay.from_predictions(y, forecasts, **only)
        np.testing.assert_allclose(again.scores, display.scores, atol=1e-6)


def test_pipelines_arrays_and_scorers_of_the_user_are_taken():
    """Check steps in a pipeline, and a scorer that is no name."""
    steps, y = make_steps(60)
    pipeline = make_pipeline(FunctionTransformer(lambda X: [2 * each for each in X]), fit(steps, y))
    scorer = make_scorer(f1_score)
    shown = ForecastDisplay.from_estimator(pipeline, steps, y, scoring=scorer, shares=[1.0])
    np.testing.assert_allclose(shown.scores, f1_score(y, pipeline.predict(steps)))


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"scoring": "r2"}, ValueError, r"scoring='r2' must be .*'accuracy'.*'roc_auc'"),
        ({"scoring": None}, ValueError, "scoring=None must be a scorer"),
        ({"shares": "all"}, TypeError, "shares='all' must be a list of numbers"),
        ({"shares": 0.5}, TypeError, "shares=0.5 must be a list of numbers"),
        ({"shares": []}, ValueError, "shares is empty"),
        ({"shares": [0.0]}, ValueError, "shares has 0.0, but a share is above 0 and at most 1"),
        ({"shares": [50]}, ValueError, "shares has 50, but a share is above 0 and at most 1"),
        ({"shares": [True]}, TypeError, "shares has True, but numbers were expected"),
    ],
)
def test_wrong_options_are_named(options, error, match):
    """Check the messages about shares and scorers."""
    with pytest.raises(error, match=match):
        ForecastDisplay.from_estimator(fitted(), *new_talks(), **options)


def test_what_cannot_forecast_is_named():
    """Check that other contexts and rows are refused, with a remedy, and wrong forecasts too."""
    talks, y = new_talks()
    for context in ("both", "none"):
        with pytest.raises(ValueError, match=f"context='{context}'.* fit with context='past'"):
            ForecastDisplay.from_estimator(fitted(context), talks, y)
    texts = [talk[0] for talk in talks]
    with pytest.raises(ValueError, match="fitted on rows.*ContextAblationDisplay"):
        ForecastDisplay.from_estimator(fit(texts, y), texts, y)
    with pytest.raises(ValueError, match="y has 2 values, but there are 31 rows"):
        ForecastDisplay.from_estimator(fitted(), talks, y[:2])
    with pytest.raises(ValueError, match="forecasts has 1 sequences, but y_true has 31"):
        ForecastDisplay.from_predictions(y, [[[0.5, 0.5]]])
    with pytest.raises(ValueError, match=r"shape \(2,\) for sequence 0.*\(n_steps, 2\)"):
        ForecastDisplay.from_predictions(y[:2], [[0.5, 0.5]] * 2, classes=["deal", "lost"])


def test_other_displays_of_context_name_what_to_use():
    """Check that Displays of rows refuse sequences by their name."""
    talks, y = new_talks()
    with pytest.raises(ValueError, match=r"ContextAblationDisplay needs rows.*ForecastDisplay"):
        ContextAblationDisplay.from_estimator(fitted(), talks, y)
    with pytest.raises(ValueError, match=r"ContextAttributionDisplay needs rows.*ConversationDis"):
        ContextAttributionDisplay.from_estimator(fitted(), talks)
    lines = fitted().explain(talks[:1])
    for display in (ContextAttributionDisplay, ConversationDisplay, TokenAttributionDisplay):
        with pytest.raises(ValueError, match=r"explanation is of sequences.*from_estimator"):
            display.from_explanation(lines, talks[0])


@pytest.mark.parametrize("context", ["past", "both", "none"])
def test_a_conversation_shows_the_forecast_after_each_turn(context):
    """Check probabilities after each turn, words of all turns, and the strongest turns."""
    talks, y = new_talks()
    talk = talks[-1]
    display = ConversationDisplay.from_estimator(
        fitted(context), talks, y, group=len(talks) - 1, target="deal"
    )
    expected = fitted(context).predict_proba([talk[: end + 1] for end in range(len(talk))])
    np.testing.assert_allclose(display.probabilities, expected[:, 0], atol=1e-6)
    classes = fitted(context).classes_
    assert display.predictions.tolist() == classes[expected.argmax(axis=1)].tolist()
    assert display.y_true.tolist() == ["deal"] * len(talk)
    lines = fitted(context).explain([talk], target="deal")
    sums = lines.groupby("from_row")["contribution"].sum()
    np.testing.assert_allclose(display.contributions[-1], sums[np.arange(len(talk))], atol=1e-9)
    assert np.isnan(display.contributions[:-1]).all()
    np.testing.assert_allclose(display.structure[-1], sums[-1], atol=1e-9)
    assert display.contributions[-1].argmax() == 6
    strongest = max((word for words in display.words for word in words), key=lambda w: w[3])
    assert strongest.word == "yes"
    page = display.to_html()
    assert page.count('class="turn"') == len(talk)
    assert page.count('class="sums"') == 1
    assert "turn 6" in page


def test_turns_are_shown_in_the_order_of_the_order_column():
    """Check order, speakers and columns of a frame that is not sorted."""
    frames, labels = make_frames(40)
    frames = [frame.assign(at=np.arange(len(frame))) for frame in frames]
    columns = {"text_column": "said", "speaker_column": "who", "feature_columns": ["price"]}
    classifier = fit(frames, labels, order_column="at", **columns)
    turned = [frame.iloc[::-1] for frame in frames]
    shown = [ConversationDisplay.from_estimator(classifier, X, group=3) for X in (frames, turned)]
    assert shown[1].texts == frames[3]["said"].tolist()
    assert shown[1].speakers.tolist() == frames[3]["who"].tolist()
    assert [list(columns) for columns in shown[1].columns] == [["price"]] * len(frames[3])
    np.testing.assert_allclose(shown[0].contributions, shown[1].contributions, atol=1e-6)
    np.testing.assert_allclose(shown[0].probabilities, shown[1].probabilities, atol=1e-6)


def test_the_words_of_a_whole_sequence_have_bars():
    """Check that the words of all rows are drawn, and that all contributions are told."""
    talks, _ = new_talks()
    display = TokenAttributionDisplay.from_estimator(fitted(), talks, row=-1, target="deal")
    assert display.row == len(talks) - 1
    assert display.text == "\n".join(talks[-1])
    assert all(display.text[w.start : w.end] == w.word for w in display.words)
    assert max(display.words, key=lambda word: word.contribution).word == "yes"
    lines = fitted().explain(talks[-1:], target="deal")
    whole = sum(word.contribution for word in display.words) + display.rest + display.structure
    np.testing.assert_allclose(whole, lines["contribution"].sum(), atol=1e-9)
    probability = fitted().predict_proba(talks[-1:])[0, 0]
    np.testing.assert_allclose(display.probability, probability, atol=1e-9)
    assert "other turns" not in display.ax_.get_xlabel() + display.to_html()
    assert "position and speaker" in display.ax_.get_xlabel()


def test_steps_of_numbers_are_shown_by_their_number():
    """Check the page of a sequence of arrays."""
    steps, y = make_steps()
    display = ConversationDisplay.from_estimator(fit(steps, y), steps, group=0)
    assert len(display.texts) == len(steps[0])
    assert display.texts[0] == "step 0"
    assert "step 0" in display.to_html()


def test_the_wrong_sequence_is_named():
    """Check the messages about the number of a sequence."""
    talks, _ = new_talks()
    with pytest.raises(ValueError, match="group=None, but X has 31 groups"):
        ConversationDisplay.from_estimator(fitted(), talks)
    with pytest.raises(ValueError, match="group=31 is not a group of X"):
        ConversationDisplay.from_estimator(fitted(), talks, group=31)
    with pytest.raises(ValueError, match="row=31 is not a row of X, which has 31"):
        TokenAttributionDisplay.from_estimator(fitted(), talks, row=31)


def test_series_and_arrays_of_sequences_are_shown():
    """Check that one sequence is taken out of any container."""
    talks, _ = new_talks()
    expected = ConversationDisplay.from_estimator(fitted(), talks, group=2).contributions
    for X in (pd.Series(talks, index=range(7, 7 + len(talks))), np.array(talks, dtype=object)):
        found = ConversationDisplay.from_estimator(fitted(), X, group=2).contributions
        np.testing.assert_allclose(found, expected)


def test_labels_of_sequences_are_judged():
    """Check that suspect_labels finds a wrong label of a whole sequence."""
    pytest.importorskip("cleanlab")
    talks = [[f"{word} one", f"two {word}"][: 1 + k % 2] for k in range(15) for word in ("a", "b")]
    y = np.tile(["first", "second"], 15)
    y[7] = "first"
    found = suspect_labels(ContextMemoryClassifier(**SMALL | {"max_epochs": 4}), talks, y, cv=3)
    assert len(found) == 30
    assert found["row"].iloc[0] == 7
    assert found["suggested"].iloc[0] == "second"
