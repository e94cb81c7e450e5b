"""The progress bar of a fit."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from skorch import NeuralNet
from skorch.callbacks import Callback

from ._callbacks import EpochMeans


@cache
def _bar_class() -> Any:
    """Return the class of progress bar for a notebook or a terminal.

    tqdm warns in notebooks without ipywidgets, although its terminal bar works there.
    """
    from tqdm import TqdmWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TqdmWarning)
        from tqdm.auto import tqdm
    return tqdm


@contextmanager
def progress_bar(verbose: int, kind: str) -> Iterator[Any]:
    """Show a bar on standard error inside of a `with` block, and close it at the end.

    Parameters
    ----------
    verbose : int
        Verbosity; 0 shows no bar.
    kind : str
        Kind of the input, which is read before the bar moves.

    Yields
    ------
    bar : tqdm or None
        The bar.
    """
    reading = "reading texts" if kind == "text" else "reading features"
    with open_bar(verbose, desc=reading, unit=" rows", unit_scale=True) as bar:
        yield bar


@contextmanager
def open_bar(verbose: int, **options: Any) -> Iterator[Any]:
    """Show a bar of tqdm with these options, see `progress_bar`."""
    if not verbose or sys.stderr is None:  # as in programs without a console
        yield None
        return
    bar = _bar_class()(dynamic_ncols=True, **options)
    try:
        yield bar
    finally:
        bar.close()


def finish(bar: Any, reason: str) -> None:
    """Show why training ended, in a bar that is full even after early stopping."""
    if bar is None:
        return
    if bar.n < bar.total:  # notebooks keep the length that the last reset set
        n_done, started = bar.n, bar.start_t
        bar.reset(total=n_done)
        bar.n, bar.start_t = n_done, started
    bar.set_description(reason)


class Progress(Callback):
    """Move a bar over the rows of all epochs, and show loss and scores.

    Parameters
    ----------
    bar : tqdm
        The bar.
    means : EpochMeans
        Has the loss of the current epoch so far.
    n_in_epoch : int
        Number of rows of each epoch but the last.
    n_rows : int
        Number of rows of all epochs.
    max_epochs : int
        Number of epochs.
    """

    def __init__(
        self, bar: Any, means: EpochMeans, n_in_epoch: int, n_rows: int, max_epochs: int
    ) -> None:
        self.bar = bar
        self.means = means
        self.n_in_epoch = n_in_epoch
        self.n_rows = n_rows
        self.max_epochs = max_epochs

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Reset the bar to the epochs that are already done."""
        self.shown_: dict[str, str] = {}
        self.bar.reset(total=self.n_rows)
        # Rows of an earlier fit do not count in the rows per second.
        self.bar.n = self.bar.initial = self.bar.last_print_n = len(net.history) * self.n_in_epoch

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Show the number of the epoch."""
        self.bar.set_description(f"epoch {len(net.history)}/{self.max_epochs}")

    def on_batch_end(
        self, net: NeuralNet, batch: Any = None, training: bool = False, **kwargs: Any
    ) -> None:
        """Move the bar by the rows of a batch."""
        if training:
            loss, _, weight = self.means.sums_[True]
            self.shown_["train_loss"] = f"{loss / weight if weight else 0:.3f}"
            self.bar.set_postfix(self.shown_, refresh=False)
            self.bar.update(len(batch[0]))

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Show the loss and scores of the epoch."""
        last = net.history[-1]
        names = ("train_loss", "valid_loss", "valid_score")
        self.shown_ = {name: f"{last[name]:.3f}" for name in names if name in last}
        self.bar.set_postfix(self.shown_)
