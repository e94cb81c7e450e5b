"""Rows and results that several test files of the benchmarks share."""

import numpy as np
import pandas as pd

from benchmarks.comparison.__main__ import main
from benchmarks.measuring.paired import COMPARISON_COLUMNS
from benchmarks.measuring.store import COLUMNS


def make_frame(n_groups=20, rows_per_group=5):
    """Rows whose label is in their text: even turns greet, odd ones say goodbye."""
    turn = np.tile(np.arange(rows_per_group), n_groups)
    group = np.repeat(np.arange(n_groups), rows_per_group)
    text = np.where(turn % 2, "goodbye and farewell", "hello and welcome")
    label = np.where(turn % 2, "close", "open")
    return pd.DataFrame({"group": group, "order": turn, "text": text, "label": label})


def make_results(**columns):
    """Rows as the runner gives them, with the values of `columns`."""
    defaults = {
        "corpus": "calls",
        "seed": 0,
        "scored_on": "test",
        "data": "d",
        "versions": "v",
        "n_train": 1000,
        "n_test": 200,
        "macro_f1": 0.5,
        "weighted_f1": 0.5,
        "macro_recall": 0.5,
        "ece": 0.1,
        "log_loss": 0.7,
        "roc_auc": np.nan,
        "micro_f1": np.nan,
        "fit_seconds": 2.0,
        "predict_rows_per_second": 1000.0,
        "peak_memory_mb": 300.0,
        "parameters": "{}",
    }
    frame = pd.DataFrame(columns)
    return frame.assign(**{k: v for k, v in defaults.items() if k not in frame})[list(COLUMNS)]


def make_comparisons(**columns):
    """Comparisons with the values of `columns`, none by default."""
    return pd.DataFrame(columns, columns=list(COMPARISON_COLUMNS))


def run(path, output, *options):
    """Run in this process; return the exit code and the results."""
    code = main(["--data", str(path), "--output", str(output), "--no-isolate", *options])
    return code, pd.read_csv(output / "results.csv")


def call_here(function, *arguments):
    """Call a function in this process, in the place of `call_in_process`."""
    return function(*arguments)
