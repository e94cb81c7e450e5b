"""ContextSession, a live conversation."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from .._input._arrays import as_column
from .._runtime import array_defaults
from ._advance import advance, begin
from ._history import SessionHistory
from ._sessions import ContextSessions
from ._state import read_state, to_bytes, write_state
from ._turns import read_features, read_turn, warn_of_turns


class ContextSession:
    """Live conversation, which is classified turn by turn.

    Created by :meth:`ContextMemoryClassifier.session`. Each call of a ``predict`` method is a turn.
    The session remembers it as context of later turns. Probabilities are those of ``predict_proba``
    for the whole conversation, up to about 1e-6. If the classifier was fitted on sequences, each
    call returns the forecast of the label of the whole sequence, given the turns so far: the
    prediction for a sequence that ends there. A turn that raises an error does not change the
    session. The time and memory of a turn do not depend on the number of previous turns: attention
    reads as many turns as the longest conversation of the fit had, 64 at most, and the recurrent
    memory summarizes all others.

    A session must not be used by several threads at the same time, but different sessions can run
    in different threads. A later fit of the classifier does not change open sessions. A session can
    be used as a context manager, which closes it at the end of the block.

    Parameters
    ----------
    model : FittedModel
        Private, see :meth:`ContextMemoryClassifier.session`.

    states : SessionStates
        Private.

    history : SessionHistory
        Private.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, in the order of the probabilities.

    n_turns_ : int
        Number of turns so far.

    history_ : DataFrame
        A row for each turn, with the columns turn (from 0), speaker, prediction, probability and,
        if texts are kept, text. With several labels for each row, the most probable one. It takes
        16 bytes per turn, plus the texts.

    See Also
    --------
    ContextSessions : Many conversations at once.

    Examples
    --------
    >>> from sk_ctxmem import ContextMemoryClassifier
    >>> from sk_ctxmem.datasets import make_conversations
    >>> talks = make_conversations(60, random_state=0).frame
    >>> clf = ContextMemoryClassifier(
    ...     text_column="text", group_column="group", hidden_size=8, max_epochs=1
    ... ).fit(talks, talks["target"])
    >>> with clf.session() as session:
    ...     for text in talks["text"][:3]:
    ...         label = session.predict_one(text)
    >>> session.history_["turn"].tolist()
    [0, 1, 2]
    """

    __slots__ = ("__weakref__", "_history", "_is_closed", "_model", "_states", "_warned")

    def __init__(self, model, states, history):
        self._model = model
        self._states = states
        self._history = history
        self._is_closed = False
        self._warned: frozenset[str] = (
            frozenset()
        )  # kinds of warnings about speakers, each issued once

    def predict_one(self, text: Any, speaker: Any = None, features: Any = None) -> Any:
        """Add a turn and predict its class.

        Parameters
        ----------
        text : str, array-like of shape (n_features,), sparse of shape (1, n_features), or container
            Text of the turn, or one row of features or TextSequences if the classifier was fitted
            on these.

        speaker : object, default=None
            Speaker of the turn, if the classifier was fitted with `speaker_column`. None, like a
            missing value in that column, is an unknown speaker. A session warns once if speakers
            are missing although all rows of `fit` had one, and once if they are unknown.

        features : dict or None, default=None
            Value of each of the `feature_columns` that the classifier was fitted with, such as
            ``{"price": 3.0, "channel": "web"}``. Other keys are ignored.

        Returns
        -------
        label : object
            Predicted class label. With several labels, 0 or 1 for each, of shape (n_labels,).

        Raises
        ------
        TypeError, ValueError
            If the kind of the turn differs from that of `fit`, or a speaker is passed but the
            classifier was fitted without `speaker_column`, or features are missing.
        """
        probabilities = self._turn(text, speaker, features)[np.newaxis]
        outputs = self._model.outputs
        return outputs.name(outputs.decide(probabilities), self.classes_)[0]

    def predict_proba_one(self, text: Any, speaker: Any = None, features: Any = None) -> np.ndarray:
        """Add a turn and predict its class probabilities.

        Parameters
        ----------
        text : str, array-like of shape (n_features,), sparse of shape (1, n_features), or container
            Text of the turn, or one row of features or TextSequences if the classifier was fitted
            on these.

        speaker : object, default=None
            Speaker of the turn, if the classifier was fitted with `speaker_column`.

        features : dict or None, default=None
            Value of each of the `feature_columns` that the classifier was fitted with, such as
            ``{"price": 3.0, "channel": "web"}``. Other keys are ignored.

        Returns
        -------
        probabilities : ndarray of shape (n_classes,)
            Class probabilities, in the order of `classes_`. With several labels, that of each.
        """
        return self._turn(text, speaker, features)

    def top_k_one(
        self, text: Any, k: Any = 3, speaker: Any = None, features: Any = None
    ) -> pd.DataFrame:
        """Add a turn and return its most probable classes.

        Parameters
        ----------
        text : str, array-like of shape (n_features,), sparse of shape (1, n_features), or container
            Text of the turn, or one row of features or TextSequences if the classifier was fitted
            on these.

        k : int, default=3
            Number of classes to return. If there are fewer, all are returned.

        speaker : object, default=None
            Speaker of the turn, if the classifier was fitted with `speaker_column`.

        features : dict or None, default=None
            Value of each of the `feature_columns` that the classifier was fitted with, such as
            ``{"price": 3.0, "channel": "web"}``. Other keys are ignored.

        Returns
        -------
        top : DataFrame
            Columns class and probability, sorted by decreasing probability.
        """
        if isinstance(k, bool) or not isinstance(k, Integral):
            raise TypeError(f"k={k!r} must be an integer, such as 3.")
        if k < 1:
            raise ValueError(f"k={k!r} must be 1 or more; use 3 if unsure.")
        probabilities = self._turn(text, speaker, features)
        best = np.argsort(-probabilities, kind="stable")[:k]
        columns = {"class": as_column(self.classes_[best]), "probability": probabilities[best]}
        return pd.DataFrame(columns)

    def reset(self) -> None:
        """Forget all turns and start a new conversation."""
        self._states = begin(self._model, 1)
        self._history = SessionHistory(keep_texts=self._history.texts is not None)

    def fork(self) -> ContextSession:
        """Return an independent copy, for example to try possible next turns.

        Returns
        -------
        session : ContextSession
            Session with the same previous turns. Later turns of one do not change the other.
        """
        session = ContextSession(self._model, self._states, self._history.copy())
        session._warned = self._warned
        return session

    def state(self) -> dict[str, np.ndarray]:
        """Return the state of the conversation, for example to resume it in another process.

        Returns
        -------
        state : dict of str to ndarray
            Numeric arrays, which can be stored by :func:`numpy.savez` or safetensors. They contain
            vectors and digests of the last speakers, and as "model" a digest of the classifier.
            They contain no texts and no history, unless the session keeps texts. Since vectors also
            carry information about the texts, store them as securely as the texts.

        See Also
        --------
        ContextSession.to_bytes : The same as bytes with a checksum.
        ContextMemoryClassifier.session : Resume from the state.
        """
        return write_state(self._model, self._states, self._history)

    def to_bytes(self) -> bytes:
        """Return the state of the conversation as bytes, for example for a database.

        Returns
        -------
        state : bytes
            The arrays of :meth:`state` in the format of safetensors, after a checksum. They are
            read without pickle, and bytes that were damaged are refused.

        See Also
        --------
        ContextSession.state : The same as arrays.
        ContextMemoryClassifier.session : Resume from the state.
        """
        return to_bytes(self.state())

    @property
    def classes_(self) -> np.ndarray:
        """Class labels, in the order of the probabilities."""
        return self._model.classes

    @property
    def n_turns_(self) -> int:
        """Number of turns so far."""
        return int(self._states.n_turns[0])

    @property
    def history_(self) -> pd.DataFrame:
        """DataFrame with a row for each turn."""
        return self._history.frame(self.n_turns_, self.classes_)

    @array_defaults()
    def _turn(self, text, speaker, features):
        """Add a turn and return its class probabilities."""
        if self._is_closed:
            raise ValueError(
                "The session was closed at the end of its with block; start another one with "
                "clf.session(), or continue this one with session.fork()."
            )
        model = self._model
        turns = read_turn(model.input_kind, text, model.n_features)
        columns = read_features(model.reader.schema.features, features, 1)
        states, probabilities = advance(model, self._states, turns, [speaker], columns)
        self._warned = warn_of_turns([speaker], 1, model.reader, self._warned)
        best = int(probabilities[0].argmax())
        self._history.append(best, probabilities[0, best], speaker, text)
        self._states = states
        return probabilities[0]

    def __enter__(self) -> ContextSession:
        return self

    def __exit__(self, *error: Any) -> None:
        self._is_closed = True

    def __copy__(self):
        return self.fork()

    def __deepcopy__(self, memo):
        return self.fork()

    def __reduce__(self):
        """Raise TypeError: the pickle of each session would contain the model."""
        raise TypeError(
            "A session cannot be pickled, because the pickle would contain the model; store "
            "session.state(), and resume with clf.session(state=...)."
        )

    def __repr__(self):
        return f"ContextSession(n_turns_={self.n_turns_}, n_classes={len(self.classes_)})"


def open_session(model: Any, state: Any = None, *, keep_texts: bool = False) -> ContextSession:
    """Start or resume a live conversation, see ContextMemoryClassifier.session."""
    check_live(model)
    if not isinstance(keep_texts, bool | np.bool_):
        raise TypeError(f"keep_texts={keep_texts!r} must be True or False.")
    if keep_texts and model.input_kind != "text":
        raise ValueError(
            "keep_texts=True needs a classifier fitted on texts, but this one was fitted on "
            f"{model.input_kind}; set keep_texts=False."
        )
    history = None
    states = begin(model, 1)
    if state is not None:
        states, history = read_state(model, state)
    if history is None or not keep_texts:
        history = SessionHistory(keep_texts=bool(keep_texts))
    return ContextSession(model, states, history)


def open_sessions(model: Any, n_sessions: Any) -> ContextSessions:
    """Start many live conversations, see ContextMemoryClassifier.sessions."""
    check_live(model)
    if isinstance(n_sessions, bool) or not isinstance(n_sessions, Integral):
        raise TypeError(f"n_sessions={n_sessions!r} must be an integer, such as 100.")
    if n_sessions < 1:
        raise ValueError(f"n_sessions={n_sessions!r} must be 1 or more.")
    return ContextSessions(model, begin(model, int(n_sessions)))


def check_live(model):
    """Raise ValueError unless the context of rows is the previous rows only."""
    context = model.reader.context
    if context == "both":
        raise ValueError(
            "The classifier was fitted with context='both', which uses following rows, but a live "
            "conversation has none yet; fit with context='past'."
        )
    if context == "none":
        how = "without groups" if model.reader.wants_context else "with context='none'"
        uses = "knows no order of turns" if model.of_sequences else "does not use previous turns"
        groups = "" if model.of_sequences else " and groups"
        raise ValueError(
            f"The classifier was fitted {how}, and {uses}; fit with context='past'{groups}, or use "
            "predict."
        )
