"""Exported models, and the runtime of their folder."""

import importlib.util

import numpy as np
import pandas as pd

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import make_conversations


def load_runtime(folder):
    """Return the module of the runtime of an export."""
    spec = importlib.util.spec_from_file_location("exported_runtime", folder / "runtime.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_talks(n_talks=30, *, long=0, seed=0):
    """Return conversations with speakers, some of which are missing, and columns of all kinds.

    The first `long` rows are one conversation.
    """
    generator = np.random.default_rng(seed)
    frame = make_conversations(n_talks, random_state=seed).frame.reset_index(drop=True)
    frame.loc[: long - 1, "group"] = -1
    n_rows = len(frame)
    frame["speaker"] = generator.choice(["A", "B", "C"], n_rows)
    frame.loc[generator.random(n_rows) < 0.1, "speaker"] = None
    frame["number"] = generator.normal(5000, 100, n_rows)
    frame.loc[generator.random(n_rows) < 0.1, "number"] = np.nan
    frame["flag"] = generator.random(n_rows) < 0.5
    frame["channel"] = generator.choice(np.array(["web", "mail", None], dtype=object), n_rows)
    seconds = generator.integers(0, 10**7, n_rows)
    frame["date"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(seconds, unit="s")
    return frame


def fit(frame, target=None, **params):
    """Fit a small classifier to texts of conversations."""
    options = {"text_column": "text", "group_column": "group", "hidden_size": 8, "max_epochs": 2}
    options |= {"random_state": 0} | params
    return ContextMemoryClassifier(**options).fit(
        frame, frame["target"] if target is None else target
    )


def inputs_of(frame, columns=()):
    """Return what `Model.predict_proba` takes of a frame of conversations."""
    inputs = {"groups": frame["group"].tolist(), "speakers": frame["speaker"].tolist()}
    if len(columns):
        inputs["columns"] = {name: frame[name].tolist() for name in columns}
    return inputs
