"""Support of the callbacks of scikit-learn 1.9 and later (`sklearn.callback`).

Where scikit-learn is older there are none, and nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skorch import NeuralNet
from skorch.callbacks import Callback

from ._early_stopping import Stop


def _import_support() -> tuple[type, Callable]:
    """Return the mixin and the decorator of scikit-learn, or ones that do nothing."""
    try:
        from sklearn.callback import CallbackSupportMixin, with_callbacks
    except ImportError:
        return type("CallbackSupportMixin", (), {}), lambda method: method
    return CallbackSupportMixin, with_callbacks


CallbackSupportMixin, with_callbacks = _import_support()


class FitTasks:
    """Tells scikit-learn's callbacks of a fit and of each epoch in it.

    Parameters
    ----------
    estimator : ContextMemoryClassifier
        The classifier that is fitted.
    context : CallbackContext
        Of the whole fit.
    data : dict
        X, y and metadata, as the callbacks are to see them.
    rebuild : callable
        Gets a network and a TrainingResult, and returns the attributes of a classifier that was
        fitted to them.
    """

    def __init__(self, estimator: Any, context: Any, data: dict, rebuild: Callable) -> None:
        self.estimator = estimator
        self.context = context
        self.data = data | {"estimator": estimator}
        self.rebuild = rebuild
        context.call_on_fit_task_begin(**self.data)

    def begin_epoch(self) -> None:
        """Tell that an epoch begins."""
        self.epoch_ = self.context.subcontext(task_name="epoch")
        self.epoch_.call_on_fit_task_begin(**self.data)

    def end_epoch(self, snapshot: Callable) -> bool:
        """Tell that it has ended, and return whether a callback wants training to end.

        Parameters
        ----------
        snapshot : callable
            Returns the network and the result that training would end with now. It is called
            only if a callback wants a fitted classifier.
        """
        return self.epoch_.call_on_fit_task_end(
            **self.data, reconstruction_attributes=lambda: self.rebuild(*snapshot())
        )

    def end(self) -> None:
        """Tell that the fit has ended."""
        learned = vars(self.estimator).copy
        self.context.call_on_fit_task_end(**self.data, reconstruction_attributes=learned)


class EpochTasks(Callback):
    """Tell scikit-learn's callbacks of epochs, and end training where one of them wants to.

    Parameters
    ----------
    tasks : FitTasks
        What they are told by.
    stop : Stop
        What is asked to end training.
    snapshot : callable
        Gets the skorch net, and returns the network and the result that training would end with.
    """

    def __init__(self, tasks: FitTasks, stop: Stop, snapshot: Callable) -> None:
        self.tasks = tasks
        self.stop = stop
        self.snapshot = snapshot

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Tell of the beginning."""
        self.tasks.begin_epoch()

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Tell of the end."""
        if self.tasks.end_epoch(lambda: self.snapshot(net)):
            epoch = len(net.history)
            self.stop.ask(f"stopped by a callback of scikit-learn after epoch {epoch}")
