"""One of the processes that `benchmarks.scaling` starts by torchrun, or the only one."""

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
from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.distributed import fit_distributed

SIZES = [2**exponent for exponent in range(10, 25, 2)]  # bytes that each process sends
REPEATS = 20


def make_classifier(job: dict[str, Any], frame: pd.DataFrame) -> ContextMemoryClassifier:
    """Return an unfitted classifier for the columns that there are."""
    roles = {f"{role}_column": role for role in ("group", "order", "speaker") if role in frame}
    params = {name: job[name] for name in ("batch_size", "max_epochs", "random_state")}
    params["word_memory"] = job.get("word_memory", False)
    return ContextMemoryClassifier(text_column="text", device="cpu", **roles, **params)


def fit(job: dict[str, Any]) -> dict[str, Any]:
    """Fit, in as many processes as there are, and measure."""
    train, test = pd.read_parquet(job["train"]), pd.read_parquet(job["test"])
    X = train[feature_columns(train)]
    clf = make_classifier(job, X)
    begun = time.perf_counter()
    if job["n_processes"] == 1:
        clf.fit(X, train["label"])
    else:
        fit_distributed(clf, X, train["label"])
    seconds = time.perf_counter() - begun
    epochs = clf.history_["seconds"]
    return {
        "seconds": seconds,
        "epoch_seconds": float(epochs.min()),
        "input_seconds": seconds - float(epochs.sum()),
        "accuracy": clf.score(test[X.columns.tolist()], test["label"]),
    }


def send(job: dict[str, Any]) -> dict[str, Any]:
    """Time gatherings of several sizes between the processes."""
    dist.init_process_group("gloo")
    seconds = []
    for size in SIZES:
        own = torch.zeros(size // 4)
        every = [torch.empty_like(own) for _ in range(dist.get_world_size())]
        times = []
        for _ in range(REPEATS):
            dist.barrier()
            begun = time.perf_counter()
            dist.all_gather(every, own)
            times.append(time.perf_counter() - begun)
        seconds.append(sorted(times)[REPEATS // 2])
    dist.destroy_process_group()
    return {"bytes": [size * job["n_processes"] for size in SIZES], "seconds": seconds}


def main(path: str) -> None:
    """Do a job, and write what came out beside it, in the first process."""
    job = json.loads(Path(path).read_text(encoding="utf-8"))
    result = (send if job["kind"] == "send" else fit)(job)
    if os.environ.get("RANK", "0") == "0":
        Path(f"{path}.result").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
