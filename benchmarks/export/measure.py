"""A classifier and its export: differences, times of both in turn, and memory."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.corpora.corpus import Corpus, feature_columns, group_keys, sequences
from benchmarks.measuring.resources import timed
from benchmarks.models.context_memory import column_parameters
from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer
from sk_ctxmem.comparison import lacks_spaces, take_whole_groups

MEMORIES = ("gru", "elman", "lstm", "mingru")
TOLERANCE = 1e-5
MB = 1024**2

Row = dict[str, Any]


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Parameters
    ----------
    max_epochs : int
        Epochs of each fit.
    n_rows : int
        Largest number of rows to predict.
    n_turns : int
        Number of turns of conversations.
    n_runs : int
        Number of runs, of which the median is taken.
    """

    max_epochs: int
    n_rows: int
    n_turns: int
    n_runs: int


FULL = Sizes(max_epochs=2, n_rows=10_000, n_turns=2_000, n_runs=5)
QUICK = Sizes(max_epochs=1, n_rows=50, n_turns=20, n_runs=1)

Job = tuple[Corpus, str, str, bool, Sizes]


def plan(corpora: Sequence[Corpus], sizes: Sizes) -> list[Job]:
    """List the models; the first one of each corpus is also timed."""
    jobs: list[Job] = []
    for corpus in corpora:
        models = [("none", "")]
        if corpus.has_groups:
            models = [(context, memory) for context in ("past", "both") for memory in MEMORIES]
            models.append(("none", ""))
        jobs += [(corpus, *model, model == models[0], sizes) for model in models]
    return jobs


def measure(corpus: Corpus, context: str, memory: str, is_timed: bool, sizes: Sizes) -> list[Row]:
    """Fit a classifier, export it, and measure both."""
    train = corpus.part("train")
    rows = Rows(corpus, sizes.n_rows)
    clf = make_classifier(train, context, memory, sizes.max_epochs)
    clf.fit(_input(train), train["label"].to_numpy())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "exported"
        clf.export(folder)
        model = import_runtime(folder).Model(folder, n_threads=1)
        found = measure_differences(clf, model, rows)
        if is_timed:
            found += measure_rows(clf, model, rows, sizes)
            if context == "past":
                found += measure_turns(clf, model, rows, sizes)
            found += measure_first(clf, folder, rows.texts[0], sizes)
    common = {
        "corpus": corpus.name,
        "context": context,
        "memory": memory,
        "n_train": len(train),
        "max_epochs": sizes.max_epochs,
        "n_predicted": len(rows.texts),
    }
    return [common | row for row in found]


def make_classifier(
    train: pd.DataFrame, context: str, memory: str, max_epochs: int
) -> ContextMemoryClassifier:
    """Return a classifier that reads the columns of a corpus."""
    options: dict[str, Any] = {"context": context, "max_epochs": max_epochs, "random_state": 0}
    if memory:
        options["memory"] = memory
    if "group" in train:
        options |= column_parameters(train)
    if lacks_spaces(train["text"]):
        options["vectorizer"] = TextSequenceVectorizer(analyzer="char", ngram_range=(1, 3))
    return ContextMemoryClassifier(**options)


def import_runtime(folder: Path) -> Any:
    """Import the runtime of an export."""
    spec = spec_from_file_location("runtime", folder / "runtime.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Rows:
    """Validation and test rows of a corpus, as classifiers and runtimes take them.

    Parameters
    ----------
    corpus : Corpus
        The corpus.
    n_rows : int
        Largest number of rows; whole groups are taken.
    """

    def __init__(self, corpus: Corpus, n_rows: int) -> None:
        frame = pd.concat([corpus.part("valid"), corpus.part("test")], ignore_index=True)
        if len(frame) > n_rows:
            frame = take_whole_groups(frame, n_rows).reset_index(drop=True)
        frame = frame.iloc[np.concatenate(sequences(frame))].reset_index(drop=True)
        self.X = _input(frame)
        self.texts = frame["text"].tolist()
        self.groups = group_keys(frame).tolist()
        self.speakers = frame["speaker"].tolist() if "speaker" in frame else None

    def predict(self, model: Any) -> np.ndarray:
        """Predict all rows by the runtime."""
        return model.predict_proba(self.texts, groups=self.groups, speakers=self.speakers)


def _input(frame: pd.DataFrame) -> Any:
    return frame[feature_columns(frame)] if "group" in frame else frame["text"].tolist()


def measure_differences(clf: ContextMemoryClassifier, model: Any, rows: Rows) -> list[Row]:
    """Compare the probabilities of all rows."""
    ours, exported = clf.predict_proba(rows.X), rows.predict(model)
    n_other = int((ours.argmax(axis=1) != exported.argmax(axis=1)).sum())
    return [
        {"measure": "largest difference", "exported": float(np.abs(ours - exported).max())},
        {"measure": "rows of another class", "exported": n_other},
    ]


def measure_rows(clf: ContextMemoryClassifier, model: Any, rows: Rows, sizes: Sizes) -> list[Row]:
    """Time the prediction of all rows by one thread each."""
    seconds = _in_turn(
        lambda: timed(clf.predict_proba, rows.X)[1], lambda: timed(rows.predict, model)[1], sizes
    )
    return [_row("rows per second", *(len(rows.texts) / np.median(seconds, axis=0)))]


def measure_turns(clf: ContextMemoryClassifier, model: Any, rows: Rows, sizes: Sizes) -> list[Row]:
    """Time the turns of conversations, each turn by both, one after the other."""
    speakers = rows.speakers or [None] * len(rows.texts)
    turns = list(zip(rows.groups, rows.texts, speakers, strict=True))[: sizes.n_turns]
    model.session().predict_one(rows.texts[0])  # so that its graph is loaded
    seconds: list[list[float]] = []
    group = None
    for number, (of_turn, text, speaker) in enumerate(turns):
        if of_turn != group:
            sessions, group = [clf.session(), model.session()], of_turn
        who = {} if speaker is None else {"speaker": speaker}
        of_both = [0.0, 0.0]
        for place in (0, 1) if number % 2 else (1, 0):
            of_both[place] = timed(partial(sessions[place].predict_one, text, **who))[1]
        seconds.append(of_both)
    quantiles = np.quantile(seconds, [0.5, 0.99], axis=0) * 1000
    names = ("ms of a turn, median", "ms of a turn, 99 of 100")
    return [_row(name, *values) for name, values in zip(names, quantiles, strict=True)]


def measure_first(clf: ContextMemoryClassifier, folder: Path, text: str, sizes: Sizes) -> list[Row]:
    """Time processes up to their first prediction, and read their peak memory."""
    saved = folder.with_name("saved.ctxmem")
    clf.save(saved)
    found = [[_first(path, text) for path in (saved, folder)] for _ in range(sizes.n_runs)]
    seconds, memory = np.median(found, axis=0).T
    return [
        _row("seconds to the first prediction", *seconds),
        _row("MB of memory", *memory),
        _row("MB of files", saved.stat().st_size / MB, _size_of(folder)),
    ]


def _first(path: Path, text: str) -> tuple[float, float]:
    """Return the seconds and the peak memory of a process that predicts one text."""
    command = [sys.executable, "-m", "benchmarks.export.first", str(path), text]
    done, seconds = timed(
        lambda: subprocess.run(command, check=True, capture_output=True, text=True)
    )
    return seconds, float(done.stdout)


def _size_of(folder: Path) -> float:
    """Return the size of the files that rows are predicted from."""
    names = ("model.json", "rows.onnx", "vocabulary.json", "vectorizer.safetensors")
    return sum((folder / name).stat().st_size for name in names) / MB


def _in_turn(
    first: Callable[[], float], second: Callable[[], float], sizes: Sizes
) -> list[list[float]]:
    """Return the seconds of two functions, which are called in turn."""
    return [[function() for function in (first, second)] for _ in range(sizes.n_runs)]


def _row(measure: str, classifier: float, exported: float) -> Row:
    """Return a row of the table, with the share of the exported model."""
    return {
        "measure": measure,
        "classifier": float(classifier),
        "exported": float(exported),
        "ratio": float(exported / classifier),
    }
