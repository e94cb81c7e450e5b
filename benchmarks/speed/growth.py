"""Table "growth": time per row or word with more rows, longer texts and longer groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.corpora.corpus import Corpus, feature_columns
from benchmarks.measuring.resources import timed
from benchmarks.models.features import make_tokenizer
from benchmarks.speed import processes
from benchmarks.speed.models import Ours
from benchmarks.speed.tasks import (
    Row,
    Settings,
    Task,
    first_with_groups,
    resample_groups,
    resample_rows,
)

ROWS, WORDS, GROUPS = "rows", "words per text", "rows per group"
PANELS = (ROWS, WORDS, GROUPS)
UNITS = {ROWS: "row", WORDS: "word", GROUPS: "row"}
SIZES: dict[str, tuple[int, ...]] = {
    ROWS: (10_000, 100_000, 1_000_000),
    WORDS: (10, 100, 1_000, 10_000),
    GROUPS: (1, 10, 100, 1_000, 5_000),
}
QUICK_SIZES: dict[str, tuple[int, ...]] = {ROWS: (300, 3_000), WORDS: (10, 100), GROUPS: (1, 10)}
TOTALS = {WORDS: 2_000_000, GROUPS: 20_000}
QUICK_TOTALS = {WORDS: 4_000, GROUPS: 400}

FEWEST_TEXTS = 100
N_CLASSES = 5
MEMORIES = ("gru", "mingru")
ENOUGH_SECONDS = 120.0  # a point that has taken as long is not repeated


@dataclass(frozen=True)
class Point:
    """Rows of one size of a panel.

    Parameters
    ----------
    panel : str
        Quantity that grows.

    size : int
        Approximate value of that quantity.

    memory : {"gru", "mingru"}
        Kind of the memory.

    n_units : int
        Number of rows or words, by which the time is divided.

    fit : callable
        Returns a classifier fitted on the rows.

    X : DataFrame or list of str
        Input of `fit`, also used for predict.
    """

    panel: str
    size: int
    memory: str
    n_units: int
    fit: Callable[[], Any]
    X: Any


def plan_growth(corpora: Sequence[Corpus], settings: Settings) -> list[Task]:
    """List one task per panel, on the first corpus with groups."""
    corpus = first_with_groups(corpora)
    return [
        Task(f"{corpus.name}, {panel}", partial(measure_growth, corpus, panel, settings))
        for panel in PANELS
    ]


def measure_growth(corpus: Corpus, panel: str, settings: Settings) -> list[Row]:
    """Time the points of a panel in one child process."""
    sizes = settings.choose(SIZES, QUICK_SIZES)[panel]
    total = settings.choose(TOTALS, QUICK_TOTALS).get(panel, 0)
    arguments = (corpus.part("train"), panel, sizes, total, settings.repeats)
    with processes.Child(time_growth, *arguments) as child:
        columns = ["size", "memory", "n_units", "fit", "predict"]
        frame = pd.DataFrame(list(child), columns=columns)
    points = frame.groupby(["memory", "size"], as_index=False).agg(
        n_units=("n_units", "first"),
        rounds=("fit", "size"),
        fit_seconds=("fit", "median"),
        predict_seconds=("predict", "median"),
    )
    points.insert(0, "corpus", corpus.name)
    points.insert(1, "panel", panel)
    points.insert(5, "unit", UNITS[panel])
    return [dict(point) for _, point in add_relative(points).iterrows()]


def add_relative(points: pd.DataFrame) -> pd.DataFrame:
    """Add times per unit, and their ratios to that of the smallest size, to points of one panel."""
    for step in ("fit", "predict"):
        per_unit = points[f"{step}_seconds"] / points["n_units"]
        smallest = per_unit.groupby(points["memory"]).transform("first")
        points[f"{step}_microseconds_per_unit"] = 1e6 * per_unit
        points[f"{step}_relative"] = per_unit / smallest
    return points


def time_growth(
    train: pd.DataFrame, panel: str, sizes: Sequence[int], total: int, repeats: int
) -> Iterator[tuple[int, str, int, float, float]]:
    """Fit all points of a panel once per round.

    Parameters
    ----------
    train : DataFrame
        Rows of a corpus, from which the rows of the points are drawn.

    panel : str
        Quantity that grows.

    sizes : sequence of int
        Sizes in increasing order.

    total : int
        Number of words or rows of each point; unused if the number of rows grows.

    repeats : int
        Number of rounds; slow points have fewer.

    Yields
    ------
    tuple
        Size, memory, number of units, seconds of fit and seconds of predict.
    """
    points = make_points(train, panel, sizes, total)
    points[0].fit()  # warms up
    spent = [0.0] * len(points)
    for _ in range(repeats):
        for i, point in enumerate(points):
            if spent[i] > ENOUGH_SECONDS:
                continue
            classifier, fit_seconds = timed(point.fit)
            _, predict_seconds = timed(classifier.predict, point.X)
            spent[i] += fit_seconds + predict_seconds
            yield point.size, point.memory, point.n_units, fit_seconds, predict_seconds


def make_points(train: pd.DataFrame, panel: str, sizes: Sequence[int], total: int) -> list[Point]:
    """Make the points of a panel, in increasing size."""
    if panel == ROWS:
        return [make_rows_point(train, size) for size in sizes]
    if panel == WORDS:
        return [make_words_point(train, size, total) for size in sizes]
    rows = resample_rows(train, total)
    return [make_groups_point(rows, size, memory) for memory in MEMORIES for size in sizes]


def make_rows_point(train: pd.DataFrame, n_rows: int) -> Point:
    """Resample whole groups with all columns, so that the vocabulary does not grow."""
    frame = resample_groups(train, n_rows)
    model = Ours(frame, seed=0)
    X = frame[feature_columns(frame)] if "group" in frame else frame["text"].tolist()
    return make_point(ROWS, n_rows, len(frame), X, frame["label"], model.classifier)


def make_words_point(train: pd.DataFrame, n_words: int, total: int) -> Point:
    """Texts of random words of the corpus, with the same total number of words at each length."""
    from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer

    tokenizer = make_tokenizer(train["text"])
    words = np.array(list(chain.from_iterable(map(tokenizer, train["text"]))), dtype=object)
    n_texts = max(FEWEST_TEXTS, total // n_words)
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(words, n_words)) for _ in range(n_texts)]
    y = random.permutation(np.arange(n_texts) % N_CLASSES)
    vectorizer = TextSequenceVectorizer(max_length=n_words)
    classifier = ContextMemoryClassifier(vectorizer, random_state=0)
    return make_point(WORDS, n_words, n_texts * n_words, texts, y, classifier)


def make_groups_point(rows: pd.DataFrame, n_rows: int, memory: str) -> Point:
    """Rows in groups of one length."""
    from sk_ctxmem import ContextMemoryClassifier

    X = rows[["text"]].assign(group=np.arange(len(rows)) // n_rows)
    classifier = ContextMemoryClassifier(
        memory=memory, text_column="text", group_column="group", random_state=0
    )
    return make_point(GROUPS, n_rows, len(X), X, rows["label"], classifier)


def make_point(panel: str, size: int, n_units: int, X: Any, y: Any, classifier: Any) -> Point:
    """Point whose classifier is fitted for one epoch on all rows."""
    classifier.set_params(max_epochs=1, n_iter_no_change=None)
    return Point(panel, size, classifier.memory, n_units, partial(classifier.fit, X, y), X)
