"""FittedModel, which all predictions use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from sklearn.exceptions import NotFittedError

from .._features._featurize import reads_one_text
from .._features._sequences import TextSequences
from .._input._rows import InputRows
from .._network._net import ContextMemoryNet
from .._rows._reader import RowReader
from .._rows._row_set import RowSet
from .._runtime import torch_defaults
from ._outputs import Outputs, outputs_of
from ._predict import predict_logits


class _computed_once:  # noqa: N801  # a decorator
    """A property that is computed at its first access, without a lock.

    Before Python 3.12, functools.cached_property has a lock, for which a process would wait for
    ever if it was forked while another thread held it.
    """

    def __init__(self, compute: Callable[[Any], Any]) -> None:
        self.compute = compute
        self.__doc__ = compute.__doc__

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Compute the value, which later accesses find in the attributes of the instance."""
        if instance is None:
            return self
        value = self.compute(instance)
        vars(instance)[self.compute.__name__] = value
        return value


@dataclass(frozen=True)
class FittedModel:
    """Fitted reader and network, with class labels and temperature.

    It is immutable, so that predictions, sessions and copies share it. A later fit creates a new
    one.

    Parameters
    ----------
    reader : RowReader
        Converts X and groups to rows.
    classes : ndarray of shape (n_classes,)
        Sorted class labels, or the names of the labels of which a row has several.
    temperature : float
        Divisor of the logits.
    network : ContextMemoryNet
        Trained network, in evaluation mode.
    network_params : dict
        Parameters of the network.
    device : str
        torch device of the network.
    sparse_labels : bool, default=False
        Whether predictions of several labels are sparse, as the target was.
    """

    reader: RowReader
    classes: np.ndarray
    temperature: float
    network: ContextMemoryNet
    network_params: dict[str, Any]
    device: str
    sparse_labels: bool = False

    @property
    def multilabel(self) -> bool:
        """Whether a row has any number of labels."""
        return self.network.multilabel

    @property
    def of_sequences(self) -> bool:
        """Whether a sample is a whole sequence of rows."""
        return self.reader.schema.of_sequences

    @property
    def outputs(self) -> Outputs:
        """What logits mean."""
        return outputs_of(self.multilabel, as_sparse=self.sparse_labels)

    def logits(self, X: Any, groups: Any = None) -> np.ndarray:
        """Compute the logits of each row of X, divided by the temperature.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows of the same kind as in `fit`.
        groups : array-like of shape (n_rows,) or None, default=None
            Group of each row, such as a conversation or document, if X has no group column.

        Returns
        -------
        logits : ndarray of shape (n_rows, n_classes), float64
            Logits, in the order of `classes`.
        """
        return self.logits_of(self.reader.read(X, groups))

    def logits_of(self, rows: RowSet) -> np.ndarray:
        """Compute the same of rows that the reader has read."""
        logits = predict_logits(self.network, rows, self.device) / self.temperature
        return logits[rows.ends] if rows.pools else logits

    def forecasts(self, X: Any) -> list[np.ndarray]:
        """Compute the probabilities of the label of each sequence after each of its rows.

        Parameters
        ----------
        X : sequences of the same kind as in `fit`
            The sequences. The model was fitted on sequences, and ``context`` is not "both".

        Returns
        -------
        forecasts : list of ndarray of shape (n_steps_i, n_classes)
            For each sequence, the probabilities of `predict_proba` for its first row, its first two
            rows, and so on, up to about 1e-6.
        """
        rows = self.reader.read(X)
        logits = predict_logits(self.network, rows, self.device, every_row=True)
        found = self.outputs.probabilities(logits / self.temperature)
        return np.split(found[rows.rows], np.cumsum(rows.lengths)[:-1])

    @property
    def columns(self) -> dict[str, Any]:
        """Column names by role: text, group, order and speaker."""
        return self.reader.schema.columns

    @property
    def input_kind(self) -> str:
        """Kind of X: "text", "features" or "sequences"."""
        return self.reader.schema.kind

    @property
    def n_features(self) -> int | None:
        """Number of features of a row. None for texts."""
        return None if self.input_kind == "text" else self.reader.schema.n_features_in

    @property
    def speakers(self) -> dict[Any, int] | None:
        """Id of each known speaker. None if the fit had no speaker column."""
        return None if self.columns["speaker"] is None else self.reader.speakers

    @property
    def n_kept_speakers(self) -> int:
        """Number of previous turns of which a session keeps the speaker."""
        attention: Any = self.network.attention
        reads_turns = attention is not None and attention.turn_weight is not None
        return attention.window - 1 if reads_turns else 1

    @_computed_once
    def reads_one_text(self) -> bool:
        """Whether `read_one_text`, which is faster, computes the features of single texts."""
        is_default = reads_one_text(self.reader.vectorizer, self.reader.scaler)
        return self.input_kind == "text" and is_default

    @_computed_once
    @torch_defaults()
    def fingerprint(self) -> bytes:
        """Digest of the class labels and of all weights except the large tables."""
        digest = blake2b(repr(self.classes.tolist()).encode(), digest_size=16)
        for name, weight in self.network.state_dict().items():
            digest.update(f"{name} {tuple(weight.shape)}".encode())
            if not name.endswith("table.weight"):  # tables may be large
                digest.update(weight.float().cpu().numpy().tobytes())
        return digest.digest()

    def smoke_test(self) -> None:
        """Predict an artificial row, which raises if the parts of the model do not match."""
        kind, width = self.input_kind, self.n_features or 1
        no_features = sparse.csr_array((1, width), dtype=np.float32)
        is_sparse = self.network_params["sparse"]
        one_row = {
            "text": lambda: ["a b"],
            "features": lambda: no_features if is_sparse else np.zeros((1, width)),
            "sequences": lambda: TextSequences(no_features, np.zeros(1, int), np.array([0, 1]), 1),
        }[kind]()
        one_id = np.array(["a"], dtype=object)
        speakers = None if self.columns["speaker"] is None else one_id
        dense = self.reader.dense
        columns = None if dense is None or dense.columns is None else dense.columns.example()
        inputs = InputRows(kind, one_row, groups=one_id, speakers=speakers, columns=columns)
        with np.errstate(all="ignore"):  # an artificial row is no reason for a warning
            rows = self.reader.build_rows(inputs, self.reader.vectorize(inputs))
            predict_logits(self.network, rows, self.device)


@dataclass(frozen=True)
class FitResult:
    """Model of a fit, and the history of its training.

    Parameters
    ----------
    model : FittedModel
        Fitted model.
    history : DataFrame of shape (n_epochs, 5)
        Losses, score and seconds of each epoch, including those of the fits before a warm start.
    n_iter : int
        Number of epochs of this fit.
    stop_reason : str
        Reason why training stopped.
    net : NeuralNet or None, default=None
        Trained skorch net. None if the model was loaded.
    stream : dict or None, default=None
        State that `partial_fit` continues from.
    interrupted : bool, default=False
        Whether Ctrl-C stopped training early.
    """

    model: FittedModel
    history: pd.DataFrame
    n_iter: int
    stop_reason: str
    net: Any = None
    stream: dict[str, Any] | None = None
    interrupted: bool = False


def fitted_model(estimator: Any) -> FittedModel:
    """Return the model of a fitted classifier.

    `check_is_fitted` of scikit-learn would call a method of the classifier, which this package must
    not do from a lower room.

    Raises
    ------
    NotFittedError
        If the classifier is not fitted.
    """
    model = getattr(estimator, "_model", None)
    if model is None:
        raise NotFittedError(
            f"This {type(estimator).__name__} instance is not fitted yet. Call 'fit' with "
            "appropriate arguments before using this estimator."
        )
    return model


def ready_to_predict(network: ContextMemoryNet, device: str) -> ContextMemoryNet:
    """Move a trained network to a device and set it to evaluation mode, in place."""
    # In double precision, the probabilities of a row do not depend on its batch. This is cheap
    # for rows without context. With a memory, they are equal to about 1e-6.
    if network.memory is None and not device.startswith("mps"):  # MPS has no float64
        network.set_dense_dtype(torch.float64)
    return network.to(device).eval()
