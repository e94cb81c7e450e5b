"""Jobs, each in a fresh process, and their results in a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from benchmarks.measuring.files import write_table


def call_in_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a fresh process.

    The function must not be defined in a ``__main__.py``, which fresh processes do not import.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def measure_jobs(
    function: Callable[..., list[dict[str, Any]]],
    jobs: Sequence[tuple[Any, ...]],
    path: Path,
    unit: str = "fit",
) -> pd.DataFrame:
    """Call a function for each job in a fresh process, and write all rows so far after each.

    Parameters
    ----------
    function : callable
        Returns rows of the table.

    jobs : sequence of tuple
        Arguments of `function`.

    path : Path
        CSV file to write.

    unit : str, default="fit"
        Unit of the progress bar.

    Returns
    -------
    DataFrame
        The rows of all jobs.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for job in tqdm(jobs, unit=unit):
        rows += call_in_process(function, *job)
        write_table(path, pd.DataFrame(rows))
    return pd.DataFrame(rows)


def describe_error(error: Exception) -> str:
    """Message of an error in one line."""
    if isinstance(error, BrokenProcessPool):
        return "the process of the job was killed, perhaps for lack of memory"
    first_line = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first_line}"
