"""Table "import": seconds in which a fresh interpreter imports the packages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence

import pandas as pd

from benchmarks.corpora.corpus import Corpus
from benchmarks.measuring.resources import timed
from benchmarks.speed import processes
from benchmarks.speed.tasks import Row, Settings, Task

WITHOUT = "import torch, sklearn.feature_extraction.text, sklearn.linear_model, pandas"
STATEMENTS = {
    "torch, scikit-learn and pandas": WITHOUT,
    "the same and sk_ctxmem": f"{WITHOUT}, sk_ctxmem",
    "sk_ctxmem alone": "import sk_ctxmem",
}


def plan_import(corpora: Sequence[Corpus], settings: Settings) -> list[Task]:
    """List one task; it needs no corpus."""
    return [Task("fresh interpreters", lambda: measure_import(settings))]


def measure_import(settings: Settings) -> list[Row]:
    """Compute medians over rounds, and their ratios to the first row."""
    medians = pd.DataFrame(time_import(settings.repeats)).median()
    return [
        {"imported": name, "seconds": medians[name], "ratio": medians[name] / medians.iloc[0]}
        for name in STATEMENTS
    ]


def time_import(repeats: int) -> Iterator[dict[str, float]]:
    """Yield the seconds of each statement; a first round fills the cache of the file system."""
    for i in range(repeats + 1):
        seconds = {name: timed(run, code)[1] for name, code in STATEMENTS.items()}
        if i:
            yield seconds


def run(code: str) -> None:
    """Run code in a fresh interpreter."""
    with processes.environment(processes.ONE_THREAD):
        subprocess.run([sys.executable, "-c", code], check=True)
