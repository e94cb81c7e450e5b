"""Classifiers and explanations for the tests of sk_ctxmem.inspection."""

from functools import cache

import numpy as np
import pandas as pd

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import make_conversations

COLUMNS = ("row", "target", "source", "feature", "from_row", "contribution", "attention")
# Two rows: the text of the first contributes to both rows, that of the second to itself.
LINES = (
    (0, "yes", "ngram", "good", 0, 0.5, np.nan),
    (0, "yes", "wide", "good", 0, 1.0, np.nan),
    (0, "yes", "wide", "film", 0, -0.25, np.nan),
    (0, "yes", "structure", None, -1, 0.1, np.nan),
    (1, "no", "wide", "bad", 1, 2.0, np.nan),
    (1, "no", "row", None, 0, -0.75, 0.4),
    (1, "no", "structure", None, -1, -0.2, np.nan),
)
TEXTS = ["good film", "so bad"]


def make_explanation(lines=LINES):
    """Return a DataFrame like that of `explain`."""
    return pd.DataFrame(list(lines), columns=COLUMNS)


@cache
def talks():
    """Return synthetic conversations, in which the previous turn determines the class of a turn."""
    return make_conversations(150, random_state=0).frame


@cache
def fit_talks():
    """Return a classifier fitted on these conversations."""
    frame = talks()
    columns = {"text_column": "text", "group_column": "group", "speaker_column": "speaker"}
    clf = ContextMemoryClassifier(**columns, random_state=0)
    return clf.fit(frame.drop(columns="target"), frame["target"])
