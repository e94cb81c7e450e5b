"""partial_fit, for data that comes in chunks."""

import copy
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from .._input._parameters import check_parameters
from .._input._rows import read_rows, unchanged_on_error
from .._input._targets import check_chunk_weights, check_classes, find_classes
from .._network._net import ContextMemoryNet
from .._runtime import (
    choose_device,
    explained_memory_errors,
    forked_random_state,
    single_precision,
)
from ._chunk import new_stream, train_chunk
from ._dataset import TrainingRows
from ._result import extend_history
from ._user_callbacks import check_callbacks


class PartialFitMixin:
    """Fitting on one chunk of rows after the other, in memory for one chunk.

    The class that takes it has the steps of `FittingMixin` too.
    """

    _stream: dict[str, Any] | None

    def partial_fit(self, X, y, classes=None, sample_weight=None, groups=None):
        """Train one epoch on a chunk of rows.

        The first chunk decides which n-grams and speakers are known, and is all that the rates
        of training are found from: let it be large, and like the others. Chunks are to be passed
        several times for the accuracy of `fit`, in any order, and must not cut a group: see
        :func:`sk_ctxmem.whole_groups`. After `fit` or `load` training goes on from there.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Texts; or a DataFrame with the columns named in the parameters; or features, dense
            or sparse, of shape (n_rows, n_features).

        y : array-like of shape (n_rows,)
            Their classes. A chunk may lack some.

        classes : array-like of shape (n_classes,) or None, default=None
            All classes that any chunk has; needed in the first call only.

        sample_weight : array-like of shape (n_rows,) or None, default=None
            Weights of the rows, taken as they are: they should be about 1 on the average.

        groups : array-like of shape (n_rows,) or None, default=None
            Which conversation or document each row belongs to, if no column says so.

        Returns
        -------
        self : ContextMemoryClassifier
            The classifier, which can predict after every call.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the input is not legal, or y has a class that is not known.
        TrainingDivergedError
            If the loss becomes infinite or NaN.

        Notes
        -----
        The parameters `max_epochs`, `n_iter_no_change`, `validation_fraction`, `checkpoint`,
        `warm_start` and `verbose` play no part, and those that shape the network or say how rows
        are read, such as `hidden_size` and `group_column`, only in the first call, as does
        `batch_size`. `history_` has a row for each call. Rates do not
        decay, and what predicts is a running mean of the weights. No rows are left to tell a
        temperature: `temperature_` is 1, or what `fit` found. One of `callbacks` that ends
        training has no effect but on `stop_reason_`, as a call is one epoch. What training needs
        to go on is kept in pickles, but not in the files of `save`: after `load`, the optimiser
        begins anew.
        """
        with unchanged_on_error(self):
            return self._partial_fit(X, y, classes, sample_weight, groups)

    def _partial_fit(self, X, y, classes, sample_weight, groups):
        check_parameters(self, self._legal_values)
        is_first = not self.__sklearn_is_fitted__()
        classes = self._check_classes(classes, is_first)
        columns = self._role_columns() if is_first else self._columns
        inputs = read_rows(self, X, groups, columns, reset=is_first)
        targets = find_classes(y, inputs.n_rows, classes)
        weights = check_chunk_weights(sample_weight, self.class_weight, classes, targets)
        device = choose_device(self.device)
        if is_first:
            values = self._learn_inputs(inputs, weights, more_to_come=True)
            self._keep_reading(inputs, columns, classes)
            self.temperature_ = 1.0
        else:
            self._check_kind(inputs)
            self._check_groups(inputs)
            values = self._vectorize(inputs)
        rows = self._arrange(inputs, values, self._reading)
        if is_first:
            self._sizes = self._network_sizes(rows, values, len(classes))
        self._train_on(rows, targets, weights, device)
        return self

    def _check_classes(self, classes, is_first):
        """Return the classes of all chunks."""
        if is_first:
            return check_classes(classes)
        if classes is not None and not np.array_equal(check_classes(classes), self.classes_):
            raise ValueError(
                f"classes={np.asarray(classes).tolist()!r:.200} are not those of the first call, "
                f"{self.classes_.tolist()!r:.200}; leave classes out, or take a new classifier."
            )
        return self.classes_

    def _train_on(self, rows, targets, weights, device):
        """Train on a chunk, and keep the mean of the weights as the network that predicts."""
        is_first = not self.__sklearn_is_fitted__()
        stream = None if is_first else self._stream
        if stream is None:
            random = np.random.RandomState(check_random_state(self.random_state).randint(2**31 - 1))
        else:
            random = copy.deepcopy(stream["random"])  # as it was, should this call fail
        chunk = TrainingRows(rows, targets, weights, random)
        callbacks = check_callbacks(self.callbacks)
        seed, advice = random.randint(2**31 - 1), self._advise_on_memory()
        with (
            forked_random_state(seed, device),
            single_precision(),
            explained_memory_errors(advice),
        ):
            network = ContextMemoryNet(**self._sizes)
            if not is_first:
                network.load_state_dict(self._network.state_dict())
            mean = copy.deepcopy(network).to(device)
            if stream is None:
                stream = new_stream(network, chunk, int(self.batch_size))
            rate = float(self.learning_rate)
            result, stream = train_chunk(
                network,
                mean,
                chunk,
                stream,
                learning_rate=rate,
                device=device,
                callbacks=callbacks,
                history=None if is_first else self.history_,
            )
        self._stream = stream | {"random": random}
        self.stop_reason_ = result.stop_reason
        history = result.history
        self.history_ = history if is_first else extend_history(self.history_, history)
        self.n_iter_ = len(self.history_)
        self._set_network(mean, device)
