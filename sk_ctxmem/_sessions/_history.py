"""History of a session: predictions, speakers and, optionally, texts."""

import json
from array import array

import numpy as np
import pandas as pd

from .._input._arrays import as_column, is_missing

ARRAY_NAMES = ("history.predictions", "history.probabilities", "history.said")


def _plain(value):
    """Convert a numpy scalar to a Python scalar, and a missing value to None, for JSON."""
    if is_missing(value):
        return None
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r:.60} of type {type(value).__name__}")


class SessionHistory:
    """Predictions, speakers and, optionally, texts of the turns of one conversation.

    Parameters
    ----------
    keep_texts : bool
        Whether to store the texts.
    """

    __slots__ = ("predictions", "probabilities", "speakers", "texts")

    def __init__(self, keep_texts):
        self.predictions = array("i")
        self.probabilities = array("f")
        self.speakers = []
        self.texts: list | None = [] if keep_texts else None

    def append(self, prediction, probability, speaker, text):
        """Append a turn."""
        self.predictions.append(prediction)
        self.probabilities.append(probability)
        self.speakers.append(speaker)
        if self.texts is not None:
            self.texts.append(text)

    def copy(self):
        """Return an independent copy."""
        other = SessionHistory(keep_texts=False)
        for name in self.__slots__:
            value = getattr(self, name)
            setattr(other, name, None if value is None else value[:])
        return other

    def frame(self, n_turns, classes):
        """Return a DataFrame with a row for each turn, the last of which is ``n_turns - 1``."""
        n_kept = len(self.predictions)
        columns = {
            "turn": np.arange(n_turns - n_kept, n_turns),
            "speaker": pd.Series(self.speakers, dtype=object),
            "prediction": as_column(classes[np.array(self.predictions, dtype=np.int64)]),
            "probability": np.array(self.probabilities, dtype=np.float64),
        }
        if self.texts is not None:
            columns["text"] = pd.Series(self.texts, dtype=object)
        return pd.DataFrame(columns)

    def write(self):
        """Convert the history to arrays.

        Raises
        ------
        TypeError
            If a speaker is neither str nor number, and cannot be written as JSON.
        """
        try:
            texts_json = json.dumps([self.speakers, self.texts], default=_plain)
        except TypeError as error:
            raise TypeError(
                f"a speaker is neither a str nor a number, and cannot be stored ({error}); pass "
                "speaker=str(speaker), here and to fit, or set keep_texts=False."
            ) from error
        parts = (
            np.array(self.predictions, dtype=np.int32),
            np.array(self.probabilities, dtype=np.float32),
            np.frombuffer(texts_json.encode(), dtype=np.uint8),
        )
        return dict(zip(ARRAY_NAMES, parts, strict=True))

    @classmethod
    def read(cls, arrays, n_classes):
        """Convert the arrays of `write` to a history.

        Raises
        ------
        ValueError
            If the arrays are invalid.
        """
        predictions, probabilities, texts_json = (np.asarray(arrays[name]) for name in ARRAY_NAMES)
        try:
            if texts_json.dtype != np.uint8:
                raise TypeError(f"bytes of dtype {texts_json.dtype}")
            speakers, texts = json.loads(texts_json.tobytes().decode())
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"the history of the state cannot be read ({error})") from error
        n_turns = len(predictions) if predictions.ndim == 1 else -1
        is_valid = (
            predictions.dtype == np.int32
            and bool(((predictions >= 0) & (predictions < n_classes)).all())
            and probabilities.dtype == np.float32
            and probabilities.shape == (n_turns,)
            and bool(((probabilities >= 0) & (probabilities <= 1)).all())
            and all(type(part) is list and len(part) == n_turns for part in (speakers, texts))
            and all(type(text) is str for text in texts)
        )
        if not is_valid:
            raise ValueError("the history of the state is invalid")
        history = cls(keep_texts=True)
        history.predictions = array("i", predictions.tolist())
        history.probabilities = array("f", probabilities.tolist())
        history.speakers, history.texts = speakers, texts
        return history
