"""Predictions on engines for many processes: rows per second, and memory of a worker.

::

    python -m benchmarks.scoring --data maptask.parquet --rows 10000000 --output FOLDER

Makes Parquet files out of copies of the conversations of a corpus, which are spread over several
files, fits a classifier on part of it, and predicts all rows with one and with two workers of each
engine, and with one process that reads the files in chunks of whole conversations. Each run has
processes of its own, which start before the clock does. Memory is measured with a tenth of the
rows too: where it stays the same, there may be more rows than fit in memory. The exit status is 1
if an engine fails, or gives another number of rows a class than the one process does.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import psutil

from benchmarks.command_line import add_data_option
from benchmarks.corpora.corpus import Corpus, group_keys, take_whole_groups
from benchmarks.corpora.files import Columns, load_files
from benchmarks.measuring.files import write_atomically
from benchmarks.measuring.processes import call_in_process, describe_error
from benchmarks.scoring.engines import ENGINES, Counts
from sk_ctxmem import ContextMemoryClassifier

TRAIN_ROWS = 5_000
ROWS_OF_A_FILE = 50_000
FILES_OF_A_PART = 8  # over which a conversation is spread
SECONDS_BETWEEN_LOOKS = 0.2
DIFFERENT_ROWS = 1e-5  # share whose class may hang on the last bits of single precision


def fit_model(corpus: Corpus, path: Path) -> None:
    """Fit a classifier on part of the training rows, and write its file."""
    train = add_order(take_whole_groups(corpus.part("train"), TRAIN_ROWS))
    clf = ContextMemoryClassifier(
        text_column="text",
        group_column="group",
        order_column="order",
        speaker_column="speaker" if "speaker" in train else None,
        max_epochs=2,
        random_state=0,
    )
    clf.fit(train, train["label"]).save(path)


def add_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Give each row its place in its conversation, and each group a name."""
    keys = pd.Series(group_keys(frame), index=frame.index)
    order = frame["order"] if "order" in frame else keys.groupby(keys).cumcount()
    return frame.assign(order=order, group=frame["group"].astype(str))


def write_rows(corpus: Corpus, n_rows: int, folder: Path) -> None:
    """Write copies of a corpus, the rows of a conversation spread over the files of a part."""
    folder.mkdir(parents=True)
    rows = add_order(corpus.frame.drop(columns=["label", "split"]).reset_index(drop=True))
    rng = np.random.default_rng(0)
    part_rows = ROWS_OF_A_FILE * FILES_OF_A_PART
    copies = -(-min(part_rows, n_rows) // len(rows))
    for part in range(-(-n_rows // (copies * len(rows)))):
        numbers = range(part * copies, (part + 1) * copies)
        whole = pd.concat([copy_of(rows, number) for number in numbers], ignore_index=True)
        whole = whole[: n_rows - part * len(whole)]
        places = np.array_split(rng.permutation(len(whole)), FILES_OF_A_PART)
        for number, chosen in enumerate(places):
            whole.iloc[chosen].to_parquet(folder / f"{part:05}-{number}.parquet", index=False)


def copy_of(rows: pd.DataFrame, number: int) -> pd.DataFrame:
    """Return a copy with groups of other names."""
    return rows.assign(group=rows["group"] + f" {number}")


class PeakMemory:
    """The largest private memory of a worker, looked at while the block is run.

    Parameters
    ----------
    engine : str
        Key of `ENGINES`: of an engine, the processes below the one that drives it are looked at.
    """

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.worker_mb = 0.0
        self.java_mb = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> PeakMemory:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """End."""
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(SECONDS_BETWEEN_LOOKS):
            for driver in psutil.Process().children():
                with suppress(psutil.Error):  # it has ended
                    below = self.engine != "one process"
                    for process in driver.children(recursive=True) if below else [driver]:
                        self._look_at(process)

    def _look_at(self, process: psutil.Process) -> None:
        try:
            memory, name = process.memory_info(), process.name()
        except psutil.Error:  # it has ended
            return
        # Ray maps its store into each worker, and processes of Spark share what they began with
        used = (memory.rss - getattr(memory, "shared", 0)) / 1024**2
        if name == "java":
            self.java_mb = max(self.java_mb, used)
        else:
            self.worker_mb = max(self.worker_mb, used)


def measure(engine: str, n_workers: int, n_rows: int, model: Path, data: Path) -> dict[str, Any]:
    """Predict on an engine, in processes of its own, and return a row of the table."""
    row: dict[str, Any] = {"engine": engine, "workers": n_workers, "rows": n_rows}
    try:
        with PeakMemory(engine) as peak:
            found = call_in_process(ENGINES[engine], model, data, n_workers, n_rows)
    except Exception as error:
        return row | {"error": describe_error(error)}
    counts, seconds = found
    row |= {"seconds": seconds, "rows_per_second": n_rows / seconds, "counts": counts}
    return row | {"worker_mb": peak.worker_mb, "java_mb": peak.java_mb or np.nan}


def compare(row: dict[str, Any], whole: dict[str, Any]) -> str:
    """Return what is wrong with the counts of an engine, nothing if they are the same."""
    counts: Counts = row["counts"]
    if sum(counts.values()) != row["rows"]:
        return f"{sum(counts.values())} rows were predicted"
    expected = whole.get("counts", {})
    names = {*counts, *expected} if expected else set()
    different = sum(abs(counts.get(name, 0) - expected.get(name, 0)) for name in names) / 2
    if different > DIFFERENT_ROWS * row["rows"]:
        return f"{different:.0f} rows have another class than in one process"
    return ""


def plan(engines: Sequence[str], workers: Sequence[int]) -> list[tuple[str, int]]:
    """List the runs, the one process first."""
    return [("one process", 1)] + [(engine, n) for engine in engines for n in workers]


def measure_all(runs: list[tuple[str, int]], data: dict[int, Path], model: Path, path: Path) -> int:
    """Measure the runs on each number of rows, and write the table; return the exit status."""
    rows: list[dict[str, Any]] = []
    for n_rows, folder in data.items():
        for engine, n_workers in runs:
            row = measure(engine, n_workers, n_rows, model, folder)
            whole = next((done for done in rows if done["rows"] == n_rows), row)
            if "counts" in row:
                row["error"] = compare(row, whole)
            row["ratio"] = row.get("rows_per_second", np.nan) / whole.get("rows_per_second", np.nan)
            rows.append(row)
            table = pd.DataFrame(rows).drop(columns="counts", errors="ignore")
            write_atomically(path, table.to_csv(index=False).encode())
            print(table.tail(1).to_string(index=False), flush=True)
    print(table.round({"seconds": 1, "rows_per_second": 0, "ratio": 2}).to_string(index=False))
    return int(table["error"].astype(bool).any())


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring", description=__doc__)
    add_data_option(parser, "; the first one with groups is taken")
    parser.add_argument("--rows", type=int, default=200_000, help="rows to predict")
    names = [name for name in ENGINES if name != "one process"]
    parser.add_argument("--engines", nargs="+", choices=names, default=names)
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--folder", type=Path, help="where the rows lie meanwhile")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return 1 when an engine fails or differs, and 2 when the data cannot be read."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.rows < 10:
        parser.error(f"--rows {options.rows} must be 10 or more, as a tenth is predicted too")
    try:
        corpora = load_files(options.data, Columns())
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    corpus = next((corpus for corpus in corpora if corpus.has_groups), None)
    if corpus is None:
        print("error: none of the corpora has groups", file=sys.stderr)
        return 2
    options.output.mkdir(parents=True, exist_ok=True)
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=options.folder) as folder:
        model = Path(folder, "model.ctxmem")
        call_in_process(fit_model, corpus, model)
        data = {n: Path(folder, f"rows_{n}") for n in (options.rows // 10, options.rows)}
        for n_rows, place in data.items():
            write_rows(corpus, n_rows, place)
        runs = plan(options.engines, options.workers)
        return measure_all(runs, data, model, options.output / "scoring.csv")
