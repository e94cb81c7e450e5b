"""Times of one fit and of its predictions on two devices."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import pandas as pd

from benchmarks.corpora.corpus import Corpus, feature_columns
from benchmarks.measuring.resources import timed

ROWS, WIDTHS = (1_000, 10_000, 50_000), (128, 512)
QUICK_ROWS, QUICK_WIDTHS = (300, 1_000), (16, 32)
WARM_UP_ROWS = 300
N_EPOCHS = 2  # the first step of each size of a batch takes longer on a GPU


def describe_device(device: str) -> dict[str, str]:
    """Return the device, the name of its card, and torch with the build that it is."""
    import torch

    card = torch.cuda.get_device_name(device) if device.startswith("cuda") else "no card"
    return {"device": device, "card": card, "torch": torch.__version__}


def check_device(device: str) -> None:
    """Raise an error if there is no such device."""
    import torch

    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(
            f"no CUDA device is there for torch {torch.__version__}; run this where there is one, "
            "or pass --device cpu to try the command itself."
        )


def measure(
    corpus: Corpus, rows: Sequence[int], widths: Sequence[int], device: str, limit: float
) -> Iterator[dict[str, Any]]:
    """Fit the smallest first, on the CPU and on the device in turn, until time is over.

    Parameters
    ----------
    corpus : Corpus
        Rows in groups.

    rows, widths : sequence of int
        Numbers of training rows, and values of `hidden_size`.

    device : str
        torch device beside the CPU.

    limit : float
        Seconds after which no other point is begun.

    Yields
    ------
    dict
        A row of the table; without times if the point was not begun.
    """
    begin = time.perf_counter()
    for each in ("cpu", device):
        _measure_one(corpus, WARM_UP_ROWS, widths[0], each)
    for n_rows, width in product(rows, widths):
        row = {"rows": n_rows, "width": width}
        if time.perf_counter() - begin < limit:
            row |= _measure_both(corpus, n_rows, width, device)
        yield row | describe_device(device)


def _measure_both(corpus: Corpus, n_rows: int, width: int, device: str) -> dict[str, Any]:
    """Measure both devices, and how many times as fast the second is."""
    cpu = _measure_one(corpus, n_rows, width, "cpu")
    other = _measure_one(corpus, n_rows, width, device)
    found: dict[str, Any] = {}
    for name in ("fit", "predict"):
        found |= {f"cpu_{name}_seconds": cpu[name], f"device_{name}_seconds": other[name]}
        found[f"{name}_ratio"] = cpu[name] / other[name]
    return found | {"cpu_accuracy": cpu["accuracy"], "device_accuracy": other["accuracy"]}


def _measure_one(corpus: Corpus, n_rows: int, width: int, device: str) -> dict[str, float]:
    """Measure seconds of a fit, vectorizer included, and of predictions; accuracy on test rows."""
    from sk_ctxmem import ContextMemoryClassifier

    frame, test = corpus.first_train_rows(n_rows).part("train"), corpus.part("test")
    columns = feature_columns(frame)
    classifier = ContextMemoryClassifier(
        hidden_size=width,
        max_epochs=N_EPOCHS,
        random_state=0,
        device=device,
        **{f"{column}_column": column for column in columns},
    )
    _, fit_seconds = timed(classifier.fit, frame[columns], frame["label"])
    predicted, predict_seconds = timed(classifier.predict, test[columns])
    accuracy = float((pd.Series(predicted) == test["label"].to_numpy()).mean())
    return {"fit": fit_seconds, "predict": predict_seconds, "accuracy": accuracy}
