"""ContextSession: a conversation that goes on turn by turn."""

from numbers import Integral

import numpy as np
import pandas as pd

from ._advance import advance, begin
from ._history import SessionHistory
from ._sessions import ContextSessions
from ._state import read_state, write_state
from ._turns import read_turn


class ContextSession:
    """One live conversation: its turns are classified as they come.

    Made by :meth:`ContextMemoryClassifier.session`. Each call of a ``predict`` method is a turn:
    what was said is remembered for the turns to come, and the probabilities are those that
    ``predict_proba`` gives for the whole conversation, to about 1e-6. A turn that is refused
    changes nothing. The time and the memory of a turn do not depend on the turns before: of
    those, attention looks back at the last 15, and all others are in the memory alone.

    A session is for one thread at a time; any number of sessions can run in threads beside one
    another. A later fit of the classifier changes no session that is open. As a context manager,
    the session takes no turn after its block.

    Parameters
    ----------
    model : FittedModel
        Private; see :meth:`ContextMemoryClassifier.session`.

    states : SessionStates
        Private.

    history : SessionHistory
        Private.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, in the order of probabilities.

    n_turns_ : int
        Number of turns so far.

    history_ : DataFrame
        A row for each turn: turn (from 0), speaker, prediction, probability, and text if the
        texts are kept. It takes 16 bytes a turn, and the texts if they are kept.

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

    __slots__ = ("__weakref__", "_history", "_is_closed", "_model", "_states")

    def __init__(self, model, states, history):
        self._model = model
        self._states = states
        self._history = history
        self._is_closed = False

    def predict_one(self, text, speaker=None):
        """Take a turn, and predict its class.

        Parameters
        ----------
        text : str, array-like of shape (n_features,), sparse of shape (1, n_features), or container
            What is said; for a classifier that was fitted on features or TextSequences, one row
            of them.

        speaker : object, default=None
            Who speaks, where the classifier was fitted with `speaker_column`. None, as a missing
            value there, stands for nobody known.

        Returns
        -------
        label : object
            The class.

        Raises
        ------
        TypeError, ValueError
            If the turn is not of the kind that the classifier was fitted on, or a speaker is
            given to one that knows none.
        """
        return self.classes_[self._turn(text, speaker).argmax()]

    def predict_proba_one(self, text, speaker=None):
        """Take a turn, and predict the probability of each class.

        Parameters
        ----------
        text : str, array-like of shape (n_features,), sparse of shape (1, n_features), or container
            What is said.

        speaker : object, default=None
            Who speaks.

        Returns
        -------
        probabilities : ndarray of shape (n_classes,)
            In the order of `classes_`.
        """
        return self._turn(text, speaker)

    def top_k_one(self, text, k=3, speaker=None):
        """Take a turn, and return its most probable classes.

        Parameters
        ----------
        text : str, array-like of shape (n_features,), sparse of shape (1, n_features), or container
            What is said.

        k : int, default=3
            Number of classes; all if there are fewer.

        speaker : object, default=None
            Who speaks.

        Returns
        -------
        top : DataFrame
            Columns class and probability, the best first.
        """
        if isinstance(k, bool) or not isinstance(k, Integral):
            raise TypeError(f"k={k!r} must be an integer, such as 3.")
        if k < 1:
            raise ValueError(f"k={k!r} must be 1 or more; use 3 if unsure.")
        probabilities = self._turn(text, speaker)
        best = np.argsort(-probabilities, kind="stable")[:k]
        return pd.DataFrame({"class": self.classes_[best], "probability": probabilities[best]})

    def reset(self):
        """Forget all turns, and begin a new conversation."""
        self._states = begin(self._model, 1)
        self._history = SessionHistory(keep_texts=self._history.texts is not None)

    def fork(self):
        """Return a session that goes on from here by itself, to try out what could be said.

        Returns
        -------
        session : ContextSession
            Neither of the two knows of the later turns of the other.
        """
        return ContextSession(self._model, self._states, self._history.copy())

    def state(self):
        """Return all that the conversation needs to go on, in another process if need be.

        Returns
        -------
        state : dict of str to ndarray
            Plain arrays of numbers, for :func:`numpy.savez` or safetensors. They hold vectors and
            no text, and of the speaker before a digest, unless the session keeps texts: then
            these and the history are in it. Vectors too can tell something about what was said;
            store them where the texts might be stored.

        See Also
        --------
        ContextMemoryClassifier.session : Goes on from it.
        """
        return write_state(self._model, self._states, self._history)

    @property
    def classes_(self):
        """The classes, in the order of probabilities."""
        return self._model.classes

    @property
    def n_turns_(self):
        """Number of turns so far."""
        return int(self._states.n_turns[0])

    @property
    def history_(self):
        """What was predicted, turn by turn."""
        return self._history.frame(self.n_turns_, self.classes_)

    def _turn(self, text, speaker):
        """Read a turn, keep what is to be kept, and return the probabilities."""
        if self._is_closed:
            raise ValueError(
                "The session was closed at the end of its block; open another by clf.session(), "
                "or go on from this one by session.fork()."
            )
        model = self._model
        turns = read_turn(model.input_kind, text, model.n_features)
        states, probabilities = advance(model, self._states, turns, [speaker])
        best = int(probabilities[0].argmax())
        self._history.append(best, probabilities[0, best], speaker, text)
        self._states = states
        return probabilities[0]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._is_closed = True

    def __copy__(self):
        return self.fork()

    def __deepcopy__(self, memo):
        return self.fork()

    def __reduce__(self):
        """Refuse: the whole classifier would go with each session."""
        raise TypeError(
            "A session cannot be pickled, as the model would go with it; store session.state(), "
            "and go on by clf.session(state=...)."
        )

    def __repr__(self):
        return f"ContextSession(n_turns_={self.n_turns_}, n_classes={len(self.classes_)})"


def open_session(model, state=None, *, keep_texts=False):
    """Begin a live conversation, or go on with one: see ContextMemoryClassifier.session."""
    check_live(model)
    if not isinstance(keep_texts, bool | np.bool_):
        raise TypeError(f"keep_texts={keep_texts!r} must be True or False.")
    if keep_texts and model.input_kind != "text":
        raise ValueError(
            "keep_texts=True needs a classifier that was fitted on texts, but this one was "
            f"fitted on {model.input_kind}; leave it out."
        )
    history = None
    states = begin(model, 1)
    if state is not None:
        states, history = read_state(model, state)
    if history is None or not keep_texts:
        history = SessionHistory(keep_texts=bool(keep_texts))
    return ContextSession(model, states, history)


def open_sessions(model, n_sessions):
    """Begin many live conversations: see ContextMemoryClassifier.sessions."""
    check_live(model)
    if isinstance(n_sessions, bool) or not isinstance(n_sessions, Integral):
        raise TypeError(f"n_sessions={n_sessions!r} must be an integer, such as 100.")
    if n_sessions < 1:
        raise ValueError(f"n_sessions={n_sessions!r} must be 1 or more.")
    return ContextSessions(model, begin(model, int(n_sessions)))


def check_live(model):
    """Raise ValueError unless rows see those before them, and those alone."""
    context = model.reader.context
    if context == "both":
        raise ValueError(
            "The classifier was fitted with context='both', so that a row sees later ones, "
            "which a live conversation does not have yet; fit with context='past'."
        )
    if context == "none":
        how = "without groups" if model.reader.wants_context else "with context='none'"
        raise ValueError(
            f"The classifier was fitted {how}, so that nothing of a conversation is kept from "
            "one turn to the next; fit with context='past' and groups, or use predict."
        )
