"""A process of `benchmarks.scaling`, started alone or by torchrun."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import torch.distributed as dist

from benchmarks.corpora.corpus import feature_columns
from benchmarks.models.context_memory import column_parameters
from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.distributed import fit_distributed

SIZES = [2**exponent for exponent in range(10, 25, 2)]  # bytes sent by each process
REPEATS = 20


def make_classifier(job: dict[str, Any], frame: pd.DataFrame) -> ContextMemoryClassifier:
    """Return an unfitted classifier for the columns of a frame."""
    params = {name: job[name] for name in ("batch_size", "max_epochs", "random_state")}
    params["word_memory"] = job.get("word_memory", False)
    return ContextMemoryClassifier(device="cpu", **column_parameters(frame), **params)


def fit(job: dict[str, Any]) -> dict[str, Any]:
    """Fit in all processes of the job, and measure time and accuracy."""
    train, test = pd.read_parquet(job["train"]), pd.read_parquet(job["test"])
    X = train[feature_columns(train)]
    clf = make_classifier(job, X)
    start = time.perf_counter()
    if job["n_processes"] == 1:
        clf.fit(X, train["label"])
    else:
        fit_distributed(clf, X, train["label"])
    seconds = time.perf_counter() - start
    epochs = clf.history_["seconds"]
    return {
        "seconds": seconds,
        "epoch_seconds": float(epochs.min()),
        "input_seconds": seconds - float(epochs.sum()),
        "accuracy": clf.score(test[X.columns.tolist()], test["label"]),
    }


def send(job: dict[str, Any]) -> dict[str, Any]:
    """Time all_gather for several sizes of messages."""
    dist.init_process_group("gloo")
    seconds = []
    for size in SIZES:
        own = torch.zeros(size // 4)
        every = [torch.empty_like(own) for _ in range(dist.get_world_size())]
        times = []
        for _ in range(REPEATS):
            dist.barrier()
            start = time.perf_counter()
            dist.all_gather(every, own)
            times.append(time.perf_counter() - start)
        seconds.append(sorted(times)[REPEATS // 2])
    dist.destroy_process_group()
    return {"bytes": [size * job["n_processes"] for size in SIZES], "seconds": seconds}


def main(path: str) -> None:
    """Run a job; the first process writes the result to a file beside it."""
    job = json.loads(Path(path).read_text(encoding="utf-8"))
    result = (send if job["kind"] == "send" else fit)(job)
    if os.environ.get("RANK", "0") == "0":
        Path(f"{path}.result").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
