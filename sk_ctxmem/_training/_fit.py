"""fit_model: fit a model to X and y."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_random_state

from .._input._parameters import check_folder
from .._input._targets import (
    weigh_labels,
)
from .._messages import warn_caller
from .._model._fitted_model import FitResult, FittedModel, ready_to_predict
from .._network._attention import ATTENTION_WINDOW, FORMER_WINDOW, N_TURNS, SMALLEST_WINDOW
from .._network._convolution import WORD_WIDTH
from .._network._net import ContextMemoryNet
from .._network._random import OwnDefaults, drawing_from
from .._rows._held_out import hold_out_groups
from .._rows._reader import RowReader
from .._rows._row_set import RowSet
from .._runtime import (
    choose_device,
    explained_memory_errors,
    seeded_gpu,
    torch_defaults,
)
from ..exceptions import TrainingInterruptedWarning
from ._calibration import MIN_EPOCHS_WITH_CALIBRATION, choose_calibration_rows
from ._checkpoints import CheckpointFile, name_fit
from ._data import ReadData, check_data, read_again, read_data
from ._dataset import TrainingRows, split_rows
from ._draws import count_passes
from ._far_places import FarPlaces, choose_far_places
from ._linear_start import PASSES_FOR_THE_REST, LinearStart, find_linear_start
from ._penalties import NO_PENALTIES, Penalties, choose_penalties
from ._processes import OneProcess
from ._progress import progress_bar
from ._result import TrainingResult, extend_history
from ._sklearn_callbacks import FitTasks
from ._trainer import check_same_sizes, train
from ._user_callbacks import FitSetting, check_callbacks
from ._warm_start import check_warm_start

ONE_PROCESS = OneProcess()
ATTENTION_SIZES = ("window", "n_turns")  # of the network that a warm start continues
TINY_WEIGHT = 1e-6  # a label of weight 0 has finite odds too
NO_INFLUENCE_ON_TRAINING = {"callbacks", "verbose", "device", "random_state", "checkpoint"}


def fit_model(
    X: Any,
    y: Any,
    sample_weight: Any,
    groups: Any,
    params: SimpleNamespace,
    *,
    start: FitResult | None = None,
    tasks: FitTasks | None = None,
    processes: OneProcess = ONE_PROCESS,
) -> FitResult:
    """Fit a model.

    Parameters
    ----------
    X, y, sample_weight, groups : see ContextMemoryClassifier.fit
        Training data.
    params : SimpleNamespace
        Validated parameters of the classifier, and its `estimator_name`.
    start : FitResult or None, default=None
        Previous fit to continue from, for ``warm_start=True``.
    tasks : FitTasks or None, default=None
        Calls the scikit-learn callbacks.
    processes : OneProcess
        Process group.

    Returns
    -------
    result : FitResult
        Fitted model and history of training.
    """
    _check_checkpoint(params)
    setting = FitSetting(
        holds_out=params.n_iter_no_change is not None,
        has_checkpoint=params.checkpoint is not None,
        n_processes=processes.n_processes,
        rank=processes.rank,
    )
    callbacks = check_callbacks(params.callbacks, setting)
    data = check_data(X, y, sample_weight, groups, params)
    device = choose_device(processes.choose_device(params.device))
    if start is not None:
        start.model.reader.schema.check_kind(data.inputs)
        check_warm_start(start.model, data.schema, data.classes, params.embedder)
    processes.check_settings(training_settings(params) | {"fitted beforehand": start is not None})
    fit = Fit(params, data.classes, device, processes, start)
    fit.expect_labels(data.targets, as_sparse=data.sparse_labels)
    if tasks is not None:
        tasks.begin(fit.result)
    with progress_bar(int(params.verbose) * (processes.rank == 0), data.inputs.kind) as bar:
        read = read_data(data, params) if start is None else read_again(data, params, start.model)
        fit.use(read)
        watchers = {"bar": bar, "tasks": tasks, "callbacks": callbacks}
        return fit.run(read.rows, read.group_codes, data.targets, data.weights, watchers)


@dataclass
class Fit:
    """Steps of a fit after the validation of its input.

    Parameters
    ----------
    params : SimpleNamespace
        Parameters of the classifier.
    classes : ndarray of shape (n_classes,)
        Sorted class labels, or the names of the labels of which a row has several.
    device : str
        torch device for training.
    processes : OneProcess
        Process group.
    start : FitResult or None, default=None
        Previous fit to continue from.

    Attributes
    ----------
    multilabel : bool
        Whether a row has any number of labels.
    sparse_labels : bool
        Whether the indicators of labels were sparse.
    label_weights : ndarray of shape (2, n_labels) or None
        Weights of the rows without and with each label, in the loss of the label.
    reader : RowReader
        Fitted reader of rows.
    network_params : dict
        Parameters of the network.
    linear : LinearStart or None
        The wide path, if the rows have dense features alone.
    penalties : Penalties
        L2 penalties of the tables, for the sum of the losses of all rows.
    """

    params: SimpleNamespace
    classes: np.ndarray
    device: str
    processes: OneProcess
    start: FitResult | None = None

    multilabel: bool = False
    sparse_labels: bool = False
    label_weights: np.ndarray | None = None
    reader: RowReader = None  # type: ignore[assignment]  # set after construction
    network_params: dict[str, Any] = None  # type: ignore[assignment]
    linear: LinearStart | None = None
    penalties: Penalties = NO_PENALTIES

    def expect_labels(self, targets: np.ndarray, *, as_sparse: bool) -> None:
        """Fit any number of labels for each row, if the targets are their indicators."""
        if targets.ndim == 2:
            self.multilabel, self.sparse_labels = True, as_sparse
            self.label_weights = weigh_labels(self.params.class_weight, self.classes, targets)

    def use(self, read: ReadData, *, more_to_come: bool = False) -> None:
        """Use a reader, and set the parameters of the network for its rows."""
        self.reader = read.reader
        self.set_network_params(read.rows, read.values, more_to_come=more_to_come)

    def set_network_params(self, rows: RowSet, values: Any, *, more_to_come: bool = False) -> None:
        """Set the parameters of the network; a warm start must not change them."""
        n_classes = len(self.classes)
        chosen = choose_network_params(self.params, self.reader, rows, values, n_classes)
        chosen["window"] = choose_window(self.reader, more_to_come=more_to_come)
        chosen["multilabel"] = self.multilabel
        if self.start is not None:
            before = self.start.model.network_params
            chosen |= {name: before[name] for name in ATTENTION_SIZES}  # maybe of an older version
            check_same_sizes(before, chosen)
        self.network_params = chosen

    @torch_defaults()
    def run(
        self,
        rows: RowSet,
        group_codes: np.ndarray,
        targets: np.ndarray,
        weights: np.ndarray,
        watchers: dict[str, Any],
        checkpoint: CheckpointFile | None = None,
    ) -> FitResult:
        """Train a network on the rows, and return the result.

        Without a `checkpoint`, it is that of the parameters, if they have one.
        """
        random = self.processes.same_random(check_random_state(self.params.random_state))
        if checkpoint is None:
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
        """Create a network, or copy that of the previous fit, and train it."""
        params = self.params
        with self.seeded(seed):
            network = self.new_network()
            self.expect_label_shares(network, data[0])
            if self.linear is not None:
                self.linear.write(network)
            trained = train(
                network,
                *data,
                max_epochs=int(params.max_epochs),  # a small numpy integer type would overflow
                batch_size=int(params.batch_size),
                learning_rate=float(params.learning_rate),
                n_iter_no_change=params.n_iter_no_change,
                device=self.device,
                processes=self.processes,
                linear=self.linear,
                penalties=self.penalties,
                label_weights=self.label_weights,
                **watchers,
            )
        return network, trained

    @contextmanager
    def seeded(self, seed: int) -> Iterator[None]:
        """Draw from a seeded generator, and add advice to memory errors, inside the context."""
        with (
            torch_defaults(),
            drawing_from(torch.Generator("cpu").manual_seed(seed)),
            seeded_gpu(seed, self.device),
            explained_memory_errors(advise_on_memory(self.params)),
        ):
            yield

    def new_network(self) -> ContextMemoryNet:
        """Create a network with initial weights, or with the weights of the previous fit."""
        # always drawn, since dropout continues from the random state after the initial weights
        with OwnDefaults():
            network = ContextMemoryNet(**self.network_params)
        if self.start is not None:
            network.load_state_dict(self.start.model.network.state_dict())
        return network

    def expect_label_shares(self, network: ContextMemoryNet, data: TrainingRows) -> None:
        """Start the biases of several labels where their shares are, in a first fit.

        With the biases of the wide path, micro-F1 of abstracts gains .5 points and that of
        dialogue acts .6, and rare labels most.
        """
        if not self.multilabel or self.start is not None:
            return
        samples = data.current.samples
        weights = data.weights[samples].double()
        counts = weights @ data.targets[samples].double()
        both = torch.stack([weights.sum() - counts, counts]) + 1
        if self.label_weights is not None:
            both *= torch.from_numpy(self.label_weights) + TINY_WEIGHT
        network.expect_odds(both[1] / both[0])

    def result(self, network: ContextMemoryNet, trained: TrainingResult) -> FitResult:
        """Combine a network and the result of its training."""
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
            sparse_labels=self.sparse_labels,
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

    def choose_far_places(self, rows: RowSet) -> FarPlaces | None:
        """Return what places training pieces far from the beginning, if the memory needs it."""
        return choose_far_places(rows, self.params.memory, self.reader.longest_group)

    def choose_penalties(self, data: TrainingRows) -> None:
        """Choose the penalties of the tables, and the weights of dense features in a first fit.

        Those of the rows, which the validation rows share, are multiplied by the weights, and so
        are all that the reader reads from now on.
        """
        dense, rows = self.reader.dense, data.rows
        n_columns = 0 if dense is None else len(dense.owners)
        # the same in all processes, whose arithmetic may differ
        chosen = choose_penalties(data.as_samples(), len(self.classes), n_columns)
        chosen = self.processes.broadcast(chosen)
        self.penalties = chosen
        if self.start is not None or dense is None or rows.dense is None:
            return
        factors = np.repeat(
            [chosen.column_weight, chosen.embedding_weight], [n_columns, dense.n_embedded]
        )
        if (factors != 1).any():
            rows.dense[:, rows.dense.shape[1] - dense.n_features :] *= factors.astype(np.float32)
            self.reader = replace(self.reader, dense=dense.weighed(factors))
            embedding = chosen.embedding * chosen.embedding_weight**2
            self.penalties = replace(chosen, embedding=embedding)

    def _open_checkpoint(
        self,
        rows: RowSet,
        targets: np.ndarray,
        weights: np.ndarray,
        random: np.random.RandomState,
    ) -> CheckpointFile | None:
        """Return the checkpoint file of this fit, or None without `checkpoint`."""
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
        if self.label_weights is not None:
            settings["label_weights"] = self.label_weights.tolist()
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
        """Split the rows into training, validation and calibration rows."""
        params = self.params
        samples = np.arange(len(targets)) if rows.pools else group_codes
        held_out = np.zeros(len(targets), dtype=bool)
        if params.n_iter_no_change is not None:
            grouped = self.reader.has_groups and not rows.pools
            fraction = params.validation_fraction
            held_out = hold_out_groups(samples, targets, weights, fraction, random, grouped=grouped)
        held_out, of_rows, row_weights = (
            _of_rows(each, rows, group_codes) for each in (held_out, targets, weights)
        )
        train_rows, valid_rows = split_rows(rows, held_out, of_rows, row_weights, random)
        train_rows.far_places = self.choose_far_places(rows)
        train_rows.n_passes = count_passes(train_rows.rows, weights)
        calibration_rows = None
        is_long = params.max_epochs >= MIN_EPOCHS_WITH_CALIBRATION
        if self.start is None and valid_rows is None and is_long:
            is_calibration = choose_calibration_rows(samples, targets, weights, random)
            calibration_rows = train_rows.hold_back(_of_rows(is_calibration, rows, group_codes))
        self.choose_penalties(train_rows)
        if self.start is None:  # a warm start goes on from the wide path that it finds
            self.linear = find_linear_start(train_rows, len(self.classes), self.label_weights)
        if self.linear is not None:
            train_rows.n_passes = min(train_rows.n_passes, PASSES_FOR_THE_REST)
        return train_rows, valid_rows, calibration_rows


def _of_rows(values: np.ndarray, rows: RowSet, group_codes: np.ndarray) -> np.ndarray:
    """Return values of samples as values of rows: each row has that of its sequence."""
    return values[group_codes] if rows.pools else values


def training_settings(params: SimpleNamespace) -> dict[str, Any]:
    """Return the parameters that influence training, except for the seed."""
    settings = {
        name: value for name, value in vars(params).items() if name not in NO_INFLUENCE_ON_TRAINING
    }
    return settings | {"checkpoint": None if params.checkpoint is None else "a folder"}


def choose_network_params(
    params: SimpleNamespace, reader: RowReader, rows: RowSet, values: Any, n_classes: int
) -> dict[str, Any]:
    """Return the parameters of the network."""
    has_memory = reader.context != "none" or reader.word_memory
    return {
        "n_features": rows.features.shape[1],
        "n_classes": n_classes,
        "n_extras": 0 if rows.extras is None else rows.extras.shape[1],
        "n_speakers": len(reader.speakers) + 1,  # id 0 is for unknown speakers
        "sparse": not isinstance(rows.features, np.ndarray),
        "memory": params.memory,
        "context": reader.context,
        "width": int(params.hidden_size) if has_memory else -(-int(params.hidden_size) // 2),
        "n_words": values.vocabulary_size if reader.word_memory else 0,
        "dropout_rate": float(params.dropout),
        "n_dense": 0 if rows.dense is None else rows.dense.shape[1],
        "n_embedded": rows.n_embedded,
        "n_kept": 0 if reader.dense is None else len(reader.dense.owners),
        "n_turns": 0 if rows.turns is None else N_TURNS,
        "word_width": WORD_WIDTH if reader.word_memory == "convolution" else 0,
        "pools": rows.pools,
    }


def choose_window(reader: RowReader, *, more_to_come: bool) -> int:
    """Return the window of attention: at most the longest group, whose distances are trained.

    Weights of distances that no group of the fit has keep their initial value, which differs from
    those of the trained ones: with a window of 64, a minGRU that finds the speaker's last word in
    talks of 15 rows with accuracy 1.00 found it with .974 in talks of 150 rows.
    """
    if reader.context == "none":
        return FORMER_WINDOW
    if more_to_come or reader.longest_group is None:
        return ATTENTION_WINDOW
    window = min(ATTENTION_WINDOW, max(SMALLEST_WINDOW, reader.longest_group))
    return window + (window == FORMER_WINDOW)  # which stands for networks of earlier versions


def advise_on_memory(params: SimpleNamespace) -> str:
    """Return a remedy for memory errors: parameters to decrease."""
    return (
        f"pass a batch_size below {params.batch_size}, such as {max(1, params.batch_size // 4)}, "
        f"or a hidden_size below {params.hidden_size}, or fewer features, such as with "
        "TextSequenceVectorizer(max_features=100_000)"
    )


def warn_if_interrupted(result: FitResult, params: SimpleNamespace) -> None:
    """Warn if Ctrl-C stopped the fit early."""
    if not result.interrupted:
        return
    remedy = "To be able to resume a fit, set checkpoint= to a folder."
    if params.checkpoint is not None:
        remedy = f"The same fit resumes from its checkpoint in {str(params.checkpoint)!r}."
    warn_caller(
        f"Training was interrupted after {result.n_iter} of {params.max_epochs} epochs: the "
        "classifier is fitted with the best weights so far. A second Ctrl-C in the same batch "
        f"stops fit immediately and leaves the classifier unchanged. {remedy}",
        TrainingInterruptedWarning,
    )


def _check_checkpoint(params: SimpleNamespace) -> None:
    """Raise unless `checkpoint` is the path of a folder, and `random_state` is set."""
    check_folder("checkpoint", params.checkpoint)
    if params.checkpoint is not None and params.random_state in (None, np.random):
        raise ValueError(
            f"checkpoint={str(params.checkpoint)!r} needs a random_state, which identifies the "
            f"fit to resume, but it is {params.random_state!r}; pass an integer, such as "
            "random_state=0."
        )
