"""fit_model: one fit, from X and y to a FitResult."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from .._input._parameters import check_folder
from .._input._rows import InputSchema, read_training_rows
from .._input._targets import check_sample_weight, check_target
from .._messages import warn_caller
from .._model._fitted_model import FitResult, FittedModel, ready_to_predict
from .._network._net import ContextMemoryNet
from .._rows._arrange import encode_groups
from .._rows._held_out import hold_out_groups
from .._rows._reader import RowReader, fit_reader, make_reader
from .._rows._row_set import RowSet
from .._runtime import (
    choose_device,
    explained_memory_errors,
    forked_random_state,
    single_precision,
)
from ..exceptions import TrainingInterruptedWarning
from ._calibration import MIN_EPOCHS_WITH_CALIBRATION, choose_calibration_rows
from ._checkpoints import CheckpointFile, name_fit
from ._dataset import TrainingRows, split_rows
from ._processes import OneProcess
from ._progress import progress_bar
from ._result import TrainingResult, extend_history
from ._sklearn_callbacks import FitTasks
from ._trainer import check_same_sizes, train
from ._user_callbacks import FitSetting, check_callbacks

ALONE = OneProcess()
NOT_OF_TRAINING = {"callbacks", "verbose", "device", "random_state", "checkpoint"}


def fit_model(
    X: Any,
    y: Any,
    sample_weight: Any,
    groups: Any,
    params: SimpleNamespace,
    *,
    start: FitResult | None = None,
    tasks: FitTasks | None = None,
    processes: OneProcess = ALONE,
) -> FitResult:
    """Fit a model.

    Parameters
    ----------
    X, y, sample_weight, groups : see ContextMemoryClassifier.fit
        The training data.
    params : SimpleNamespace
        Parameters of the classifier, each valid by itself, and its `estimator_name`.
    start : FitResult or None, default=None
        Fit to continue from, as by ``warm_start=True``.
    tasks : FitTasks or None, default=None
        Calls the callbacks of scikit-learn.
    processes : OneProcess
        Processes that fit together.

    Returns
    -------
    result : FitResult
        The fitted model and how training went.
    """
    _check_checkpoint(params)
    setting = FitSetting(
        holds_out=params.n_iter_no_change is not None,
        has_checkpoint=params.checkpoint is not None,
        n_processes=processes.n_processes,
        rank=processes.rank,
    )
    callbacks = check_callbacks(params.callbacks, setting)
    inputs, schema = read_training_rows(X, groups, role_columns(params), params.estimator_name)
    classes, targets = check_target(y, inputs.n_rows)
    device = choose_device(processes.choose_device(params.device))
    weights = check_sample_weight(sample_weight, params.class_weight, classes, targets)
    if start is not None:
        _check_warm_start(start.model, schema, classes)
    processes.check_settings(training_settings(params) | {"fitted beforehand": start is not None})
    fit = Fit(params, classes, device, processes, start)
    if tasks is not None:
        tasks.begin(fit.result)
    with progress_bar(int(params.verbose) * (processes.rank == 0), inputs.kind) as bar:
        group_codes = encode_groups(inputs)
        if start is None:
            fit.reader, values = fit_reader(inputs, schema, params, weights, group_codes)
        else:
            fit.reader = make_reader(inputs, schema, params, *_fitted_parts(start.model))
            values = fit.reader.vectorize(inputs)
        rows = fit.reader.build_rows(inputs, values, group_codes)
        fit.set_network_params(rows, values)
        watchers = {"bar": bar, "tasks": tasks, "callbacks": callbacks}
        return fit.run(rows, group_codes, targets, weights, watchers)


@dataclass
class Fit:
    """The steps of a fit that follow the checks of its input.

    Parameters
    ----------
    params : SimpleNamespace
        Parameters of the classifier.
    classes : ndarray of shape (n_classes,)
        The classes, sorted.
    device : str
        Device of torch to train on.
    processes : OneProcess
        Processes that fit together.
    start : FitResult or None, default=None
        Fit to continue from.

    Attributes
    ----------
    reader : RowReader
        How rows are read.
    network_params : dict
        Arguments of the network.
    """

    params: SimpleNamespace
    classes: np.ndarray
    device: str
    processes: OneProcess
    start: FitResult | None = None

    reader: RowReader = None  # type: ignore[assignment]  # set as soon as it is known
    network_params: dict[str, Any] = None  # type: ignore[assignment]

    def set_network_params(self, rows: RowSet, values: Any) -> None:
        """Choose the arguments of the network, which a warm start cannot change."""
        n_classes = len(self.classes)
        chosen = choose_network_params(self.params, self.reader, rows, values, n_classes)
        if self.start is not None:
            check_same_sizes(self.start.model.network_params, chosen)
        self.network_params = chosen

    def run(
        self,
        rows: RowSet,
        group_codes: np.ndarray,
        targets: np.ndarray,
        weights: np.ndarray,
        watchers: dict[str, Any],
    ) -> FitResult:
        """Train a network on rows, and return the result."""
        random = self.processes.same_random(check_random_state(self.params.random_state))
        checkpoint = self._open_checkpoint(rows, targets, weights, random)
        data = self.processes.shard(*self._split(rows, group_codes, targets, weights, random))
        watchers = watchers | {"checkpoint": checkpoint}
        network, trained = self.train(data, random.randint(2**31 - 1), watchers)
        result = self.result(network, trained)
        if checkpoint is not None and not result.interrupted:
            checkpoint.remove()
        return result

    def train(
        self, data: tuple, seed: int, watchers: dict[str, Any]
    ) -> tuple[ContextMemoryNet, TrainingResult]:
        """Make a network, or copy the one to continue from, and train it."""
        params = self.params
        with self.seeded(seed):
            network = self.new_network()
            trained = train(
                network,
                *data,
                max_epochs=int(params.max_epochs),  # a small integer of numpy would overflow
                batch_size=int(params.batch_size),
                learning_rate=float(params.learning_rate),
                n_iter_no_change=params.n_iter_no_change,
                device=self.device,
                processes=self.processes,
                **watchers,
            )
        return network, trained

    @contextmanager
    def seeded(self, seed: int) -> Iterator[None]:
        """Seed torch, in single precision, and explain memory errors, for a while."""
        with (
            forked_random_state(seed, self.device),
            single_precision(),
            explained_memory_errors(advise_on_memory(self.params)),
        ):
            yield

    def new_network(self) -> ContextMemoryNet:
        """Make a network with initial weights, or with those of the fit to continue from."""
        # always draw initial weights: dropout continues from the random state after them
        network = ContextMemoryNet(**self.network_params)
        if self.start is not None:
            network.load_state_dict(self.start.model.network.state_dict())
        return network

    def result(self, network: ContextMemoryNet, trained: TrainingResult) -> FitResult:
        """Return what a network and the history of its training make together."""
        temperature, history = trained.temperature, trained.history
        if self.start is not None:
            temperature = self.start.model.temperature
            history = extend_history(self.start.history, history)
        model = FittedModel(
            reader=self.reader,
            classes=self.classes,
            temperature=temperature,
            network=ready_to_predict(network, self.device),
            network_params=self.network_params,
            device=self.device,
        )
        n_iter = len(trained.history)
        return FitResult(
            model,
            history,
            n_iter,
            trained.stop_reason,
            net=trained.net,
            interrupted=trained.interrupted and n_iter < self.params.max_epochs,
        )

    def _open_checkpoint(
        self,
        rows: RowSet,
        targets: np.ndarray,
        weights: np.ndarray,
        random: np.random.RandomState,
    ) -> CheckpointFile | None:
        """Return the file of this fit in the folder of checkpoints, if there is to be one."""
        params = self.params
        if params.checkpoint is None:
            return None
        settings = {
            "max_epochs": params.max_epochs,
            "batch_size": params.batch_size,
            "learning_rate": params.learning_rate,
            "validation_fraction": params.validation_fraction,
            "n_iter_no_change": params.n_iter_no_change,
        }
        state = random.get_state(legacy=False)
        settings["random state"] = sha256(repr(state["state"]).encode()).hexdigest()
        settings["n_processes"] = self.processes.n_processes
        network = None if self.start is None else self.start.model.network
        name = name_fit(rows, targets, weights, network, settings | self.network_params)
        return CheckpointFile(params.checkpoint, name, self.processes)

    def _split(
        self,
        rows: RowSet,
        group_codes: np.ndarray,
        targets: np.ndarray,
        weights: np.ndarray,
        random: np.random.RandomState,
    ) -> tuple[TrainingRows, TrainingRows | None, TrainingRows | None]:
        """Return the rows to train on, to validate on, and to calibrate the temperature on."""
        params = self.params
        held_out = np.zeros(len(targets), dtype=bool)
        if params.n_iter_no_change is not None:
            grouped, fraction = self.reader.has_groups, params.validation_fraction
            held_out = hold_out_groups(
                group_codes, targets, weights, fraction, random, grouped=grouped
            )
        train_rows, valid_rows = split_rows(rows, held_out, targets, weights, random)
        calibration_rows = None
        is_long = params.max_epochs >= MIN_EPOCHS_WITH_CALIBRATION
        if self.start is None and valid_rows is None and is_long:
            is_calibration = choose_calibration_rows(group_codes, targets, weights, random)
            calibration_rows = train_rows.hold_back(is_calibration)
        return train_rows, valid_rows, calibration_rows


def role_columns(params: SimpleNamespace) -> dict[str, Any]:
    """Return the names of the columns by their roles."""
    return {
        "text": params.text_column,
        "group": params.group_column,
        "order": params.order_column,
        "speaker": params.speaker_column,
    }


def training_settings(params: SimpleNamespace) -> dict[str, Any]:
    """Return the parameters that decide training, but for the seed."""
    settings = {name: value for name, value in vars(params).items() if name not in NOT_OF_TRAINING}
    return settings | {"checkpoint": None if params.checkpoint is None else "a folder"}


def choose_network_params(
    params: SimpleNamespace, reader: RowReader, rows: RowSet, values: Any, n_classes: int
) -> dict[str, Any]:
    """Return the arguments of the network."""
    remembers = reader.context != "none" or reader.word_memory
    return {
        "n_features": rows.features.shape[1],
        "n_classes": n_classes,
        "n_extras": 0 if rows.extras is None else rows.extras.shape[1],
        "n_speakers": len(reader.speakers) + 1,  # and the unknown ones
        "sparse": not isinstance(rows.features, np.ndarray),
        "memory": params.memory,
        "context": reader.context,
        "width": int(params.hidden_size) if remembers else -(-int(params.hidden_size) // 2),
        "n_words": values.vocabulary_size if reader.word_memory else 0,
        "dropout_rate": float(params.dropout),
    }


def advise_on_memory(params: SimpleNamespace) -> str:
    """Return what to make smaller where memory runs out."""
    return (
        f"pass a batch_size below {params.batch_size}, such as {max(1, params.batch_size // 4)}, "
        f"or a hidden_size below {params.hidden_size}, or fewer features, such as by "
        "TextSequenceVectorizer(max_features=100_000)"
    )


def warn_if_interrupted(result: FitResult, params: SimpleNamespace) -> None:
    """Warn that Ctrl-C ended a fit, and say what the classifier is now."""
    if not result.interrupted:
        return
    go_on = "set checkpoint= to a folder to be able to go on with it another time."
    if params.checkpoint is not None:
        go_on = f"the same fit goes on from its checkpoint in {str(params.checkpoint)!r}."
    warn_caller(
        f"Training was interrupted after {result.n_iter} of {params.max_epochs} epochs: the "
        "classifier is fitted with the best weights until then. A second Ctrl-C in the same "
        f"batch ends fit at once, and leaves the classifier as it was; {go_on}",
        TrainingInterruptedWarning,
    )


def _check_checkpoint(params: SimpleNamespace) -> None:
    """Raise unless the folder is one, and the fit has a seed that tells it from others."""
    check_folder("checkpoint", params.checkpoint)
    if params.checkpoint is not None and params.random_state in (None, np.random):
        raise ValueError(
            f"checkpoint={str(params.checkpoint)!r} needs a random_state, by which a fit that "
            f"was killed is told from another, but it is {params.random_state!r}; pass an "
            "integer, such as random_state=0."
        )


def _check_warm_start(model: FittedModel, schema: InputSchema, classes: np.ndarray) -> None:
    """Raise unless a fit can go on from a model."""
    if not np.array_equal(classes, model.classes):
        raise ValueError(
            f"warm_start=True needs the classes of the last fit, {model.classes.tolist()}, "
            f"but y has {classes.tolist()}; pass warm_start=False to start anew."
        )
    before = model.reader.schema
    before.check_kind(schema)
    if schema.kind == "text":
        return
    names, names_before = (
        None if each.feature_names_in is None else each.feature_names_in.tolist()
        for each in (schema, before)
    )
    if (schema.n_features_in, names) != (before.n_features_in, names_before):
        raise ValueError(
            f"warm_start=True needs the features of the last fit, {names_before or ''} "
            f"({before.n_features_in} columns), but X has {names or ''} ({schema.n_features_in} "
            "columns); pass the same columns in the same order, or warm_start=False to start anew."
        )


def _fitted_parts(model: FittedModel) -> tuple[Any, Any, dict]:
    """Return vectorizer, scaler and speakers of a model."""
    return model.reader.vectorizer, model.reader.scaler, model.reader.speakers
