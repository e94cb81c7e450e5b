"""Simple models of the time that many processes take for a fit, a prediction and a search.

A fit is made of compute, exchange and input.

A step on a batch of B rows in P processes takes::

    compute     a + b B / P + c B
    exchange    0 in one process, else
                a gathering of B r bytes: 3 latencies + B r (P - 1) / P / bandwidth
                a sum of d bytes: 2 log2(P) latencies + 2 d (P - 1) / P / bandwidth

a is what a step takes whatever its size, b what a row takes in its own process, and c what each
process does for the rows of all: the gradient of the table of features, which is made of rows that
are exchanged. Input is the time in which rows become features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import nnls

# Weights of the default classifier beside the table of features, four bytes each, on 41 classes:
# memory, attention, decoder and the class before. Their gradients are summed up in every step.
DENSE_BYTES = 4 * 133_000


@dataclass
class Network:
    """What connects processes.

    Parameters
    ----------
    latency : float
        Seconds that the smallest message takes.
    bandwidth : float
        Bytes per second.
    """

    latency: float
    bandwidth: float

    def exchange(self, batch_size: float, n_processes: int, row_bytes: float) -> float:
        """Return the seconds of a step in which processes wait for messages."""
        if n_processes == 1:
            return 0.0
        others = (n_processes - 1) / n_processes
        gathering = 3 * self.latency + batch_size * row_bytes * others / self.bandwidth
        rounds = 2 * np.log2(n_processes)
        return gathering + rounds * self.latency + 2 * DENSE_BYTES * others / self.bandwidth


@dataclass
class StepModel:
    """Seconds of the computing in a step: see the head of this file.

    Parameters
    ----------
    fixed, own, shared : float
        The letters a, b and c there.
    row_bytes : float
        Bytes of a row's features and gradient.
    rows_per_second : float
        Rows that one process turns into features in a second.
    """

    fixed: float
    own: float
    shared: float
    row_bytes: float
    rows_per_second: float

    def compute(self, batch_size: float, n_processes: int) -> float:
        """Return the seconds of computing in a step."""
        return self.fixed + self.own * batch_size / n_processes + self.shared * batch_size

    def step(self, batch_size: float, n_processes: int, network: Network) -> float:
        """Return the seconds of a step."""
        exchange = network.exchange(batch_size, n_processes, self.row_bytes)
        return self.compute(batch_size, n_processes) + exchange


def fit_network(messages: pd.DataFrame) -> Network:
    """Find latency and bandwidth by least squares from messages of several sizes.

    Parameters
    ----------
    messages : DataFrame
        Columns bytes and seconds: of gatherings between two processes.
    """
    columns = np.stack([np.ones(len(messages)), messages["bytes"] / 2], axis=1)
    weights = 1 / messages["seconds"].to_numpy()  # relative errors count
    (latency, per_byte), _ = nnls(columns * weights[:, None], np.ones(len(messages)))
    return Network(float(latency), float(1 / per_byte))


def fit_steps(
    steps: pd.DataFrame, network: Network, row_bytes: float, rows_per_second: float
) -> StepModel:
    """Find the three numbers of the computing by least squares, none of them below 0.

    Parameters
    ----------
    steps : DataFrame
        Columns n_processes, batch_size and seconds, of whole steps.
    network : Network
        What connected the processes.
    row_bytes, rows_per_second : float
        See StepModel.
    """
    pairs = list(zip(steps["batch_size"], steps["n_processes"], strict=True))
    exchange = np.array([network.exchange(size, n, row_bytes) for size, n in pairs])
    columns = np.array([[1.0, size / n, size] for size, n in pairs])
    weights = 1 / steps["seconds"].to_numpy()
    computing = np.maximum(steps["seconds"].to_numpy() - exchange, 0)
    (fixed, own, shared), _ = nnls(columns * weights[:, None], computing * weights)
    return StepModel(float(fixed), float(own), float(shared), row_bytes, rows_per_second)


def check_fit(steps: pd.DataFrame, model: StepModel, network: Network) -> pd.DataFrame:
    """Return measured and computed milliseconds of each step side by side."""
    table = steps[["n_processes", "batch_size"]].astype(int).copy()
    table["measured, ms"] = 1e3 * steps["seconds"]
    table["by the model, ms"] = [
        1e3 * model.step(size, n, network)
        for size, n in zip(table["batch_size"], table["n_processes"], strict=True)
    ]
    return table.round(1)


def predict_fit(
    model: StepModel,
    network: Network,
    n_rows: int,
    batch_sizes: dict[int, int],
    *,
    n_epochs: int,
    n_readers: int | None,
) -> pd.DataFrame:
    """Predict a fit on several numbers of processes.

    Parameters
    ----------
    model, network : StepModel, Network
        What was found, and what is to connect the processes.
    n_rows : int
        Number of rows.
    batch_sizes : dict of int to int
        Rows of a step for each number of processes.
    n_epochs : int
        Number of passes over the rows.
    n_readers : int or None
        Number of processes among which rows are shared out to become features; None for all.

    Returns
    -------
    table : DataFrame
        For each number of processes the hours, how many times faster than one process it is, the
        shares of compute, exchange and input, and what is the largest.
    """
    rows = []
    for n_processes, batch_size in batch_sizes.items():
        n_steps = n_epochs * n_rows / batch_size
        parts = {
            "own rows": n_steps * model.own * batch_size / n_processes,
            "fixed part of a step": n_steps * model.fixed,
            "rows of all": n_steps * model.shared * batch_size,
            "exchange": n_steps * network.exchange(batch_size, n_processes, model.row_bytes),
            "input": n_rows / model.rows_per_second / (n_readers or n_processes),
        }
        sizes = {"processes": n_processes, "batch_size": batch_size}
        rows.append(_with_shares(sizes, parts))
    table = pd.DataFrame(rows)
    table.insert(3, "times faster", table["hours"].iloc[0] / table["hours"])
    return table


# Assumed of prediction on an engine: what is not computing in a worker.
ROWS_OF_A_PARTITION = 100_000
TASKS_OF_A_PARTITION = 4  # read, send, take, predict
SECONDS_OF_A_TASK = 1e-3  # in the one process that hands tasks out
BYTES_OF_A_ROW = 200  # read, and written with some probabilities
STORAGE = 2e9  # bytes per second that the storage gives to all workers together
START = 20.0  # seconds until workers have imported what they need


def predict_scoring(rows_per_second: float, n_rows: int, workers: list[int]) -> pd.DataFrame:
    """Predict the time of predictions of so many rows, and name what is largest.

    Parameters
    ----------
    rows_per_second : float
        Of one worker among several, with the shuffle.
    n_rows : int
        Number of rows.
    workers : list of int
        Numbers of workers, of one core each.
    """
    rows = []
    for n_workers in workers:
        n_tasks = TASKS_OF_A_PARTITION * n_rows / ROWS_OF_A_PARTITION
        parts = {
            "workers": n_rows / rows_per_second / n_workers,
            "handing out tasks": n_tasks * SECONDS_OF_A_TASK,
            "storage": n_rows * BYTES_OF_A_ROW / STORAGE,
            "start": START,
        }
        rows.append(_with_shares({"number of workers": n_workers}, parts))
    table = pd.DataFrame(rows)
    table.insert(2, "times faster", table["hours"].iloc[0] / table["hours"])
    return table


def predict_search(
    seconds_of_a_fit: float, n_fits: int, x_bytes: float, workers: list[int], network: Network
) -> pd.DataFrame:
    """Predict the time of a search of so many fits, each in one worker.

    Parameters
    ----------
    seconds_of_a_fit : float
        Of one fit in a worker.
    n_fits : int
        Candidates times folds.
    x_bytes : float
        Size of X, which each worker gets once, from one process.
    workers : list of int
        Numbers of workers, of one core each.
    network : Network
        What connects that process with the workers.
    """
    rows = []
    for n_workers in workers:
        parts = {
            "fits": seconds_of_a_fit * n_fits / n_workers,
            "workers that wait at the end": seconds_of_a_fit
            * (np.ceil(n_fits / n_workers) - n_fits / n_workers),
            "sending X": n_workers * x_bytes / network.bandwidth,
            "start": START,
        }
        rows.append(_with_shares({"number of workers": n_workers}, parts))
    table = pd.DataFrame(rows)
    table.insert(2, "times faster", table["hours"].iloc[0] / table["hours"])
    return table


def _with_shares(row: dict[str, float], parts: dict[str, float]) -> dict[str, object]:
    """Return hours, shares of the parts and the name of the largest, after what a row has."""
    total = sum(parts.values())
    shares = {name: part / total for name, part in parts.items()}
    largest = max(parts, key=parts.__getitem__)
    return {**row, "hours": total / 3600, **shares, "largest part": largest}
