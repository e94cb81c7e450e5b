"""ContextSessions: many conversations that go on turn by turn, in one call for all."""

import numpy as np

from ._advance import advance_all, begin
from ._turns import check_speakers, read_turns


class ContextSessions:
    """Many live conversations, advanced together.

    Made by :meth:`ContextMemoryClassifier.sessions`. One call takes a turn of each conversation,
    or of those in `which`, in a fraction of the time of as many calls of single sessions; what it
    returns is the same to about 1e-6. A call that is refused changes nothing. For one thread at a
    time. No history is kept.

    Parameters
    ----------
    model : FittedModel
        Private; see :meth:`ContextMemoryClassifier.sessions`.

    states : SessionStates
        Private.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, in the order of probabilities.

    n_turns_ : ndarray of shape (n_sessions,), int64
        Number of turns of each conversation so far.

    See Also
    --------
    ContextSession : One conversation.

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

    def predict(self, texts, speakers=None, which=None):
        """Take a turn of each conversation, and predict the classes.

        Parameters
        ----------
        texts : list of str, array-like or sparse of shape (n_turns, n_features), or container
            What is said in each; for a classifier that was fitted on features or TextSequences,
            as many rows of them.

        speakers : list of n_turns objects, or None, default=None
            Who speaks, where the classifier was fitted with `speaker_column`; None for nobody
            known.

        which : array-like of shape (n_turns,) or None, default=None
            Numbers of the conversations, from 0, each once; None for all of them in their order.

        Returns
        -------
        labels : ndarray of shape (n_turns,)
            The classes.

        Raises
        ------
        TypeError, ValueError
            If a turn is not of the kind that the classifier was fitted on, or numbers do not fit.
        """
        return self.classes_[self.predict_proba(texts, speakers, which).argmax(axis=1)]

    def predict_proba(self, texts, speakers=None, which=None):
        """Take a turn of each conversation, and predict the probability of each class.

        Parameters
        ----------
        texts : list of str, array-like or sparse of shape (n_turns, n_features), or container
            What is said in each.

        speakers : list of n_turns objects, or None, default=None
            Who speaks.

        which : array-like of shape (n_turns,) or None, default=None
            Numbers of the conversations, from 0, each once; None for all of them in their order.

        Returns
        -------
        probabilities : ndarray of shape (n_turns, n_classes)
            In the order of `classes_`.
        """
        model = self._model
        chosen, n_turns = self._choose(which)
        turns = read_turns(model.input_kind, texts, n_turns, model.n_features)
        speakers = check_speakers(speakers, n_turns)
        after, probabilities = advance_all(model, self._states.take(chosen), turns, speakers)
        self._states.put(chosen, after)
        return probabilities

    def reset(self, which=None):
        """Forget all turns of some conversations, so that new ones can take their place.

        Parameters
        ----------
        which : array-like of int or None, default=None
            Numbers of the conversations, from 0, each once; None for all.
        """
        chosen, n_sessions = self._choose(which)
        self._states.put(chosen, begin(self._model, n_sessions))

    @property
    def classes_(self):
        """The classes, in the order of probabilities."""
        return self._model.classes

    @property
    def n_turns_(self):
        """Number of turns of each conversation so far."""
        return self._states.n_turns.copy()

    def _choose(self, which):
        """Return what takes some conversations out of all, checked, and their number."""
        n_sessions = len(self)
        if which is None:
            return slice(None), n_sessions
        numbers = np.asarray(which)
        if numbers.ndim != 1 or numbers.dtype.kind not in "iu" or not len(numbers):
            raise TypeError(
                f"which={which!r:.60} must be a list of integers, the numbers of conversations, "
                "such as [0, 2]; leave it out for all."
            )
        if numbers.min() < 0 or numbers.max() >= n_sessions:
            raise ValueError(f"which={which!r:.60} must be numbers from 0 to {n_sessions - 1}.")
        if len(np.unique(numbers)) < len(numbers):
            raise ValueError(
                f"which={which!r:.60} names a conversation twice; take its turns in two calls."
            )
        return numbers, len(numbers)

    def __copy__(self):
        """Return conversations that go on from here by themselves, with the same model."""
        return ContextSessions(self._model, self._states.take(np.arange(len(self))))

    def __deepcopy__(self, memo):
        return self.__copy__()

    def __reduce__(self):
        """Refuse: the whole classifier would go with the sessions."""
        raise TypeError(
            "Sessions cannot be pickled, as the model would go with them; keep a conversation that "
            "is to be stored in a session of its own, clf.session(), and store its state()."
        )

    def __len__(self):
        return len(self._states)

    def __repr__(self):
        return f"ContextSessions(n_sessions={len(self)}, n_classes={len(self.classes_)})"
