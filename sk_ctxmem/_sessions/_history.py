"""What was predicted in the turns of a session, and what was said if that is kept."""

import json
from array import array

import numpy as np
import pandas as pd

from .._input._rows import is_missing

NAMES = ("history.predictions", "history.probabilities", "history.said")


def _plain(value):
    """Return a number of numpy as one of Python, and what is missing as None."""
    if is_missing(value):
        return None
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r:.60} of type {type(value).__name__}")


class SessionHistory:
    """The turns of one conversation, in a few bytes each.

    Parameters
    ----------
    keep_texts : bool
        Whether what is said is kept too.
    """

    __slots__ = ("predictions", "probabilities", "speakers", "texts")

    def __init__(self, keep_texts):
        self.predictions = array("i")
        self.probabilities = array("f")
        self.speakers = []
        self.texts: list | None = [] if keep_texts else None

    def append(self, prediction, probability, speaker, text):
        """Keep one turn."""
        self.predictions.append(prediction)
        self.probabilities.append(probability)
        self.speakers.append(speaker)
        if self.texts is not None:
            self.texts.append(text)

    def copy(self):
        """Return a history that goes on apart from this one."""
        other = SessionHistory(keep_texts=False)
        for name in self.__slots__:
            value = getattr(self, name)
            setattr(other, name, None if value is None else value[:])
        return other

    def frame(self, n_turns, classes):
        """Return the turns as a table, the last of which was turn ``n_turns - 1``."""
        n_kept = len(self.predictions)
        columns = {
            "turn": np.arange(n_turns - n_kept, n_turns),
            "speaker": pd.Series(self.speakers, dtype=object),
            "prediction": classes[np.array(self.predictions, dtype=np.int64)],
            "probability": np.array(self.probabilities, dtype=np.float64),
        }
        if self.texts is not None:
            columns["text"] = pd.Series(self.texts, dtype=object)
        return pd.DataFrame(columns)

    def write(self):
        """Return arrays that hold all of it.

        Raises
        ------
        TypeError
            If a speaker is neither str nor number, and has no place in JSON.
        """
        try:
            said = json.dumps([self.speakers, self.texts], default=_plain)
        except TypeError as error:
            raise TypeError(
                f"a speaker is neither a str nor a number, and cannot be stored ({error}); pass "
                "speaker=str(speaker), here and to fit, or keep_texts=False."
            ) from error
        parts = (
            np.array(self.predictions, dtype=np.int32),
            np.array(self.probabilities, dtype=np.float32),
            np.frombuffer(said.encode(), dtype=np.uint8),
        )
        return dict(zip(NAMES, parts, strict=True))

    @classmethod
    def read(cls, arrays, n_classes):
        """Return the history that `write` made arrays of.

        Raises
        ------
        ValueError
            If they are none that it can have made.
        """
        predictions, probabilities, said = (np.asarray(arrays[name]) for name in NAMES)
        try:
            if said.dtype != np.uint8:
                raise TypeError(f"bytes of the type {said.dtype}")
            speakers, texts = json.loads(said.tobytes().decode())
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"the state holds a history that cannot be read ({error})") from error
        n_turns = len(predictions) if predictions.ndim == 1 else -1
        are_right = (
            predictions.dtype == np.int32
            and bool(((predictions >= 0) & (predictions < n_classes)).all())
            and probabilities.dtype == np.float32
            and probabilities.shape == (n_turns,)
            and bool(((probabilities >= 0) & (probabilities <= 1)).all())
            and all(type(part) is list and len(part) == n_turns for part in (speakers, texts))
            and all(type(text) is str for text in texts)
        )
        if not are_right:
            raise ValueError("the state holds a history that no session can have had")
        history = cls(keep_texts=True)
        history.predictions = array("i", predictions.tolist())
        history.probabilities = array("f", probabilities.tolist())
        history.speakers, history.texts = speakers, texts
        return history
