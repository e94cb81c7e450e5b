"""Checks of the skorch callbacks that the user passes."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    Freezer,
    GradientNormClipping,
    InputShapeSetter,
    LoadInitState,
    LRScheduler,
    MlflowLogger,
    ParamMapper,
    PassthroughScoring,
    PrintLog,
    TrainEndCheckpoint,
    Unfreezer,
    WandbLogger,
)

HELD_OUT_NAMES = ("valid_loss", "valid_score")  # of the history, where rows are held out
SCORING = (EpochScoring, BatchScoring, PassthroughScoring)
# Several processes must change their copies of the network in the same way. Other callbacks are
# called in the first process only, so that each file and each run is written once.
IN_ALL_PROCESSES = (LRScheduler, GradientNormClipping, Freezer, Unfreezer)


class FitSetting(NamedTuple):
    """The properties of a fit that decide which callbacks can work in it.

    Parameters
    ----------
    holds_out : bool
        Whether rows are held out.
    is_chunk : bool, default=False
        Whether this is one call of `partial_fit`.
    in_memory : bool, default=True
        Whether the training rows are in memory, not streamed from files.
    has_checkpoint : bool, default=False
        Whether `checkpoint` is set.
    n_processes, rank : int, default=1 and 0
        Number of processes that fit together, and the number of this one.
    """

    holds_out: bool
    is_chunk: bool = False
    in_memory: bool = True
    has_checkpoint: bool = False
    n_processes: int = 1
    rank: int = 0


def check_callbacks(callbacks: Any, setting: FitSetting | None = None) -> list[Callback]:
    """Return copies of callbacks, ready for a fit.

    A copy shares the objects that the callback was made with, such as a TensorBoard writer, but
    attributes that a fit sets in the copy do not change the original.

    Parameters
    ----------
    callbacks : list of Callback or of (str, Callback), or None
        The parameter of the classifier.
    setting : FitSetting or None, default=None
        The properties of the fit, as far as its parameters say, for an early error.

    Returns
    -------
    copies : list of Callback
        In the same order, except that each PrintLog comes last, as in skorch.

    Raises
    ------
    TypeError
        If `callbacks` is no list, or an element of it is not a callback of skorch.
    ValueError
        If a callback of skorch cannot work. The message has its name and the remedy.
    """
    if callbacks is None:
        return []
    if not isinstance(callbacks, list | tuple):
        raise TypeError(
            f"callbacks={callbacks!r:.200} must be a list of callbacks of skorch, or None; pass "
            "callbacks=[...]."
        )
    copies = [_copy_callback(item, place) for place, item in enumerate(callbacks)]
    if setting is not None:
        adapt_callbacks(copies, setting)
    return sorted(copies, key=lambda callback: isinstance(callback, PrintLog))


def _copy_callback(item: Any, place: int) -> Callback:
    is_pair = isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str)
    callback = item[1] if is_pair else item
    if not isinstance(callback, Callback):
        raise TypeError(
            f"callbacks[{place}]={item!r:.200} is not a callback of skorch, nor a pair of a name "
            f"and a callback; {_advise_on_kind(callback)}."
        )
    _check_supported(callback)
    copied = copy.copy(callback)
    copied.initialize()
    return copied


def _advise_on_kind(item: Any) -> str:
    """Return the remedy for an item that is not a callback of skorch."""
    if isinstance(item, type) and issubclass(item, Callback):
        return f"pass an instance of it, such as {item.__name__}()"
    if hasattr(item, "on_fit_task_end"):
        return "pass callbacks of scikit-learn to set_callbacks"
    return "pass an instance of a class that inherits from skorch.callbacks.Callback"


def _check_supported(callback: Callback) -> None:
    """Raise if a callback of skorch can work in no fit of ours."""
    reason = ""
    if isinstance(callback, InputShapeSetter):
        reason = "the sizes of the network follow from the rows; leave the callback out"
    elif isinstance(callback, LoadInitState):
        reason = (
            "it restores neither learning rates nor random states; pass checkpoint= to continue "
            "a fit that was killed, or warm_start=True to start from the weights of the last fit"
        )
    elif isinstance(callback, Checkpoint | TrainEndCheckpoint) and callback.f_pickle:
        reason = (
            f"f_pickle={callback.f_pickle!r} would pickle the training rows with the net; pass "
            "f_pickle=None, and call save or pickle the classifier after fit"
        )
    elif isinstance(callback, BatchScoring) and not callback.use_caching:
        reason = "use_caching=False would predict every batch twice; pass use_caching=True"
    if reason:
        raise ValueError(f"{_name(callback)} cannot be used with this classifier: {reason}.")


def adapt_callbacks(callbacks: list[Callback], setting: FitSetting) -> list[Callback]:
    """Return the callbacks to call in this process, or raise if one cannot work in this fit.

    A Checkpoint that monitors the validation loss, as it does by default, monitors the training
    loss where no rows are held out.

    Parameters
    ----------
    callbacks : list of Callback
        The copies that `check_callbacks` returned; their attributes may be changed.
    setting : FitSetting
        The properties of the fit.

    Raises
    ------
    ValueError
        If a callback cannot work in this fit. The message has its name and the remedy.
    """
    for callback in callbacks:
        if isinstance(callback, Checkpoint) and not setting.holds_out:
            if callback.monitor == "valid_loss_best":
                callback.monitor = "train_loss_best"
        reason = _find_obstacle(callback, setting)
        if reason:
            raise ValueError(f"{_name(callback)} {reason}.")
    if setting.rank == 0:
        return callbacks
    return [callback for callback in callbacks if isinstance(callback, IN_ALL_PROCESSES)]


def _find_obstacle(callback: Callback, setting: FitSetting) -> str:
    """Return why a callback cannot work in a fit, and the remedy; empty if it can."""
    if isinstance(callback, MlflowLogger) and setting.rank == 0 and callback.run_ is None:
        return (
            "found no active run; call fit inside `with mlflow.start_run():`, or pass "
            "MlflowLogger(run=...)"
        )
    if isinstance(callback, LRScheduler) and setting.is_chunk:
        return (
            "cannot be used in partial_fit, as each call is a fit of one epoch; change the rate "
            "between calls by set_params(learning_rate=...)"
        )
    if isinstance(callback, LRScheduler) and setting.has_checkpoint:
        return "cannot be used with checkpoint=, which keeps no state of callbacks; pass only one"
    if setting.n_processes > 1 and _differs_between_processes(callback):
        return (
            f"cannot be used in {setting.n_processes} processes, each of which has other rows and "
            "other random numbers; use the valid_score of the history, or fit in one process"
        )
    if isinstance(callback, EpochScoring) and callback.on_train and not setting.in_memory:
        return "" if callback.use_caching else "needs use_caching=True for rows read from files"
    return "" if setting.holds_out else _find_missing_rows(callback, setting)


def _find_missing_rows(callback: Callback, setting: FitSetting) -> str:
    """Return why a callback cannot work without held-out rows, and the remedy; empty if it can."""
    remedy = _remedy_without_held_out(callback)
    if not remedy:
        return ""
    if setting.is_chunk:
        return f"needs held-out rows, and partial_fit holds none out; {remedy}"
    return (
        "needs held-out rows, and this fit has none; pass n_iter_no_change=, which holds out "
        f"validation_fraction of the rows if they are at least 10, or {remedy}"
    )


def _differs_between_processes(callback: Callback) -> bool:
    """Return whether a callback would compute something else in each of several processes."""
    is_random = isinstance(callback, ParamMapper) and not isinstance(callback, Freezer | Unfreezer)
    return is_random or isinstance(callback, EpochScoring | BatchScoring)


def _remedy_without_held_out(callback: Callback) -> str:
    """Return the change that a callback needs without held-out rows; empty if it needs none."""
    if isinstance(callback, WandbLogger):
        return "pass save_model=False" if callback.save_model else ""
    if isinstance(callback, SCORING):
        return "" if callback.on_train else "pass on_train=True"
    monitor = getattr(callback, "monitor", None)
    is_known = isinstance(callback, EarlyStopping | Checkpoint | LRScheduler)
    if is_known and isinstance(monitor, str) and monitor.startswith(HELD_OUT_NAMES):
        suffix = "_best" if monitor.endswith("_best") else ""
        return f"pass monitor='train_loss{suffix}'"
    return ""


def _name(callback: Callback) -> str:
    """Return the name of the class of a callback."""
    return type(callback).__name__
