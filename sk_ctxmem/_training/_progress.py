"""The bar that shows how far a fit is."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from skorch import NeuralNet
from skorch.callbacks import Callback

from ._callbacks import EpochMeans


def _bar_class() -> Any:
    """Return the kind of bar that suits a notebook or a terminal.

    tqdm warns in notebooks that lack ipywidgets, where the bar of terminals does as well.
    """
    from tqdm import TqdmWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TqdmWarning)
        from tqdm.auto import tqdm
    return tqdm


@contextmanager
def progress_bar(verbose: int, kind: str) -> Iterator[Any]:
    """Show a bar for a while, on standard error; it is closed whatever happens.

    Parameters
    ----------
    verbose : int
        0 shows none.
    kind : str
        The kind of the input, which is read before the bar begins to move.

    Yields
    ------
    bar : tqdm or None
        The bar.
    """
    if not verbose or sys.stderr is None:  # as in programs without a console
        yield None
        return
    reading = "reading texts" if kind == "text" else "reading features"
    bar = _bar_class()(desc=reading, unit=" rows", unit_scale=True, dynamic_ncols=True)
    try:
        yield bar
    finally:
        bar.close()


def finish(bar: Any, reason: str) -> None:
    """Have a bar say why training ended; one that was stopped early is full too."""
    if bar is None:
        return
    if bar.n < bar.total:  # in notebooks, the length of the bar is that of its last reset
        n_done, started = bar.n, bar.start_t
        bar.reset(total=n_done)
        bar.n, bar.start_t = n_done, started
    bar.set_description(reason)


class Progress(Callback):
    """Move a bar over all rows of all epochs, with loss and scores beside it.

    Parameters
    ----------
    bar : tqdm
        The bar.
    means : EpochMeans
        Tells the loss so far within an epoch.
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
        """Empty the bar, but for epochs that a fit before has done."""
        self.shown_: dict[str, str] = {}
        self.bar.reset(total=self.n_rows)
        # The rows of a fit before are not of the speed of this one.
        self.bar.n = self.bar.initial = self.bar.last_print_n = len(net.history) * self.n_in_epoch

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Say which epoch begins."""
        self.bar.set_description(f"epoch {len(net.history)}/{self.max_epochs}")

    def on_batch_end(
        self, net: NeuralNet, batch: Any = None, training: bool = False, **kwargs: Any
    ) -> None:
        """Move on by the rows of a batch."""
        if training:
            loss, _, weight = self.means.sums_[True]
            self.shown_["train_loss"] = f"{loss / weight if weight else 0:.3f}"
            self.bar.set_postfix(self.shown_, refresh=False)
            self.bar.update(len(batch[0]))

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Show what the epoch reached."""
        last = net.history[-1]
        names = ("train_loss", "valid_loss", "valid_score")
        self.shown_ = {name: f"{last[name]:.3f}" for name in names if name in last}
        self.bar.set_postfix(self.shown_)
