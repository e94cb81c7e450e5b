"""Measure accuracy with columns beside TF-IDF: ``python -m benchmarks.columns``.

The rows are lines of docstrings of NumPy. Beside their TF-IDF are columns as a ColumnTransformer
may return them, most of which tell nothing of the class. Context memory gets them as they are;
logistic regression gets them standardized. With ``--films`` the rows are those of a file of films
instead: titles, and all other columns beside them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from benchmarks.columns.films import measure_films, read_films
from benchmarks.command_line import (
    add_output_option,
    exit_on_bad_input,
    make_parser,
    positive_number,
)
from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import load_docstring_sections


def make_columns(texts: pd.Series, random: np.random.RandomState) -> dict[str, np.ndarray]:
    """Return columns to put beside TF-IDF, by name."""
    n_rows = len(texts)
    lengths = texts.str.len().to_numpy(float)[:, np.newaxis]
    uniform, normal = random.rand(n_rows, 20), random.randn(n_rows, 100)
    return {
        "none": np.empty((n_rows, 0)),
        "length": lengths,
        "length, standardized": StandardScaler().fit_transform(lengths),
        "price from 0 to 1000": 1000 * uniform[:, :1],
        "timestamp": 1.7e9 + 1e7 * uniform[:, :1],
        "constant of 3": np.full((n_rows, 1), 3.0),
        "number in 40 % of rows": np.where(uniform[:, :1] < 0.4, 100 * uniform[:, 1:2], 0),
        "one-hot code of 3": np.eye(3)[random.randint(3, size=n_rows)],
        "20 numbers from 0 to 0.5": uniform / 2,
        "100 of noise, standardized": normal,
    }


def measure(train: pd.DataFrame, test: pd.DataFrame) -> Iterator[dict[str, object]]:
    """Yield the accuracies with each of the columns."""
    vectorizer = TfidfVectorizer().fit(train["text"])
    both = (train, test)
    words = [vectorizer.transform(rows["text"]) for rows in both]
    joined = make_columns(pd.concat(both)["text"], np.random.RandomState(0))
    for name, columns in joined.items():
        parts = columns[: len(train)], columns[len(train) :]
        raw = [sparse.hstack(pair).tocsr() for pair in zip(words, parts, strict=True)]
        scaled = raw
        if columns.shape[1]:
            scaler = StandardScaler().fit(parts[0])
            scaled = [
                sparse.hstack([each, scaler.transform(part)]).tocsr()
                for each, part in zip(words, parts, strict=True)
            ]
        regression = LogisticRegression(max_iter=500).fit(scaled[0], train["target"])
        alone = ContextMemoryClassifier(random_state=0).fit(raw[0], train["target"])
        grouped = ContextMemoryClassifier(random_state=0)
        grouped.fit(raw[0], train["target"], groups=train["group"])
        yield {
            "columns": name,
            "logistic regression": regression.score(scaled[1], test["target"]),
            "context memory, rows alone": alone.score(raw[1], test["target"]),
            "context memory": grouped.score(raw[1], test["target"], groups=test["group"]),
        }


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("columns", __doc__)
    parser.add_argument("--docstrings", type=positive_number, default=400, help="number of them")
    parser.add_argument(
        "--films",
        type=Path,
        metavar="PATH",
        help="movies.json of the npm package vega-datasets, to be measured in place of docstrings",
    )
    add_output_option(parser)
    return parser


def measure_docstrings(n_docstrings: int) -> pd.DataFrame:
    """Return the accuracies on docstrings, of which the first half is for training."""
    frame = load_docstring_sections(packages=("numpy",)).frame
    groups = frame["group"].drop_duplicates()[:n_docstrings]
    first = groups[: len(groups) // 2]
    frame = frame[frame["group"].isin(groups)].reset_index(drop=True)
    is_train = frame["group"].isin(first)
    return pd.DataFrame(measure(frame[is_train], frame[~is_train]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and write it."""
    options = build_parser().parse_args(arguments)
    if options.films:
        with exit_on_bad_input():
            films, genres = read_films(options.films)
        name, results = "films.csv", pd.DataFrame(measure_films(films, genres))
    else:
        name, results = "columns.csv", measure_docstrings(options.docstrings)
    results = results.round(3)
    options.output.mkdir(parents=True, exist_ok=True)
    results.to_csv(options.output / name, index=False)
    print(results.to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
