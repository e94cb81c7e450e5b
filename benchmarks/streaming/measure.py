"""A fit of many rows from Parquet files, ``python -m benchmarks.streaming``.

The rows are copies of the training rows of a corpus. Each copy has groups of its own, and some of
its words are replaced by others, so that new n-grams keep coming as in real text. Prints the speed
of both passes, memory while training goes on, and the accuracy on the test rows of the corpus,
beside that of a fit to the corpus itself.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from skorch.callbacks import Callback

from benchmarks.corpora.corpus import Corpus
from benchmarks.corpora.files import Columns, load_files
from benchmarks.measuring.processes import call_in_process
from benchmarks.measuring.resources import peak_memory_mb, resident_bytes
from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.distributed import fit_parquet

SHARE_REPLACED = 0.02  # of the words of a copy
ROW_GROUP_ROWS = 100_000


def write_copies(corpus: Corpus, n_rows: int, folder: Path) -> None:
    """Write a Parquet file for each copy that so many rows take, unless it is there."""
    train = corpus.part("train").drop(columns="split")
    words = [text.split() for text in train["text"]]
    known = np.unique(np.concatenate([np.array(row, dtype=object) for row in words]))
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(-(-n_rows // len(train))):
        path = folder / f"copy-{number:05d}.parquet"
        rows = train[: min(len(train), n_rows - number * len(train))]
        if not path.exists():
            copy = rows.assign(
                text=replace_words(rows["text"].tolist(), words, known, number),
                group=rows["group"].astype(str) + f"-{number}",
            )
            copy.to_parquet(path, index=False, row_group_size=ROW_GROUP_ROWS)


def replace_words(
    texts: list[str], words: list[list[str]], known: np.ndarray, seed: int
) -> list[str]:
    """Replace a share of the words of texts by any of the known ones."""
    random = np.random.default_rng(seed)
    lengths = np.array([len(row) for row in words[: len(texts)]])
    rows = np.repeat(np.arange(len(texts)), lengths)
    places = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    chosen = np.flatnonzero(random.random(len(rows)) < SHARE_REPLACED)
    changed: dict[int, list[str]] = {}
    for word, row, place in zip(
        random.choice(known, len(chosen)), rows[chosen].tolist(), places[chosen], strict=True
    ):
        changed.setdefault(row, list(words[row]))[place] = word
    return [" ".join(changed[row]) if row in changed else text for row, text in enumerate(texts)]


class TenthsPrinter(Callback):
    """Print speed and memory at each tenth of the rows that are trained on."""

    def __init__(self, n_rows: int, started: float) -> None:
        self.n_rows = n_rows
        self.started = started

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Print the speed of the first pass."""
        self.begun_, self.n_done_ = time.perf_counter(), 0
        speed = self.n_rows / (self.begun_ - self.started)
        table = max(parameter.numel() for parameter in net.module_.parameters())
        print(f"first pass: {speed:,.0f} rows per second; largest table {table:,} weights")
        self._print_memory("before training")

    def on_batch_end(self, net: Any, batch: Any = None, training: bool = False, **_: Any) -> None:
        """Count the rows of a batch."""
        if training:
            before, self.n_done_ = self.n_done_, self.n_done_ + len(batch[0])
            if 10 * before // self.n_rows < 10 * self.n_done_ // self.n_rows:
                speed = self.n_done_ / (time.perf_counter() - self.begun_)
                self._print_memory(f"{self.n_done_:,} rows at {speed:,.0f} rows per second")

    def _print_memory(self, what: str) -> None:
        resident, peak = resident_bytes() / 1e9, peak_memory_mb() * 1024**2 / 1e9
        print(f"{what}: resident {resident:.2f} GB, peak so far {peak:.2f} GB", flush=True)


def make_classifier(train: pd.DataFrame, **parameters: Any) -> ContextMemoryClassifier:
    """Return a classifier that reads the columns of a corpus."""
    roles = {"text_column": "text", "group_column": "group", "speaker_column": "speaker"}
    roles = {role: name for role, name in roles.items() if name in train}
    return ContextMemoryClassifier(**roles, random_state=0, **parameters)


def fit_stream(corpus: Corpus, folder: Path, n_rows: int) -> float:
    """Fit one epoch of all copies, and return the accuracy on the test rows in %."""
    test = corpus.part("test")
    printer = TenthsPrinter(n_rows, time.perf_counter())
    classifier = make_classifier(test, max_epochs=1, callbacks=[printer])
    fit_parquet(classifier, folder)
    print(f"whole fit: {time.perf_counter() - printer.started:,.0f} seconds")
    printer._print_memory("at the end")
    return 100 * classifier.score(test, test["label"])


def fit_memory(corpus: Corpus) -> float:
    """Fit the corpus itself with default parameters, and return the accuracy in %."""
    train, test = corpus.part("train"), corpus.part("test")
    classifier = make_classifier(train).fit(train.drop(columns="label"), train["label"])
    return 100 * classifier.score(test, test["label"])


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streaming", description=__doc__)
    parser.add_argument("--data", required=True, help="a Parquet or CSV file with groups")
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--folder", type=Path, required=True, help="where the copies are written")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return 2 when the data cannot be read."""
    options = build_parser().parse_args(arguments)
    try:
        corpus = load_files([options.data], Columns())[0]
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    folder = options.folder / f"{corpus.name}-{options.rows}"
    started = time.perf_counter()
    write_copies(corpus, options.rows, folder)
    print(f"{options.rows:,} rows written in {time.perf_counter() - started:,.0f} seconds")
    streamed = call_in_process(fit_stream, corpus, folder, options.rows)
    in_memory = call_in_process(fit_memory, corpus)
    print(f"accuracy on the test rows: {streamed:.2f} % from {options.rows:,} copied rows in one")
    print(f"epoch, {in_memory:.2f} % from the corpus itself in memory")
    return 0
