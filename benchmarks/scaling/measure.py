"""Times of steps, searches and whole fits in one process and in two."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.model_selection import GridSearchCV, GroupKFold
from tqdm import tqdm

from benchmarks.corpora.corpus import Corpus, feature_columns
from benchmarks.measuring.files import write_table
from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer
from sk_ctxmem.comparison import take_whole_groups

BATCH_SIZES = (384, 768, 1536)
ROOT = Path(__file__).parents[2]


def run_job(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run a job of `worker` in one fresh process or in several, and return its result."""
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
    """Write training and test rows for the processes; return the common part of their jobs."""
    train = corpus.part("train")
    if n_rows is not None:
        train = take_whole_groups(train, n_rows, 0)
    paths = {"train": str(folder / "train.parquet"), "test": str(folder / "test.parquet")}
    train.to_parquet(paths["train"])
    corpus.part("test").to_parquet(paths["test"])
    return paths | {"kind": "fit", "n_rows": len(train)}


def measure_steps(corpus: Corpus, n_rows: int, rounds: int) -> list[dict[str, Any]]:
    """Time messages, and the steps of epochs in one process and in two."""
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
        start = time.perf_counter()
        search.fit(X, rows["label"], groups=rows["group"])
        seconds = time.perf_counter() - start
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
    """Fit on all rows with each seed: one process, two, and two with larger batches."""
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


def keep_with_others(path: Path, rows: pd.DataFrame) -> None:
    """Write rows to a file, in place of its rows of the same kinds."""
    if path.exists():
        before = pd.read_csv(path)
        rows = pd.concat([before[~before["kind"].isin(rows["kind"])], rows])
    write_table(path, rows)
