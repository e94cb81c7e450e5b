"""What fit does, step by step."""

import copy
import warnings
from hashlib import sha256

import numpy as np
from sklearn.utils import check_random_state

from .._features._featurize import fit_features
from .._input._parameters import check_folder, check_parameters
from .._input._rows import read_rows
from .._input._targets import check_sample_weight, check_target
from .._network._net import ContextMemoryNet
from .._rows._arrange import encode_groups, learn_speakers
from .._rows._held_out import hold_out_groups
from .._runtime import (
    choose_device,
    explained_memory_errors,
    forked_random_state,
    single_precision,
)
from ..exceptions import TrainingInterruptedWarning
from ._calibration import MIN_EPOCHS_WITH_CALIBRATION, choose_calibration_rows
from ._checkpoints import CheckpointFile, name_fit
from ._dataset import split_rows
from ._processes import OneProcess
from ._progress import progress_bar
from ._result import extend_history
from ._sklearn_callbacks import FitTasks, with_callbacks
from ._trainer import check_same_sizes, train
from ._user_callbacks import check_callbacks

ALONE = OneProcess()


class FittingMixin:
    """The steps of a fit.

    The class that takes it reads rows by `_vectorize` and `_arrange`, and keeps its network by
    `_set_network`.
    """

    @with_callbacks
    def _fit(self, X, y, sample_weight, groups, processes=ALONE):
        """Fit, and return whether Ctrl-C ended it before its time."""
        check_parameters(self, self._legal_values)
        check_folder("checkpoint", self.checkpoint)
        self._check_seed()
        callbacks = check_callbacks(self.callbacks)
        columns = self._role_columns()
        inputs = read_rows(self, X, groups, columns, reset=True)
        classes, targets = check_target(y, inputs.n_rows)
        device = choose_device(processes.choose_device(self.device))
        weights = check_sample_weight(sample_weight, self.class_weight, classes, targets)
        warm = self.warm_start and self.__sklearn_is_fitted__()
        if warm:
            self._check_warm_start(inputs, classes)
        processes.check_settings(self._training_settings() | {"fitted beforehand": warm})
        tasks = None
        if processes.n_processes == 1:
            tasks = self._begin_tasks(X, y, sample_weight, warm, device)
        with progress_bar(int(self.verbose) * (processes.rank == 0), inputs.kind) as bar:
            values = self._vectorize(inputs) if warm else self._learn_inputs(inputs, weights)
            self._keep_reading(inputs, columns, classes)
            rows = self._arrange(inputs, values, self._reading)
            self._keep_sizes(self._network_sizes(rows, values, len(classes)), warm)
            data = (rows, encode_groups(inputs), targets, weights)
            watchers = {"bar": bar, "tasks": tasks}
            watchers["callbacks"] = callbacks if processes.rank == 0 else []
            interrupted = self._train(data, warm, device, watchers, processes)
        if tasks is not None:
            tasks.end()
        return interrupted

    def _training_settings(self):
        """Return the parameters that decide training, but for the seed."""
        others = {"callbacks", "verbose", "device", "random_state", "checkpoint"}
        settings = {
            name: value for name, value in self.get_params(deep=False).items() if name not in others
        }
        return settings | {"checkpoint": None if self.checkpoint is None else "a folder"}

    def _begin_tasks(self, X, y, sample_weight, warm, device):
        """Tell scikit-learn's callbacks, if there are any, that the fit begins."""
        if not hasattr(self, "_init_callback_context"):  # scikit-learn before 1.9
            return None
        context = self._init_callback_context(max_subtasks=int(self.max_epochs))
        if not hasattr(self, "_skl_callbacks"):
            return None
        # Scorers of scikit-learn fail on groups; without them our predict warns.
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        before = getattr(self, "history_", None) if warm else None

        def rebuild(network, result):
            copied = copy.copy(self)
            copied._keep_result(network, result, before, device)
            return vars(copied)

        data = {"X": X, "y": y, "metadata": metadata}
        return FitTasks(self, context, data, rebuild)

    def _keep_sizes(self, sizes, warm):
        """Keep the arguments of the network, which a warm start cannot change."""
        if warm:
            check_same_sizes(self._sizes, sizes)
        self._sizes = sizes

    def _check_seed(self):
        """Raise unless a fit with checkpoints has a seed that tells it from others."""
        if self.checkpoint is not None and self.random_state in (None, np.random):
            raise ValueError(
                f"checkpoint={str(self.checkpoint)!r} needs a random_state, by which a fit that "
                f"was killed is told from another, but it is {self.random_state!r}; pass an "
                "integer, such as random_state=0."
            )

    def _role_columns(self):
        """Return the names of the columns by their roles."""
        return {
            "text": self.text_column,
            "group": self.group_column,
            "order": self.order_column,
            "speaker": self.speaker_column,
        }

    def _keep_reading(self, inputs, columns, classes):
        """Keep how rows are read and what is told of them, for later rows."""
        self.classes_ = classes
        self._columns = columns
        self._has_groups = inputs.groups is not None
        self._wants_context = self.context != "none"
        context = self.context if self._has_groups else "none"
        self._reading = {"context": context, "word_memory": self.word_memory}

    def _check_warm_start(self, inputs, classes):
        """Raise unless a fit can go on from the last one."""
        if not np.array_equal(classes, self.classes_):
            raise ValueError(
                f"warm_start=True needs the classes of the last fit, {self.classes_.tolist()}, "
                f"but y has {classes.tolist()}; pass warm_start=False to start anew."
            )
        self._check_kind(inputs)

    def _learn_inputs(self, inputs, weights, *, more_to_come=False):
        """Learn how to read input like this, and turn it into features."""
        values, self.vectorizer_, self.scaler_ = fit_features(
            inputs, self.vectorizer, weights, more_to_come=more_to_come
        )
        self.speakers_ = learn_speakers(inputs, encode_groups(inputs))
        self._input_kind = inputs.kind
        return values

    def _network_sizes(self, rows, values, n_classes):
        """Return the arguments of the network."""
        remembers = rows.context != "none" or self.word_memory
        return {
            "n_features": rows.features.shape[1],
            "n_classes": n_classes,
            "n_extras": 0 if rows.extras is None else rows.extras.shape[1],
            "n_speakers": len(self.speakers_) + 1,  # and the unknown ones
            "sparse": not isinstance(rows.features, np.ndarray),
            "memory": self.memory,
            "context": rows.context,
            "width": int(self.hidden_size) if remembers else -(-int(self.hidden_size) // 2),
            "n_words": values.vocabulary_size if self.word_memory else 0,
            "dropout_rate": float(self.dropout),
        }

    def _train(self, data, warm, device, watchers, processes):
        """Train a network, keep what was learned, and return whether Ctrl-C ended it."""
        rows, units, targets, weights = data
        random = processes.same_random(check_random_state(self.random_state))
        checkpoint = self._open_checkpoint(rows, targets, weights, warm, random, processes)
        data = processes.shard(*self._split(rows, units, targets, weights, warm, random))
        watchers = watchers | {"checkpoint": checkpoint, "processes": processes}
        seed = random.randint(2**31 - 1)
        network, result = self._train_network(data, seed, warm, device, watchers)
        self._keep_result(network, result, self.history_ if warm else None, device)
        interrupted = result.interrupted and len(result.history) < self.max_epochs
        if checkpoint is not None and not interrupted:
            checkpoint.remove()
        return interrupted

    def _keep_result(self, network, result, before, device):
        """Keep a network and what training told; `before` is the history it went on from."""
        self.n_iter_ = len(result.history)
        self.stop_reason_ = result.stop_reason
        if before is None:
            self.history_ = result.history
            self.temperature_ = result.temperature
        else:
            self.history_ = extend_history(before, result.history)
        self._stream = None  # partial_fit would go on from the weights alone
        self._set_network(network, device)

    def _open_checkpoint(self, rows, targets, weights, warm, random, processes):
        """Return the file of this fit in the folder of checkpoints, if there is to be one."""
        if self.checkpoint is None:
            return None
        names = ("max_epochs", "batch_size", "learning_rate", "validation_fraction")
        settings = {name: getattr(self, name) for name in (*names, "n_iter_no_change")}
        state = random.get_state(legacy=False)
        settings["random state"] = sha256(repr(state["state"]).encode()).hexdigest()
        settings["n_processes"] = processes.n_processes
        network = self._network if warm else None
        name = name_fit(rows, targets, weights, network, settings | self._sizes)
        return CheckpointFile(self.checkpoint, name, processes)

    def _split(self, rows, units, targets, weights, warm, random):
        """Return the rows to train on, those to validate on, and those that join late."""
        held_out = np.zeros(len(targets), dtype=bool)
        if self.n_iter_no_change is not None:
            grouped = self._has_groups
            share = self.validation_fraction
            held_out = hold_out_groups(units, targets, weights, share, random, grouped=grouped)
        train_rows, valid_rows = split_rows(rows, held_out, targets, weights, random)
        calibration_rows = None
        if not warm and valid_rows is None and self.max_epochs >= MIN_EPOCHS_WITH_CALIBRATION:
            late = choose_calibration_rows(units, targets, weights, random)
            calibration_rows = train_rows.hold_back(late)
        return train_rows, valid_rows, calibration_rows

    def _train_network(self, data, seed, warm, device, watchers):
        """Make a network, or copy the last one, and train it."""
        with (
            forked_random_state(seed, device),
            single_precision(),
            explained_memory_errors(self._advise_on_memory()),
        ):
            network = ContextMemoryNet(**self._sizes)
            if warm:
                network.load_state_dict(self._network.state_dict())
            result = train(
                network,
                *data,
                max_epochs=int(self.max_epochs),  # a small integer of numpy would overflow
                batch_size=int(self.batch_size),
                learning_rate=float(self.learning_rate),
                n_iter_no_change=self.n_iter_no_change,
                device=device,
                **watchers,
            )
        return network, result

    def _advise_on_memory(self):
        """Return what to make smaller where memory runs out."""
        return (
            f"pass a batch_size below {self.batch_size}, such as {max(1, self.batch_size // 4)}, "
            f"or a hidden_size below {self.hidden_size}, or fewer features, such as by "
            "TextSequenceVectorizer(max_features=100_000)"
        )

    def _warn_of_interrupt(self):
        """Say that Ctrl-C was heard, and what the classifier is now."""
        go_on = "set checkpoint= to a folder to be able to go on with it another time."
        if self.checkpoint is not None:
            go_on = f"the same fit goes on from its checkpoint in {str(self.checkpoint)!r}."
        warnings.warn(
            f"Training was interrupted after {self.n_iter_} of {self.max_epochs} epochs: the "
            "classifier is fitted with the best weights until then. A second Ctrl-C in the same "
            f"batch ends fit at once, and leaves the classifier as it was; {go_on}",
            TrainingInterruptedWarning,
            stacklevel=3,
        )
