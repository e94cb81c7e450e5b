"""Paired comparison of context memory with the best baseline, and recalls, from predictions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmarks.measuring.metrics import recalls
from benchmarks.measuring.store import Key, Store
from benchmarks.models.build import is_baseline
from sk_ctxmem.comparison import paired_interval

COMPARISON_COLUMNS = (
    "corpus",
    "model",
    "baseline",
    "difference",
    "low",
    "high",
    "n_rows",
    "n_groups",
)


def compare_all(store: Store, keys: Sequence[Key]) -> pd.DataFrame:
    """Compare each context memory with the best baseline of its corpus.

    The best baseline has the highest mean accuracy on the scored rows, which slightly favors the
    baselines.

    Parameters
    ----------
    store : Store
        Store of the predictions.

    keys : sequence of Key
        Results to compare; failed ones are left out.

    Returns
    -------
    DataFrame
        One row per corpus and context memory, with the difference of the accuracies (between -1
        and 1, positive if context memory is better) and its 95 % confidence interval.
    """
    rows = []
    correct, groups = read_correct(store, keys)
    for corpus in dict.fromkeys(corpus for corpus, _ in correct):
        of_corpus = {model: rows for (name, model), rows in correct.items() if name == corpus}
        baselines = [model for model in of_corpus if is_baseline(model)]
        if not baselines:
            continue
        best = max(baselines, key=lambda model: of_corpus[model].mean())
        for model in of_corpus:
            if not is_baseline(model):
                difference = of_corpus[model] - of_corpus[best]
                low, high = paired_interval(difference, groups[corpus])
                sizes = (len(difference), len(np.unique(groups[corpus])))
                rows.append((corpus, model, best, difference.mean(), low, high, *sizes))
    return pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))


def read_correct(
    store: Store, keys: Sequence[Key]
) -> tuple[dict[tuple[str, str], np.ndarray], dict[str, np.ndarray]]:
    """Mean correctness of each row over seeds, by corpus and model; groups of rows, by corpus."""
    of_seeds: dict[tuple[str, str], list[np.ndarray]] = {}
    groups = {}
    for key in keys:
        if store.find(key):
            predictions = store.read_predictions(key)
            is_correct = predictions["true"] == predictions["predicted"]
            if is_correct.ndim == 2:  # of several labels, all have to be right
                is_correct = is_correct.all(axis=1)
            of_seeds.setdefault((key.corpus, key.model), []).append(is_correct)
            groups[key.corpus] = predictions["group"]
    return {names: np.mean(seeds, axis=0) for names, seeds in of_seeds.items()}, groups


def recalls_of_all(store: Store, keys: Sequence[Key]) -> pd.DataFrame:
    """Recall of each class: one row per result and class, without failed results."""
    tables = []
    for key in keys:
        if store.find(key):
            predictions = store.read_predictions(key)
            table = recalls(predictions["true"], predictions["predicted"])
            table["class"] = predictions["classes"][table["class"]]
            tables.append(table.assign(corpus=key.corpus, model=key.model, seed=key.seed))
    columns = ["corpus", "model", "seed", "class", "support", "recall"]
    return pd.concat(tables)[columns] if tables else pd.DataFrame(columns=columns)
