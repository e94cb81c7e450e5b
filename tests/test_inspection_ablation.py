"""Tests of ContextAblationDisplay."""

import numpy as np
import pandas as pd
import pytest
from _explained import fit_talks
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.pipeline import make_pipeline

import sk_ctxmem.inspection._context_ablation as ablation
from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer
from sk_ctxmem.datasets import make_conversations
from sk_ctxmem.inspection import ContextAblationDisplay

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def new_talks():
    """Return conversations that the classifier was not fitted on."""
    return make_conversations(12, random_state=1).frame


def _predict_windows(clf, frame, context_size):
    """Predict each row as the last one of a DataFrame of this row and the rows before it."""
    probabilities = np.empty((len(frame), len(clf.classes_)))
    for row in range(len(frame)):
        group = frame.iloc[: row + 1]
        group = group[group["group"] == frame["group"].iloc[row]]
        window = group if context_size is None else group.tail(context_size + 1)
        probabilities[row] = clf.predict_proba(window)[-1]
    return probabilities


@pytest.mark.parametrize("n_at_once", [97, 20_000])
def test_rows_are_predicted_at_the_end_of_short_conversations(new_talks, n_at_once, monkeypatch):
    """Check the scores against a loop over rows, for small and large calls."""
    monkeypatch.setattr(ablation, "ROWS_PER_CALL", n_at_once)
    clf, y = fit_talks(), new_talks["target"]
    context_sizes = (0, 1, 3, None)
    display = ContextAblationDisplay.from_estimator(
        clf, new_talks, y, context_sizes=context_sizes, scoring="neg_log_loss"
    )
    expected = [-log_loss(y, _predict_windows(clf, new_talks, n)) for n in context_sizes]
    np.testing.assert_allclose(display.scores, expected, atol=1e-4)
    assert display.scores[0] < -0.9  # about chance without context
    assert display.scores[1] > -0.3


def test_shuffled_rows_and_other_tables_give_the_same(new_talks):
    """Check shuffled groups, an order column, polars, and groups as an argument."""
    pl = pytest.importorskip("polars")
    columns = {"text_column": "text", "order_column": "order", "random_state": 0}
    frame = new_talks.sample(frac=1, random_state=0)
    clf = ContextMemoryClassifier(group_column="group", **columns).fit(frame, frame["target"])
    plain = ContextMemoryClassifier(**columns).fit(frame, frame["target"], groups=frame["group"])

    def draw(clf, X, y, groups=None):
        options = {"context_sizes": (0, 2, None), "scoring": "neg_log_loss", "groups": groups}
        return ContextAblationDisplay.from_estimator(clf, X, y, **options).scores

    expected = draw(clf, new_talks, new_talks["target"])
    np.testing.assert_allclose(draw(clf, frame, frame["target"]), expected, atol=1e-5)
    table = pl.from_pandas(frame)
    np.testing.assert_allclose(draw(clf, table, frame["target"]), expected, atol=1e-5)
    by_call = draw(plain, frame, frame["target"], frame["group"])
    np.testing.assert_allclose(by_call, expected, atol=1e-5)


def test_a_pipeline_transforms_rows_first(new_talks):
    """Check that a pipeline transforms X before the conversations are shortened."""
    pipeline = make_pipeline(TextSequenceVectorizer(), ContextMemoryClassifier(random_state=0))
    texts, groups, y = (new_talks[name].tolist() for name in ("text", "group", "target"))
    pipeline.fit(texts, y, contextmemoryclassifier__groups=groups)
    display = ContextAblationDisplay.from_estimator(pipeline, texts, y, groups=groups)
    whole = accuracy_score(y, pipeline.predict(texts, groups=groups))
    assert display.scores[-1] == pytest.approx(whole)
    assert display.scores[-2] == pytest.approx(whole, abs=0.05)


def test_a_scorer_of_the_user_gets_predictions(new_talks):
    """Check that a function of estimator, X and y is called, and that its name is on the axis."""

    def wrong_share(estimator, X, y):
        return 1 - accuracy_score(y, estimator.predict(X))

    y = new_talks["target"]
    display = ContextAblationDisplay.from_estimator(
        fit_talks(), new_talks, y, context_sizes=[None], scoring=wrong_share
    )
    assert display.scores[0] == pytest.approx(1 - fit_talks().score(new_talks, y))
    assert display.ax_.get_ylabel() == "wrong share ± standard error"


def test_error_bars_are_those_of_the_mean_of_groups():
    """Check the jackknife: for groups of equal size it is the standard error of their mean."""
    groups = np.repeat(np.arange(8), 5)
    rng = np.random.RandomState(0)
    y, predicted = rng.randint(2, size=(2, 40))
    display = ContextAblationDisplay.from_predictions(y, {0: predicted}, groups=groups)
    means = (y == predicted).reshape(8, 5).mean(axis=1)
    assert display.scores[0] == pytest.approx(means.mean())
    assert display.errors[0] == pytest.approx(means.std(ddof=1) / np.sqrt(8))


def test_predictions_are_scored_by_the_metric():
    """Check scores and name of a metric, and that there are no error bars without groups."""
    y = np.array([0, 1, 1, 0])
    predictions = {0: [1, 1, 0, 0], 2: [0, 1, 0, 0], None: y}
    display = ContextAblationDisplay.from_predictions(y, predictions, metric=f1_score)
    np.testing.assert_allclose(display.scores, [0.5, 2 / 3, 1.0])
    assert np.isnan(display.errors).all()
    assert [tick.get_text() for tick in display.ax_.get_xticklabels()] == ["0", "2", "all"]
    assert display.ax_.get_ylabel() == "f1 score"
    np.testing.assert_array_equal(display.line_.get_ydata(), display.scores)


def test_axes_and_style_of_the_user_are_used():
    """Check that no other figure is made, and that keywords are passed to errorbar."""
    figure, ax = plt.subplots()
    display = ContextAblationDisplay.from_predictions([0, 1], {0: [0, 1]}, ax=ax)
    assert display.plot(ax=ax, color="red") is display
    assert display.ax_ is ax
    assert display.line_.get_color() == "red"
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize(
    ("context_sizes", "error", "match"),
    [
        (3, TypeError, "context_sizes=3 must be a tuple"),
        ("12", TypeError, "context_sizes='12' must be a tuple"),
        ((0.5,), TypeError, "context_sizes has 0.5, but integers and None"),
        ((True,), TypeError, "context_sizes has True, but integers and None"),
        ((-1,), ValueError, "context_sizes has -1, but a number of rows cannot be negative"),
        ((), ValueError, "context_sizes is empty"),
    ],
)
def test_context_sizes_are_checked(new_talks, context_sizes, error, match):
    """Check the errors for values that are not numbers of rows."""
    with pytest.raises(error, match=match):
        ContextAblationDisplay.from_estimator(
            fit_talks(), new_talks, new_talks["target"], context_sizes=context_sizes
        )


def test_input_without_context_is_refused(new_talks):
    """Check the errors for missing groups, a short y, and predictions that are not a dict."""
    alone = ContextMemoryClassifier(random_state=0).fit(["a", "b"] * 9, [0, 1] * 9)
    with pytest.raises(ValueError, match="X comes without groups"):
        ContextAblationDisplay.from_estimator(alone, ["a", "b"], [0, 1])
    with pytest.raises(ValueError, match="y has 2 values, but there are"):
        ContextAblationDisplay.from_estimator(fit_talks(), new_talks, [0, 1])
    with pytest.raises(TypeError, match="predictions is a list, but a dict"):
        ContextAblationDisplay.from_predictions([0, 1], [[0, 1]])
    with pytest.raises(ValueError, match=r"predictions\[2\] has 1 values, but there are 2"):
        ContextAblationDisplay.from_predictions([0, 1], {0: [0, 1], 2: pd.Series([0])})
