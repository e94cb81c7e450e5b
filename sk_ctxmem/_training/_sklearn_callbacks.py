"""Support for the callbacks of scikit-learn 1.9 and later (`sklearn.callback`).

Older versions have no callbacks, and nothing happens there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skorch import NeuralNet
from skorch.callbacks import Callback

from ._early_stopping import Stop


class FitTasks:
    """Calls scikit-learn's callbacks at both ends of a fit and of each epoch in it.

    Parameters
    ----------
    estimator : ContextMemoryClassifier
        The classifier that is fitted.
    context : CallbackContext
        Context of the whole fit.
    data : dict
        X, y and metadata, as the callbacks see them.
    attributes_of : callable
        Converts a FitResult to the attributes of a fitted classifier.
    """

    def __init__(self, estimator: Any, context: Any, data: dict, attributes_of: Callable) -> None:
        self.context = context
        self.data = data | {"estimator": estimator}
        self.attributes_of = attributes_of

    def begin(self, make_result: Callable) -> None:
        """Call `on_fit_task_begin` for the fit.

        Parameters
        ----------
        make_result : callable
            Makes a FitResult of a network and a TrainingResult.
        """
        self.make_result = make_result
        self.context.call_on_fit_task_begin(**self.data)

    def begin_epoch(self) -> None:
        """Call `on_fit_task_begin` for an epoch."""
        self.epoch_ = self.context.subcontext(task_name="epoch")
        self.epoch_.call_on_fit_task_begin(**self.data)

    def end_epoch(self, snapshot: Callable) -> bool:
        """Call `on_fit_task_end` for an epoch, and return whether a callback stops training.

        Parameters
        ----------
        snapshot : callable
            Returns the network and the result of training if it ended now. It is called only if
            a callback asks for a fitted classifier.
        """
        return self.epoch_.call_on_fit_task_end(
            **self.data,
            reconstruction_attributes=lambda: self.attributes_of(self.make_result(*snapshot())),
        )

    def end(self, result: Any) -> None:
        """Call `on_fit_task_end` for the fit."""
        self.context.call_on_fit_task_end(
            **self.data, reconstruction_attributes=lambda: self.attributes_of(result)
        )


class EpochTasks(Callback):
    """Call scikit-learn's callbacks for each epoch, and stop training if one asks for it.

    Parameters
    ----------
    tasks : FitTasks
        Calls the callbacks.
    stop : Stop
        Receives the request to stop.
    snapshot : callable
        Takes the skorch net, and returns the network and the result as if training ended now.
    """

    def __init__(self, tasks: FitTasks, stop: Stop, snapshot: Callable) -> None:
        self.tasks = tasks
        self.stop = stop
        self.snapshot = snapshot

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Call them at the beginning of an epoch."""
        self.tasks.begin_epoch()

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Call them at the end of an epoch."""
        if self.tasks.end_epoch(lambda: self.snapshot(net)):
            epoch = len(net.history)
            self.stop.ask(f"stopped by a callback of scikit-learn after epoch {epoch}")
