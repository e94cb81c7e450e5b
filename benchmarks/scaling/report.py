"""Tables of the measurements, and of larger fits that the model predicts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

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

PROCESSES = (1, 8, 64, 512)
# Assumptions on a cluster: 10 Gbit/s Ethernet, and 50 microseconds per message.
CLUSTER = Network(latency=50e-6, bandwidth=1.25e9)
SWDA_ROWS, BILLION = 192_390, 10**9
SHORT_NAMES = {
    "own rows": "own",
    "fixed part of a step": "fixed",
    "rows of all": "of all",
    "times faster": "faster",
    "handing out tasks": "tasks",
    "workers that wait at the end": "waiting",
}


def report(measured: pd.DataFrame, scored: pd.DataFrame | None) -> str:
    """Return all tables as text."""
    parts = [] if "step" not in set(measured["kind"]) else report_model(measured)
    parts += report_search(measured[measured["kind"] == "search"])
    if scored is not None:
        parts += report_scoring(scored)
    fits = measured[measured["kind"] == "fit"]
    if len(fits):
        parts += ["Accuracy on test rows, in %, over the seeds:", summarise_accuracy(fits)]
    return "\n".join(parts)


def report_model(measured: pd.DataFrame) -> list[str]:
    """Return the tables of steps, and of larger fits that the model predicts."""
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
        _shorten(predict_fit(model, CLUSTER, SWDA_ROWS, same, n_epochs=4, n_readers=1)),
        "",
        "A billion rows, one pass, fit_parquet, batch_size 384 in all:",
        _shorten(predict_fit(model, CLUSTER, BILLION, same, n_epochs=1, n_readers=None)),
        "",
        "A billion rows, one pass, fit_parquet, batch_size 384 for each process:",
        _shorten(predict_fit(model, CLUSTER, BILLION, larger, n_epochs=1, n_readers=None)),
        "",
    ]


def report_words(measured: pd.DataFrame) -> list[str]:
    """Return the gain of a second process where a row takes much computation."""
    steps = measured[measured["kind"] == "word step"].set_index("n_processes")["seconds"]
    if not len(steps):
        return []
    return [
        f"With word_memory=True, a step of 384 rows takes {1e3 * steps[1]:.0f} ms in one process,",
        f"{1e3 * steps[2]:.0f} ms in two: {steps[1] / steps[2]:.2f} times faster.",
        "",
    ]


def report_search(measured: pd.DataFrame) -> list[str]:
    """Return the tables of a search, and of a larger search."""
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
    """Return the tables of predictions on engines, and of a billion rows."""
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


def summarise_accuracy(fits: pd.DataFrame) -> str:
    """Return the mean and the standard error of the accuracy, by processes and batch size."""
    names = ["n_processes", "batch_size"]
    groups = fits.astype(dict.fromkeys(names, int)).groupby(names)["accuracy"]
    table = (100 * groups.mean()).rename("mean").to_frame()
    table["standard error"] = 100 * groups.std() / np.sqrt(groups.size())
    table["seeds"] = groups.size()
    return table.round(2).reset_index().to_string(index=False)


def find_model(measured: pd.DataFrame) -> tuple[pd.DataFrame, StepModel, Network]:
    """Return the fastest time of each step, the model, and the network between two processes."""
    steps = measured[measured["kind"] == "step"]
    fastest = steps.groupby(["n_processes", "batch_size"], as_index=False)["seconds"].min()
    network = fit_network(measured[measured["kind"] == "message"])
    row_bytes = float(measured.loc[measured["kind"] == "row", "bytes"].iloc[0])
    alone = steps[steps["n_processes"] == 1]
    rows_per_second = float((alone["rows"] / alone["input_seconds"]).max())
    return fastest, fit_steps(fastest, network, row_bytes, rows_per_second), network


def read_scores(folder: Path) -> pd.DataFrame | None:
    """Read the results of `benchmarks.scoring`; None if there are none."""
    path = folder / "scoring.csv"
    return pd.read_csv(path) if path.exists() else None


def _shorten(table: pd.DataFrame, n_numbers: int = 4) -> str:
    shares = table.columns[n_numbers:-1]
    table = table.copy()
    table[shares] = (100 * table[shares]).round().astype(int).astype(str) + "%"
    table["hours"] = table["hours"].map("{:.3g}".format)
    table["times faster"] = table["times faster"].map("{:.1f}".format)
    return table.rename(columns=SHORT_NAMES).to_string(index=False)
