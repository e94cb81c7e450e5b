"""A fit of the copies, with its speed and memory, and a fit of the corpus itself."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pandas as pd
from skorch.callbacks import Callback

from benchmarks.corpora.corpus import Corpus
from benchmarks.measuring.resources import peak_memory_mb, resident_bytes
from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.distributed import fit_parquet


def fit_stream(corpus: Corpus, folder: Path, n_rows: int) -> float:
    """Fit all copies for one epoch, and return the accuracy on the test rows in %."""
    test = corpus.part("test")
    printer = TenthsPrinter(n_rows, time.perf_counter())
    classifier = make_classifier(test, max_epochs=1, callbacks=[printer])
    fit_parquet(classifier, folder)
    print(f"whole fit: {time.perf_counter() - printer.started:,.0f} seconds")
    printer.print_memory("at the end")
    return 100 * classifier.score(test, test["label"])


def fit_memory(corpus: Corpus) -> float:
    """Fit the corpus itself with default parameters, and return the accuracy in %."""
    train, test = corpus.part("train"), corpus.part("test")
    classifier = make_classifier(train).fit(train.drop(columns="label"), train["label"])
    return 100 * classifier.score(test, test["label"])


def make_classifier(train: pd.DataFrame, **parameters: Any) -> ContextMemoryClassifier:
    """Return a classifier for the columns of a corpus."""
    roles = {"text_column": "text", "group_column": "group", "speaker_column": "speaker"}
    roles = {role: name for role, name in roles.items() if name in train}
    return ContextMemoryClassifier(**roles, random_state=0, **parameters)


class TenthsPrinter(Callback):
    """Print speed and memory after each tenth of the training rows."""

    def __init__(self, n_rows: int, started: float) -> None:
        self.n_rows = n_rows
        self.started = started

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Print the speed of the first pass."""
        self.start_, self.n_done_ = time.perf_counter(), 0
        speed = self.n_rows / (self.start_ - self.started)
        table = max(parameter.numel() for parameter in net.module_.parameters())
        print(f"first pass: {speed:,.0f} rows per second; largest table {table:,} weights")
        self.print_memory("before training")

    def on_batch_end(self, net: Any, batch: Any = None, training: bool = False, **_: Any) -> None:
        """Count the rows of a batch, and print after each tenth."""
        if training:
            before, self.n_done_ = self.n_done_, self.n_done_ + len(batch[0])
            if 10 * before // self.n_rows < 10 * self.n_done_ // self.n_rows:
                speed = self.n_done_ / (time.perf_counter() - self.start_)
                self.print_memory(f"{self.n_done_:,} rows at {speed:,.0f} rows per second")

    def print_memory(self, moment: str) -> None:
        """Print the memory at a moment of the fit."""
        resident, peak = resident_bytes() / 1e9, peak_memory_mb() * 1024**2 / 1e9
        print(f"{moment}: resident {resident:.2f} GB, peak so far {peak:.2f} GB", flush=True)
