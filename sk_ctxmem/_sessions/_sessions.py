"""ContextSessions, many live conversations that are predicted in batches."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._input._frames import as_table
from .._runtime import array_defaults
from ._advance import advance_all, begin
from ._turns import check_speakers, read_features, read_turns, warn_of_turns


class ContextSessions:
    """Many live conversations, which are predicted in batches.

    Created by :meth:`ContextMemoryClassifier.sessions`. One call predicts a turn of each
    conversation, or of those in `which`, in a fraction of the time of single sessions. Results are
    the same, up to about 1e-6: if the classifier was fitted on sequences, forecasts of the label of
    each sequence. A call that raises an error changes nothing. It must not be used by
    several threads at the same time. It stores no history.

    Parameters
    ----------
    model : FittedModel
        Private, see :meth:`ContextMemoryClassifier.sessions`.

    states : SessionStates
        Private.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, in the order of the probabilities.

    n_turns_ : ndarray of shape (n_sessions,), int64
        Number of turns of each conversation so far.

    See Also
    --------
    ContextSession : A single conversation.

    Examples
    --------
    >>> from sk_ctxmem import ContextMemoryClassifier
    >>> from sk_ctxmem.datasets import make_conversations
    >>> talks = make_conversations(60, random_state=0).frame
    >>> clf = ContextMemoryClassifier(
    ...     text_column="text", group_column="group", hidden_size=8, max_epochs=1
    ... ).fit(talks, talks["target"])
    >>> sessions = clf.sessions(3)
    >>> sessions.predict(["red", "blue", "green"]).shape
    (3,)
    >>> sessions.predict(["what did you say ?"], which=[1]).shape
    (1,)
    >>> sessions.n_turns_
    array([1, 2, 1])
    """

    def __init__(self, model, states):
        self._model = model
        self._states = states
        self._warned: frozenset[str] = (
            frozenset()
        )  # kinds of warnings about speakers, each issued once

    def predict(
        self, texts: Any, speakers: Any = None, which: Any = None, features: Any = None
    ) -> np.ndarray:
        """Add a turn to each conversation and predict its class.

        Parameters
        ----------
        texts : list of str, array-like or sparse of shape (n_turns, n_features), or container
            Text of each turn, or rows of features or TextSequences if the classifier was fitted on
            these.

        speakers : list of n_turns objects, or None, default=None
            Speaker of each turn, if the classifier was fitted with `speaker_column`. None is an
            unknown speaker.

        which : array-like of shape (n_turns,) or None, default=None
            Indices of the conversations, without duplicates. If None, all conversations in order.

        features : list of n_turns dicts, DataFrame of n_turns rows, or None, default=None
            Values of the `feature_columns` that the classifier was fitted with, for each turn.

        Returns
        -------
        labels : ndarray of shape (n_turns,)
            Predicted class labels. With several labels, 0 or 1 for each, of shape (n_turns,
            n_labels).

        Raises
        ------
        TypeError, ValueError
            If the kind of a turn differs from that of `fit`, or the numbers of turns, speakers and
            conversations differ.
        """
        probabilities = self.predict_proba(texts, speakers, which, features)
        outputs = self._model.outputs
        return outputs.name(outputs.decide(probabilities), self.classes_)

    @array_defaults()
    def predict_proba(
        self, texts: Any, speakers: Any = None, which: Any = None, features: Any = None
    ) -> np.ndarray:
        """Add a turn to each conversation and predict its class probabilities.

        Parameters
        ----------
        texts : list of str, array-like or sparse of shape (n_turns, n_features), or container
            Text of each turn, or rows of features or TextSequences if the classifier was fitted on
            these.

        speakers : list of n_turns objects, or None, default=None
            Speaker of each turn, if the classifier was fitted with `speaker_column`. None is an
            unknown speaker.

        which : array-like of shape (n_turns,) or None, default=None
            Indices of the conversations, without duplicates. If None, all conversations in order.

        features : list of n_turns dicts, DataFrame of n_turns rows, or None, default=None
            Values of the `feature_columns` that the classifier was fitted with, for each turn.

        Returns
        -------
        probabilities : ndarray of shape (n_turns, n_classes)
            Class probabilities, in the order of `classes_`.
        """
        model = self._model
        chosen, n_turns = self._choose(which)
        turns = read_turns(model.input_kind, texts, n_turns, model.n_features)
        speakers = check_speakers(speakers, n_turns)
        columns = read_features(model.reader.schema.features, features, n_turns)
        states = self._states.take(chosen)
        after, probabilities = advance_all(model, states, turns, speakers, columns)
        self._warned = warn_of_turns(speakers, n_turns, model.reader, self._warned)
        self._states.put(chosen, after)
        return probabilities

    def reset(self, which: Any = None) -> None:
        """Replace some conversations by new ones.

        Parameters
        ----------
        which : array-like of int or None, default=None
            Indices of the conversations, without duplicates. If None, all conversations.
        """
        chosen, n_sessions = self._choose(which)
        self._states.put(chosen, begin(self._model, n_sessions))

    @property
    def classes_(self) -> np.ndarray:
        """Class labels, in the order of the probabilities."""
        return self._model.classes

    @property
    def n_turns_(self) -> np.ndarray:
        """Number of turns of each conversation so far."""
        return self._states.n_turns.copy()

    def _choose(self, which):
        """Return a validated index of some conversations, and their number."""
        n_sessions = len(self)
        if which is None:
            return slice(None), n_sessions
        numbers = np.asarray(as_table(which, "which"))
        if numbers.ndim != 1 or numbers.dtype.kind not in "iu" or not len(numbers):
            raise TypeError(
                f"which={which!r:.60} must be a list of integers, the indices of conversations, "
                "such as [0, 2]; use None for all."
            )
        if numbers.min() < 0 or numbers.max() >= n_sessions:
            raise ValueError(f"which={which!r:.60} must be indices from 0 to {n_sessions - 1}.")
        if len(np.unique(numbers)) < len(numbers):
            raise ValueError(
                f"which={which!r:.60} contains a conversation twice; pass its turns in two calls."
            )
        return numbers, len(numbers)

    def __copy__(self):
        """Return an independent copy with the same model."""
        copied = ContextSessions(self._model, self._states.take(np.arange(len(self))))
        copied._warned = self._warned
        return copied

    def __deepcopy__(self, memo):
        return self.__copy__()

    def __reduce__(self):
        """Raise TypeError: the pickle would contain the model."""
        raise TypeError(
            "Sessions cannot be pickled, because the pickle would contain the model; for a "
            "conversation to store, use clf.session() and store its state()."
        )

    def __len__(self):
        return len(self._states)

    def __repr__(self):
        return f"ContextSessions(n_sessions={len(self)}, n_classes={len(self.classes_)})"
