"""Predictions after words or earlier rows are removed in the order of their contributions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.corpora.corpus import Corpus, split_by_group
from benchmarks.faithfulness.edits import Edit, Views, draw_views, keep_words, predict_edits
from benchmarks.faithfulness.explanations import (
    ATTENTION,
    COEFFICIENTS,
    METHODS,
    RANDOM,
    Scores,
    earlier_rows,
    explain,
    lr_words,
    own_words,
    word_spans,
)
from benchmarks.models.build import build_model, search_baseline

LR_ITSELF = "lr, by its coefficients"
SHARES = np.arange(1, 11) / 10  # shares of the words that are removed, for the curve
MEASURED_SHARES = (0.1, 0.2, 0.5)  # for comprehensiveness and sufficiency
MEASURED_ROWS = (1, 2, 3)  # numbers of earlier rows that are emptied, or that alone are kept
LEAST_WORDS = 5
N_BEFORE = (4, 30)  # rows before an explained one; with more of them, a run takes hours


def measure(corpus: Corpus, split: str, n_rows: int, seed: int) -> list[dict[str, Any]]:
    """Fit on training rows, and measure each order on rows drawn from a split."""
    model, lr = fit_models(corpus, seed)
    views = draw_views(
        corpus.part(split),
        n_rows,
        seed,
        n_before=N_BEFORE,
        is_long_enough=lambda text: len(word_spans(text)) >= LEAST_WORDS,
    )
    targets = predicted_classes(model, views)
    explanations = {method: explain(model, views, method) for method in METHODS}
    random = np.random.default_rng(seed)
    orders = {method: own_words(model, views, lines) for method, lines in explanations.items()}
    sizes = [len(scores) for scores in orders[METHODS[0]]]
    orders[COEFFICIENTS] = lr_words(lr, views, model.classes[targets])
    orders[RANDOM] = [random.random(size) for size in sizes]
    results = measure_words(model, views, targets, orders)
    if corpus.has_groups:
        rows = {method: earlier_rows(views, lines) for method, lines in explanations.items()}
        rows[ATTENTION] = earlier_rows(views, explanations[METHODS[0]], "attention")
        rows[RANDOM] = [random.random(length - 1) for length in views.lengths]
        results += measure_rows(model, views, targets, rows)
    results += measure_lr(lr, views.alone())
    return [{"corpus": corpus.name, "seed": seed} | result for result in results]


def fit_models(corpus: Corpus, seed: int) -> tuple[Any, Any]:
    """Fit context memory and logistic regression on the training rows."""
    train, valid = corpus.part("train"), corpus.part("valid")
    name = "context-memory (past)" if corpus.has_groups else "context-memory"
    model = build_model(name, train, seed).fit(train, train["label"])
    parts = (train, valid) if len(valid) else split_by_group(train, test_size=0.2)
    lr = build_model("lr", train, seed, search_baseline("lr", *parts)).fit(train, train["label"])
    return model, lr


def measure_lr(lr: Any, views: Views) -> list[dict[str, Any]]:
    """Measure the order of the coefficients on logistic regression itself."""
    targets = predicted_classes(lr, views)
    return measure_words(lr, views, targets, {LR_ITSELF: lr_words(lr, views, lr.classes[targets])})


def predicted_classes(model: Any, views: Views) -> np.ndarray:
    """Return the number of the predicted class for the last row of each view."""
    return np.asarray(model.predict_proba(views.frame)).argmax(axis=1)[views.lasts]


def measure_words(
    model: Any, views: Views, targets: np.ndarray, orders: dict[str, Scores]
) -> list[dict[str, Any]]:
    """Remove words, or all other words, from the explained rows in each order."""
    spans = [word_spans(text) for text in views.texts]

    def edit(view: int, kept: np.ndarray) -> Edit:
        text = keep_words(views.texts[view], spans[view], kept)
        return Edit(view, {int(views.lengths[view]) - 1: text})

    def counts(size: int) -> tuple[np.ndarray, np.ndarray]:
        return np.ceil(SHARES * size).astype(int), np.ceil(np.array(MEASURED_SHARES) * size)

    return _measure("words", model, views, targets, orders, edit, counts)


def measure_rows(
    model: Any, views: Views, targets: np.ndarray, orders: dict[str, Scores]
) -> list[dict[str, Any]]:
    """Empty the texts of earlier rows, or of all other earlier rows, in each order."""
    firsts = views.lasts - views.lengths + 1
    texts = views.frame["text"].tolist()

    def edit(view: int, kept: np.ndarray) -> Edit:
        first = firsts[view]
        return Edit(view, {n: texts[first + n] if keep else "" for n, keep in enumerate(kept)})

    def counts(size: int) -> tuple[np.ndarray, np.ndarray]:
        return np.arange(1, size + 1), np.minimum(MEASURED_ROWS, size)

    return _measure("earlier rows", model, views, targets, orders, edit, counts)


def _measure(
    part: str,
    model: Any,
    views: Views,
    targets: np.ndarray,
    orders: dict[str, Scores],
    edit: Callable[[int, np.ndarray], Edit],
    counts: Callable[[int], tuple[np.ndarray, np.ndarray]],
) -> list[dict[str, Any]]:
    """Measure each order on each view.

    Parameters
    ----------
    part : str
        Name of the parts in the table: words or earlier rows.

    model : Model
        A fitted model.

    views : Views
        The explained rows with their earlier rows.

    targets : ndarray of shape (n_views,)
        Number of the predicted class of each view.

    orders : dict of str to list of ndarray
        Contributions of the parts of each view, by name of the order.

    edit : callable
        Returns the edit of a view that keeps the parts of a mask.

    counts : callable
        Returns, for a number of parts, the numbers of first parts to remove: those for the curve,
        and those for comprehensiveness and sufficiency.
    """
    whole = predict_edits(model, views, [Edit(view, {}) for view in range(len(targets))], targets)
    results = []
    for order, all_scores in orders.items():
        edits, plans = [], []
        for view, scores in enumerate(all_scores):
            ranks = np.argsort(np.argsort(-scores, kind="stable"))
            curve, measured = counts(len(scores))
            plans.append((curve, measured))
            edits += [edit(view, ranks >= count) for count in curve]
            edits += [edit(view, ranks < count) for count in measured]
        found = predict_edits(model, views, edits, targets)
        ends = np.cumsum([len(curve) + len(measured) for curve, measured in plans])
        for view, of_view in enumerate(np.split(found, ends[:-1])):
            figures = _figures(whole[view], of_view, *plans[view])
            results.append({"what": part, "order": order, "row": view} | figures)
    return results


def _figures(
    whole: float, found: np.ndarray, curve: np.ndarray, measured: np.ndarray
) -> dict[str, float]:
    """Return comprehensiveness, sufficiency and area of one order of one row."""
    without, only = found[: len(curve)], found[len(curve) :]
    fallen = without[np.searchsorted(curve, measured)]
    path = np.concatenate([[whole], without])
    return {
        "comprehensiveness": float(np.mean(whole - fallen)),
        "sufficiency": float(np.mean(whole - only)),
        "area": float((path[1:] + path[:-1]).mean() / 2),
    }
