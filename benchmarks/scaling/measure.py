"""Fits in one process and in two, and a model of them: ``python -m benchmarks.scaling``.

Steps of several sizes are timed in one process and in two, and so are messages between the two. A
model of compute, exchange and input (`benchmarks/scaling/model.py`) is fitted to them, and
predicts fits in more processes. With ``--parts accuracy``, whole fits of several seeds in one
process and in two are compared by their accuracy on test rows. What was measured before of other
parts is kept, and ``--report`` prints the tables of all.
"""

from __future__ import annotations

import argparse
import json
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV, GroupKFold
from tqdm import tqdm

from benchmarks.command_line import add_data_option
from benchmarks.comparison.__main__ import whole_numbers
from benchmarks.corpora.corpus import Corpus, feature_columns, take_whole_groups
from benchmarks.corpora.files import Columns, load_files
from benchmarks.measuring.files import write_atomically
from benchmarks.scaling.model import (
    Network,
    StepModel,
    check_fit,
    fit_network,
    fit_steps,
    predict_fit,
    predict_scoring,
    predict_search,
)
from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer

BATCH_SIZES = (384, 768, 1536)
PROCESSES = (1, 8, 64, 512)
# Assumed of a cluster: 10 Gbit/s Ethernet, and 50 microseconds for a message.
CLUSTER = Network(latency=50e-6, bandwidth=1.25e9)
CORPUS, BILLION = 192_390, 10**9  # rows: of SwDA, and of what no machine holds
SHORTER = {
    "own rows": "own",
    "fixed part of a step": "fixed",
    "rows of all": "of all",
    "times faster": "faster",
    "handing out tasks": "tasks",
    "workers that wait at the end": "waiting",
}  # as tables have room for
ROOT = Path(__file__).parents[2]


def run_job(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run a job of `worker` in its own process, or in several, and return its result."""
    path = folder / "job.json"
    path.write_text(json.dumps(job), encoding="utf-8")
    starter = []
    if job["n_processes"] > 1:
        starter = ["torch.distributed.run", "--standalone", "-m"]
        starter.insert(2, f"--nproc-per-node={job['n_processes']}")
    command = [sys.executable, "-m", *starter, "benchmarks.scaling.worker", str(path)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    result: dict[str, Any] = json.loads(Path(f"{path}.result").read_text(encoding="utf-8"))
    return result


def write_rows(corpus: Corpus, n_rows: int | None, folder: Path) -> dict[str, Any]:
    """Write training and test rows where the processes read them; return the beginning of jobs."""
    train = corpus.part("train")
    if n_rows is not None:
        train = take_whole_groups(train, n_rows, 0)
    paths = {"train": str(folder / "train.parquet"), "test": str(folder / "test.parquet")}
    train.to_parquet(paths["train"])
    corpus.part("test").to_parquet(paths["test"])
    return paths | {"kind": "fit", "n_rows": len(train)}


def measure_steps(corpus: Corpus, n_rows: int, rounds: int) -> list[dict[str, Any]]:
    """Time messages, and the steps of epochs in one process and in two, side by side."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        job = write_rows(corpus, n_rows, Path(name))
        jobs = [(size, n) for _ in range(rounds) for size in BATCH_SIZES for n in (1, 2)]
        for size, n_processes in tqdm(jobs, unit="fit"):
            params = {"batch_size": size, "max_epochs": 2, "random_state": 0}
            result = run_job(job | params | {"n_processes": n_processes}, Path(name))
            n_steps = -(-job["n_rows"] // size)
            rows.append(
                {
                    "kind": "step",
                    "n_processes": n_processes,
                    "batch_size": size,
                    "rows": job["n_rows"],
                    "seconds": result["epoch_seconds"] / n_steps,
                    "input_seconds": result["input_seconds"],
                }
            )
        sent = run_job({"kind": "send", "n_processes": 2}, Path(name))
        for n_processes in (1, 2):
            params = {"batch_size": 384, "max_epochs": 1, "random_state": 0, "word_memory": True}
            result = run_job(job | params | {"n_processes": n_processes}, Path(name))
            seconds = result["epoch_seconds"] / -(-job["n_rows"] // 384)
            rows.append({"kind": "word step", "n_processes": n_processes, "seconds": seconds})
    for size, seconds in zip(sent["bytes"], sent["seconds"], strict=True):
        rows.append({"kind": "message", "n_processes": 2, "bytes": size, "seconds": seconds})
    texts = take_whole_groups(corpus.part("train"), n_rows, 0)["text"].tolist()
    features = TextSequenceVectorizer().fit_transform(texts).features
    n_classes = corpus.part("train")["label"].nunique()
    row_bytes = 4 + 8 * features.nnz / len(texts) + 4 * (128 + n_classes)
    rows.append({"kind": "row", "bytes": row_bytes})
    return rows


def measure_search(corpus: Corpus, n_rows: int) -> list[dict[str, Any]]:
    """Time a grid search of four fits on one worker of loky and on two."""
    rows = take_whole_groups(corpus.part("train"), n_rows, 0)
    X = rows[feature_columns(rows)]
    clf = ContextMemoryClassifier(
        text_column="text", group_column="group", random_state=0, device="cpu"
    )
    measured = []
    for n_workers in (1, 2):
        search = GridSearchCV(
            clf, {"dropout": [0.1, 0.2]}, cv=GroupKFold(2), n_jobs=n_workers, refit=False
        )
        begun = time.perf_counter()
        search.fit(X, rows["label"], groups=rows["group"])
        seconds = time.perf_counter() - begun
        fit_seconds = float(search.cv_results_["mean_fit_time"].mean())
        measured.append(
            {
                "kind": "search",
                "n_processes": n_workers,
                "rows": len(rows),
                "bytes": len(pickle.dumps(X)),
                "seconds": seconds,
                "fit_seconds": fit_seconds,
            }
        )
    return measured


def measure_accuracy(corpus: Corpus, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Fit on all rows with several seeds, in one process, in two, and in two with larger steps."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        job = write_rows(corpus, None, Path(name))
        jobs = [(seed, n, 384 * size) for seed in seeds for n, size in ((1, 1), (2, 1), (2, 2))]
        for seed, n_processes, batch_size in tqdm(jobs, unit="fit"):
            params = {"batch_size": batch_size, "max_epochs": 4, "random_state": seed}
            result = run_job(job | params | {"n_processes": n_processes}, Path(name))
            fitted = {"kind": "fit", "n_processes": n_processes, "batch_size": batch_size}
            rows.append(fitted | {"rows": job["n_rows"], "seed": seed} | result)
    return rows


def find_model(measured: pd.DataFrame) -> tuple[pd.DataFrame, StepModel, Network]:
    """Return the fastest of each kind of step, the model, and the network between the two."""
    steps = measured[measured["kind"] == "step"]
    fastest = steps.groupby(["n_processes", "batch_size"], as_index=False)["seconds"].min()
    network = fit_network(measured[measured["kind"] == "message"])
    row_bytes = float(measured.loc[measured["kind"] == "row", "bytes"].iloc[0])
    alone = steps[steps["n_processes"] == 1]
    rows_per_second = float((alone["rows"] / alone["input_seconds"]).max())
    return fastest, fit_steps(fastest, network, row_bytes, rows_per_second), network


def report(measured: pd.DataFrame, scored: pd.DataFrame | None) -> str:
    """Return the tables of everything as text."""
    parts = [] if "step" not in set(measured["kind"]) else report_model(measured)
    parts += report_search(measured[measured["kind"] == "search"])
    if scored is not None:
        parts += report_scoring(scored)
    fits = measured[measured["kind"] == "fit"]
    if len(fits):
        parts += ["Accuracy on test rows, in %, over the seeds:", summarise_accuracy(fits)]
    return "\n".join(parts)


def report_model(measured: pd.DataFrame) -> list[str]:
    """Return the tables of steps and of what they predict."""
    steps, model, network = find_model(measured)
    same = dict.fromkeys(PROCESSES, 384)
    larger = {n: 384 * n for n in PROCESSES}
    return [
        "Steps, fastest of each:",
        check_fit(steps, model, network).to_string(index=False),
        f"The model: a step takes {1e3 * model.fixed:.1f} ms, and {1e6 * model.own:.1f} us for "
        f"each row of its own",
        f"and {1e6 * model.shared:.1f} us for each row of all; a row is {model.row_bytes:.0f} "
        "bytes to exchange;",
        f"{model.rows_per_second:.0f} rows per second become features. Between the two processes:",
        f"{1e6 * network.latency:.0f} us, {network.bandwidth / 1e9:.2f} GB/s.",
        "",
        *report_words(measured),
        "SwDA's size, four passes, fit_distributed, batch_size 384 in all:",
        _shorten(predict_fit(model, CLUSTER, CORPUS, same, n_epochs=4, n_readers=1)),
        "",
        "A billion rows, one pass, fit_parquet, batch_size 384 in all:",
        _shorten(predict_fit(model, CLUSTER, BILLION, same, n_epochs=1, n_readers=None)),
        "",
        "A billion rows, one pass, fit_parquet, batch_size 384 for each process:",
        _shorten(predict_fit(model, CLUSTER, BILLION, larger, n_epochs=1, n_readers=None)),
        "",
    ]


def report_words(measured: pd.DataFrame) -> list[str]:
    """Return what two processes gain where much is computed for each row."""
    steps = measured[measured["kind"] == "word step"].set_index("n_processes")["seconds"]
    if not len(steps):
        return []
    return [
        f"With word_memory=True, a step of 384 rows takes {1e3 * steps[1]:.0f} ms in one process,",
        f"{1e3 * steps[2]:.0f} ms in two: {steps[1] / steps[2]:.2f} times faster.",
        "",
    ]


def report_search(measured: pd.DataFrame) -> list[str]:
    """Return the tables of a search."""
    if not len(measured):
        return []
    alone, two = (measured[measured["n_processes"] == n].iloc[0] for n in (1, 2))
    table = predict_search(alone["fit_seconds"], 1000, alone["bytes"], list(PROCESSES), CLUSTER)
    return [
        f"A search of four fits on {alone['rows']:.0f} rows: {alone['seconds']:.0f} s in one "
        f"process, {alone['seconds'] / two['seconds']:.2f} times faster with two workers.",
        "",
        "A thousand fits of this kind:",
        _shorten(table, 3),
        "",
    ]


def report_scoring(scored: pd.DataFrame) -> list[str]:
    """Return the tables of predictions on engines."""
    shown = scored[["engine", "workers", "rows", "rows_per_second", "ratio", "worker_mb"]]
    parts = ["Predictions:", shown.round(2).to_string(index=False), ""]
    for engine, runs in scored.groupby("engine", sort=False):
        if engine != "one process":
            rate = (runs["rows_per_second"] / runs["workers"]).max()
            parts += [
                f"A billion rows on {engine}, {rate:.0f} rows per second and worker:",
                _shorten(predict_scoring(rate, BILLION, list(PROCESSES)), 3),
                "",
            ]
    return parts


def _shorten(table: pd.DataFrame, n_numbers: int = 4) -> str:
    shares = table.columns[n_numbers:-1]
    table = table.copy()
    table[shares] = (100 * table[shares]).round().astype(int).astype(str) + "%"
    table["hours"] = table["hours"].map("{:.3g}".format)
    table["times faster"] = table["times faster"].map("{:.1f}".format)
    return table.rename(columns=SHORTER).to_string(index=False)


def summarise_accuracy(fits: pd.DataFrame) -> str:
    """Return mean and standard error of the accuracy for each way to fit."""
    names = ["n_processes", "batch_size"]
    groups = fits.astype(dict.fromkeys(names, int)).groupby(names)["accuracy"]
    table = (100 * groups.mean()).rename("mean").to_frame()
    table["standard error"] = 100 * groups.std() / np.sqrt(groups.size())
    table["seeds"] = groups.size()
    return table.round(2).reset_index().to_string(index=False)


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    add_data_option(parser)
    parser.add_argument("--rows", type=int, default=100_000, help="training rows of the steps")
    parser.add_argument("--rounds", type=int, default=2, help="times that each step is measured")
    parts = ["steps", "search", "accuracy"]
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts[:2])
    parser.add_argument("--seeds", type=whole_numbers, default=[0, 1, 2])
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and report; return 2 when the data cannot be read."""
    options = build_parser().parse_args(arguments)
    path = options.output / "scaling.csv"
    try:
        if options.report:
            print(report(pd.read_csv(path), read_scores(options.output)))
            return 0
        (corpus, *_) = load_files(options.data, Columns())
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    rows = measure_steps(corpus, options.rows, options.rounds) if "steps" in options.parts else []
    rows += measure_search(corpus, options.rows // 4) if "search" in options.parts else []
    rows += measure_accuracy(corpus, options.seeds) if "accuracy" in options.parts else []
    options.output.mkdir(parents=True, exist_ok=True)
    keep_with_others(path, pd.DataFrame(rows))
    print(report(pd.read_csv(path), read_scores(options.output)))
    return 0


def read_scores(folder: Path) -> pd.DataFrame | None:
    """Return what `benchmarks.scoring` has measured, if it has."""
    path = folder / "scoring.csv"
    return pd.read_csv(path) if path.exists() else None


def keep_with_others(path: Path, rows: pd.DataFrame) -> None:
    """Write rows into the place of those of their kinds in a file, and keep its other rows."""
    if path.exists():
        before = pd.read_csv(path)
        rows = pd.concat([before[~before["kind"].isin(rows["kind"])], rows])
    write_atomically(path, rows.to_csv(index=False).encode())
