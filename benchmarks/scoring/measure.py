"""Predictions on each engine, compared with one process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measuring.files import write_table
from benchmarks.measuring.processes import call_in_process, describe_error
from benchmarks.scoring.engines import ENGINES, Counts
from benchmarks.scoring.memory import PeakMemory

DIFFERENT_ROWS = 1e-5  # share of the rows whose class may depend on rounding


def plan(engines: Sequence[str], workers: Sequence[int]) -> list[tuple[str, int]]:
    """List engine and number of workers of each run; one process comes first."""
    return [("one process", 1)] + [(engine, n) for engine in engines for n in workers]


def measure_all(runs: list[tuple[str, int]], data: dict[int, Path], model: Path, path: Path) -> int:
    """Measure the runs for each number of rows, and write the table; return the exit status."""
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
            write_table(path, table)
            print(table.tail(1).to_string(index=False), flush=True)
    print(table.round({"seconds": 1, "rows_per_second": 0, "ratio": 2}).to_string(index=False))
    return int(table["error"].astype(bool).any())


def measure(engine: str, n_workers: int, n_rows: int, model: Path, data: Path) -> dict[str, Any]:
    """Predict on an engine in fresh processes, and return a row of the table."""
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
    """Describe the error in the counts of an engine; empty if they are right."""
    counts: Counts = row["counts"]
    if sum(counts.values()) != row["rows"]:
        return f"{sum(counts.values())} rows were predicted"
    expected = whole.get("counts", {})
    names = {*counts, *expected} if expected else set()
    different = sum(abs(counts.get(name, 0) - expected.get(name, 0)) for name in names) / 2
    if different > DIFFERENT_ROWS * row["rows"]:
        return f"{different:.0f} rows have another class than in one process"
    return ""
