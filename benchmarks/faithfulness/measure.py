"""Do explanations name what counts? ``python -m benchmarks.faithfulness``.

Words of a text are ordered by what an explanation says that they contribute to the predicted
class. If it is right, the probability of that class falls when the first words are taken away
(comprehensiveness, the more the better), stays when they alone are left (sufficiency, the less is
lost the better), and falls fast as one after the other goes (area under that curve, the less the
better; DeYoung et al., 2020). Earlier rows of a conversation are ordered and emptied likewise.

A word is taken away from the text, not from the features: the vectorizer reads what is left.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmarks.command_line import add_data_option
from benchmarks.comparison.__main__ import positive_number, whole_numbers
from benchmarks.corpora.corpus import Corpus, split_by_group
from benchmarks.corpora.files import Columns, load_files
from benchmarks.faithfulness.edits import Edit, Views, draw_views, predict_edits
from benchmarks.measuring.files import write_atomically
from benchmarks.measuring.processes import call_in_process
from benchmarks.models.build import build_model, search_baseline

METHODS = ("integrated_gradients", "leave_one_out", "gradient_times_input")
RANDOM, ATTENTION, COEFFICIENTS = "random", "attention", "coefficients of lr"
LR_ITSELF = "lr, by its coefficients"
SHARES = np.arange(1, 11) / 10  # of the words that are taken away, for the curve
MEASURED_SHARES = (0.1, 0.2, 0.5)  # for comprehensiveness and sufficiency
MEASURED_ROWS = (1, 2, 3)  # earlier rows that are emptied, or alone kept
LEAST_WORDS = 5
N_BEFORE = (4, 30)  # rows before an explained one: with more of them, a run takes hours

Scores = list[np.ndarray]  # for each explained row what each word, or earlier row, contributes


def measure(corpus: Corpus, split: str, n_rows: int, seed: int) -> list[dict[str, Any]]:
    """Fit on training rows, and measure each order on rows drawn from a split."""
    from sk_ctxmem.inspection import word_contributions

    train = corpus.part("train")
    name = "context-memory (past)" if corpus.has_groups else "context-memory"
    model = build_model(name, train, seed).fit(train, train["label"])
    valid = corpus.part("valid")
    parts = (train, valid) if len(valid) else split_by_group(train, test_size=0.2)
    lr = build_model("lr", train, seed, search_baseline("lr", *parts)).fit(train, train["label"])

    def is_long_enough(text: str) -> bool:
        return len(word_contributions(text, NO_LINES)[0]) >= LEAST_WORDS

    views = draw_views(
        corpus.part(split), n_rows, seed, n_before=N_BEFORE, is_long_enough=is_long_enough
    )
    targets = predicted(model, views)
    explanations = {m: explain(model, views, m) for m in METHODS}
    random = np.random.default_rng(seed)
    orders = {m: own_words(model, views, lines) for m, lines in explanations.items()}
    sizes = [len(scores) for scores in orders[METHODS[0]]]
    orders[COEFFICIENTS] = lr_words(lr, views, model.classes[targets])
    orders[RANDOM] = [random.random(size) for size in sizes]
    results = measure_words(model, views, targets, orders)
    if corpus.has_groups:
        rows = {m: earlier_rows(views, lines) for m, lines in explanations.items()}
        lines = explanations[METHODS[0]]
        rows[ATTENTION] = earlier_rows(views, lines, "attention")
        rows[RANDOM] = [random.random(length - 1) for length in views.lengths]
        results += measure_rows(model, views, targets, rows)
    alone = views.alone()
    by_lr = predicted(lr, alone)
    results += measure_words(lr, alone, by_lr, {LR_ITSELF: lr_words(lr, alone, lr.classes[by_lr])})
    return [{"corpus": corpus.name, "seed": seed} | result for result in results]


NO_LINES = pd.DataFrame({"row": [], "source": [], "feature": [], "contribution": []})


def predicted(model: Any, views: Views) -> np.ndarray:
    """Return the number of the class that is predicted for the last row of each view."""
    return np.asarray(model.predict_proba(views.frame)).argmax(axis=1)[views.lasts]


def explain(model: Any, views: Views, method: str) -> list[pd.DataFrame]:
    """Return the lines of the explanation of the last row of each view."""
    lines = model.explain(views.frame, rows=views.lasts, method=method)
    by_row = dict(iter(lines.groupby("row")))
    return [by_row[row] for row in views.lasts]


def own_words(model: Any, views: Views, explanations: list[pd.DataFrame]) -> Scores:
    """Return what each word of the explained rows contributes."""
    from sk_ctxmem.inspection import word_contributions

    vectorizer = model.classifier.vectorizer_
    scores = []
    for text, lines in zip(views.texts, explanations, strict=True):
        words, _ = word_contributions(text, lines[lines["feature"].notna()], vectorizer)
        scores.append(np.array([word.contribution for word in words]))
    return scores


def lr_words(lr: Any, views: Views, classes: np.ndarray) -> Scores:
    """Return the sum of the coefficients of each word, times the values of its n-grams."""
    from sk_ctxmem.inspection import word_contributions

    names = lr.vectorizer.get_feature_names_out()
    scores = []
    for text, name in zip(views.texts, classes, strict=True):
        features = lr.vectorizer.transform([text]).tocsr()
        weights = coefficients(lr, name)[features.indices] * features.data
        parts = {"row": 0, "source": "ngram", "feature": names[features.indices]}
        words, _ = word_contributions(
            text, pd.DataFrame(parts | {"contribution": weights}), lr.vectorizer
        )
        scores.append(np.array([word.contribution for word in words]))
    return scores


def coefficients(lr: Any, name: Any) -> np.ndarray:
    """Return the coefficients of a class; those of two classes are each other's opposite."""
    number = int(np.flatnonzero(lr.classes == name)[0])
    if len(lr.classes) == 2:
        return lr.linear.coef_[0] * (1 if number == 1 else -1)
    return lr.linear.coef_[number]


def earlier_rows(
    views: Views, explanations: list[pd.DataFrame], column: str = "contribution"
) -> Scores:
    """Return what each earlier row contributes to the explained ones, or its attention."""
    scores = []
    firsts = views.lasts - views.lengths + 1
    for first, length, lines in zip(firsts, views.lengths, explanations, strict=True):
        of_rows = lines[lines["source"] == "row"].set_index("from_row")[column]
        scores.append(of_rows.reindex(range(first, first + length - 1)).to_numpy())
    return scores


def measure_words(
    model: Any, views: Views, targets: np.ndarray, orders: dict[str, Scores]
) -> list[dict[str, Any]]:
    """Take words away from the explained rows, or all others, in each order."""
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
    """Empty the texts of earlier rows, or of all others, in each order."""
    firsts = views.lasts - views.lengths + 1
    texts = views.frame["text"].tolist()

    def edit(view: int, kept: np.ndarray) -> Edit:
        first = firsts[view]
        return Edit(view, {n: texts[first + n] if keep else "" for n, keep in enumerate(kept)})

    def counts(size: int) -> tuple[np.ndarray, np.ndarray]:
        return np.arange(1, size + 1), np.minimum(MEASURED_ROWS, size)

    return _measure("earlier rows", model, views, targets, orders, edit, counts)


def _measure(
    what: str,
    model: Any,
    views: Views,
    targets: np.ndarray,
    orders: dict[str, Scores],
    edit: Callable[[int, np.ndarray], Edit],
    counts: Callable[[int], tuple[np.ndarray, np.ndarray]],
) -> list[dict[str, Any]]:
    """Measure each order on each view.

    `edit` makes the edit of a view that keeps some of its parts; `counts` says of how many parts,
    the first ones of the order, to do without for the curve, and for the two measures.
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
        for view, part in enumerate(np.split(found, ends[:-1])):
            figures = _figures(whole[view], part, *plans[view])
            results.append({"what": what, "order": order, "row": view} | figures)
    return results


def _figures(
    whole: float, found: np.ndarray, curve: np.ndarray, measured: np.ndarray
) -> dict[str, float]:
    """Return the three measures of one order of one row."""
    without, only = found[: len(curve)], found[len(curve) :]
    fallen = without[np.searchsorted(curve, measured)]
    path = np.concatenate([[whole], without])
    return {
        "comprehensiveness": float(np.mean(whole - fallen)),
        "sufficiency": float(np.mean(whole - only)),
        "area": float((path[1:] + path[:-1]).mean() / 2),
    }


def word_spans(text: str) -> list[tuple[int, int]]:
    """Return where the words of a text stand."""
    from sk_ctxmem.inspection import word_contributions

    return [(word.start, word.end) for word in word_contributions(text, NO_LINES)[0]]


def keep_words(text: str, spans: Sequence[tuple[int, int]], kept: np.ndarray) -> str:
    """Return a text with a space in the place of each word that is not kept."""
    pieces, end = [], 0
    for (start, stop), keep in zip(spans, kept, strict=True):
        pieces += [text[end:start], text[start:stop] if keep else " "]
        end = stop
    return "".join([*pieces, text[end:]])


def summarise(results: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard error in points of probability: a line per corpus, parts and order."""
    by = ["corpus", "what", "order"]
    columns = ["comprehensiveness", "sufficiency", "area"]
    grouped = (100 * results.set_index(by)[columns]).groupby(by, sort=False)
    shown = grouped.mean().map("{:.1f}".format) + grouped.sem().map(" ± {:.1f}".format)
    return shown.reset_index()


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faithfulness", description=__doc__)
    add_data_option(parser)
    parser.add_argument("--rows", type=positive_number, help="training rows, about")
    parser.add_argument("--sample", type=positive_number, default=200, help="rows to explain")
    parser.add_argument("--score", choices=("test", "valid"), default="test", help="split of them")
    parser.add_argument("--seeds", type=whole_numbers, default=[0])
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return 2 when the data cannot be read."""
    options = build_parser().parse_args(arguments)
    try:
        corpora = load_files(options.data, Columns())
        if options.rows:
            corpora = [corpus.first_train_rows(options.rows) for corpus in corpora]
        results = run(corpora, options)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(summarise(results).to_string(index=False))
    return 0


def run(corpora: list[Corpus], options: argparse.Namespace) -> pd.DataFrame:
    """Measure each corpus with each seed, and write what there is after each."""
    options.output.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for corpus, seed in tqdm(list(product(corpora, options.seeds)), unit="fit"):
        rows += call_in_process(measure, corpus, options.score, options.sample, seed)
        content = pd.DataFrame(rows).to_csv(index=False).encode()
        write_atomically(options.output / "faithfulness.csv", content)
    return pd.DataFrame(rows)
