"""Models of the time of a fit, a prediction and a search in many processes.

A fit consists of compute, exchange and input.

A step on a batch of B rows in P processes takes::

    compute     a + b B / P + c B
    exchange    0 in one process, else
                a gathering of B r bytes: 3 latencies + B r (P - 1) / P / bandwidth
                a sum of d bytes: 2 log2(P) latencies + 2 d (P - 1) / P / bandwidth

a is the constant time of a step, b the time of a row in its own process, and c the time of a row of
any process: the gradient of the feature table is computed from the exchanged rows. Input is the
time in which rows are converted to features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import nnls

# Bytes of the weights of the default classifier outside the feature table, for 41 classes: memory,
# attention, decoder and label transitions. Their gradients are summed in every step.
DENSE_BYTES = 4 * 133_000


@dataclass
class Network:
    """The connection between processes.

    Parameters
    ----------
    latency : float
        Seconds of the smallest message.
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
    """Seconds of computation in a step: see the docstring of this module.

    Parameters
    ----------
    fixed, own, shared : float
        The coefficients a, b and c.
    row_bytes : float
        Bytes of the features and the gradient of a row.
    rows_per_second : float
        Rows per second that one process converts to features.
    """

    fixed: float
    own: float
    shared: float
    row_bytes: float
    rows_per_second: float

    def compute(self, batch_size: float, n_processes: int) -> float:
        """Return the seconds of computation in a step."""
        return self.fixed + self.own * batch_size / n_processes + self.shared * batch_size

    def step(self, batch_size: float, n_processes: int, network: Network) -> float:
        """Return the seconds of a step."""
        exchange = network.exchange(batch_size, n_processes, self.row_bytes)
        return self.compute(batch_size, n_processes) + exchange


def fit_network(messages: pd.DataFrame) -> Network:
    """Fit latency and bandwidth by least squares to messages of several sizes.

    Parameters
    ----------
    messages : DataFrame
        Columns bytes and seconds, of all_gather between two processes.
    """
    columns = np.stack([np.ones(len(messages)), messages["bytes"] / 2], axis=1)
    weights = 1 / messages["seconds"].to_numpy()  # relative errors count
    (latency, per_byte), _ = nnls(columns * weights[:, None], np.ones(len(messages)))
    return Network(float(latency), float(1 / per_byte))


def fit_steps(
    steps: pd.DataFrame, network: Network, row_bytes: float, rows_per_second: float
) -> StepModel:
    """Fit the coefficients of the computation by least squares, none of them below 0.

    Parameters
    ----------
    steps : DataFrame
        Columns n_processes, batch_size and seconds, of whole steps.
    network : Network
        Connection between the processes.
    row_bytes, rows_per_second : float
        See `StepModel`.
    """
    pairs = list(zip(steps["batch_size"], steps["n_processes"], strict=True))
    exchange = np.array([network.exchange(size, n, row_bytes) for size, n in pairs])
    columns = np.array([[1.0, size / n, size] for size, n in pairs])
    weights = 1 / steps["seconds"].to_numpy()
    computing = np.maximum(steps["seconds"].to_numpy() - exchange, 0)
    (fixed, own, shared), _ = nnls(columns * weights[:, None], computing * weights)
    return StepModel(float(fixed), float(own), float(shared), row_bytes, rows_per_second)


def check_fit(steps: pd.DataFrame, model: StepModel, network: Network) -> pd.DataFrame:
    """Return the measured and the predicted milliseconds of each step."""
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
        Model of a step, and assumed connection of the processes.
    n_rows : int
        Number of rows.
    batch_sizes : dict of int to int
        Batch size for each number of processes.
    n_epochs : int
        Number of epochs.
    n_readers : int or None
        Number of processes that convert rows to features. If None, all processes do.

    Returns
    -------
    table : DataFrame
        For each number of processes: the hours, the speed-up over one process, the shares of
        compute, exchange and input, and the largest part.
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


# Assumptions on predictions on an engine, outside the computation of workers.
ROWS_OF_A_PARTITION = 100_000
TASKS_OF_A_PARTITION = 4  # read, send, take, predict
SECONDS_OF_A_TASK = 1e-3  # in the one process that schedules the tasks
BYTES_OF_A_ROW = 200  # read, and written with some probabilities
STORAGE = 2e9  # bytes per second of the storage for all workers together
START = 20.0  # seconds until workers have imported their packages


def predict_scoring(rows_per_second: float, n_rows: int, workers: list[int]) -> pd.DataFrame:
    """Predict the time of predictions of many rows, and name the largest part.

    Parameters
    ----------
    rows_per_second : float
        Rows per second of one worker among several, with the shuffle.
    n_rows : int
        Number of rows.
    workers : list of int
        Numbers of workers, each with one core.
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
    """Predict the time of a search of many fits, each in one worker.

    Parameters
    ----------
    seconds_of_a_fit : float
        Seconds of one fit in a worker.
    n_fits : int
        Candidates times folds.
    x_bytes : float
        Size of X, which one process sends to each worker once.
    workers : list of int
        Numbers of workers, each with one core.
    network : Network
        Connection between that process and the workers.
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
    """Add the hours, the shares of the parts and the name of the largest part to a row."""
    total = sum(parts.values())
    shares = {name: part / total for name, part in parts.items()}
    largest = max(parts, key=parts.__getitem__)
    return {**row, "hours": total / 3600, **shares, "largest part": largest}
