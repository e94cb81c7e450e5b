"""Label errors found: labels flipped at random, ``python -m benchmarks.labels``.

A share of the labels of the training rows is exchanged for another class, drawn at random.
`suspect_labels` ranks all rows by probabilities of models that have not seen them, and what
counts is how many of the flipped labels stand among the first tenth. Logistic regression has its
C chosen by accuracy on a fifth of the rows, on the labels as they are, flipped ones included;
context memory has its defaults.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.pipeline import make_pipeline
from tqdm import tqdm

from benchmarks.command_line import add_data_option
from benchmarks.comparison.__main__ import whole_numbers
from benchmarks.corpora.corpus import Corpus, feature_columns, split_by_group, take_whole_groups
from benchmarks.corpora.files import Columns, load_files
from benchmarks.measuring.files import write_atomically
from benchmarks.measuring.processes import call_in_process
from benchmarks.models.build import CONTEXTS
from benchmarks.models.context_memory import ContextMemory
from benchmarks.models.features import make_vectorizer
from benchmarks.models.linear import one_blas_thread
from sk_ctxmem.inspection import suspect_labels

SHARE_FLIPPED, SHARE_LOOKED_AT = 0.05, 0.1
STRENGTHS = (1.0, 10.0, 100.0)
BASELINE = "lr"


def flip_labels(labels: pd.Series, seed: int) -> tuple[pd.Series, np.ndarray]:
    """Return labels of which a share is another class, and which these are."""
    random = np.random.default_rng(seed)
    classes, numbers = np.unique(labels, return_inverse=True)
    flipped = random.random(len(labels)) < SHARE_FLIPPED
    steps = random.integers(1, len(classes), size=len(labels))
    numbers = np.where(flipped, (numbers + steps) % len(classes), numbers)
    return pd.Series(classes[numbers], index=labels.index), flipped


def build_models(frame: pd.DataFrame, labels: pd.Series, seed: int) -> dict[str, Any]:
    """Return logistic regression, and context memory with each context that the rows have."""
    contexts = [f" ({context})" for context in CONTEXTS] if "group" in frame else [""]
    names = [f"context-memory{context}" for context in contexts]
    ours = {name: ContextMemory(name, frame, seed).classifier for name in names}
    return {BASELINE: search_logistic_regression(frame, labels)} | ours


def search_logistic_regression(frame: pd.DataFrame, labels: pd.Series) -> Any:
    """Return logistic regression on n-grams with the best of a few values of C."""
    train, test = split_by_group(frame, test_size=0.2)
    models = [make_logistic_regression(frame, C) for C in STRENGTHS]
    fitted = [model.fit(train, labels[train.index]) for model in models]
    accuracies = [accuracy_score(labels[test.index], model.predict(test)) for model in fitted]
    return models[int(np.argmax(accuracies))]


def make_logistic_regression(frame: pd.DataFrame, C: float) -> Any:
    """Return n-grams of the column of texts and logistic regression."""
    features = make_column_transformer((make_vectorizer(frame["text"]), "text"))
    return make_pipeline(features, LogisticRegression(C=C, max_iter=300))


def measure(corpus: Corpus, n_rows: int, seed: int) -> list[dict[str, Any]]:
    """Flip labels, and count those that each model finds."""
    rows = take_whole_groups(corpus.part("train"), n_rows, seed).reset_index(drop=True)
    labels, flipped = flip_labels(rows["label"], seed)
    frame = rows[feature_columns(rows)]
    groups = frame.get("group")
    points = []
    with one_blas_thread():
        for name, model in build_models(frame, labels, seed).items():
            X = frame if name == BASELINE or groups is not None else frame["text"].tolist()
            table = suspect_labels(model, X, labels, groups=groups)
            point = {"corpus": corpus.name, "model": name, "seed": seed, "rows": len(rows)}
            points.append(point | count_found(table, flipped))
    return points


def count_found(table: pd.DataFrame, flipped: np.ndarray) -> dict[str, Any]:
    """Return what a table of suspects says of labels that are known to be flipped."""
    first = table["row"].head(int(SHARE_LOOKED_AT * len(table)))
    suspects = table.loc[table["is_suspect"], "row"]
    return {
        "flipped": int(flipped.sum()),
        "found": flipped[first].sum() / flipped.sum(),
        "suspects": len(suspects),
        "suspects_flipped": flipped[suspects].mean() if len(suspects) else np.nan,
    }


def summarise(results: pd.DataFrame) -> pd.DataFrame:
    """Mean over seeds: shares in %, a line per corpus and model."""
    means = results.groupby(["corpus", "model"], sort=False).mean(numeric_only=True)
    shares = 100 * means[["found", "suspects_flipped"]]
    names = {
        "found": f"found in the first {SHARE_LOOKED_AT:.0%}",
        "suspects_flipped": "flipped among suspects",
    }
    table = means[["rows"]].astype(int).join(shares.map("{:.1f}".format).rename(columns=names))
    return table.reset_index()


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.labels", description=__doc__)
    add_data_option(parser)
    parser.add_argument("--rows", type=int, default=20_000, help="most training rows, whole groups")
    parser.add_argument("--seeds", type=whole_numbers, default=[0])
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return 2 when the data cannot be read."""
    options = build_parser().parse_args(arguments)
    try:
        corpora = load_files(options.data, Columns())
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    options.output.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for corpus, seed in tqdm(list(product(corpora, options.seeds)), unit="point"):
        rows += call_in_process(measure, corpus, options.rows, seed)
        results = pd.DataFrame(rows)
        write_atomically(options.output / "labels.csv", results.to_csv(index=False).encode())
    print(summarise(results).to_string(index=False))
    return 0
