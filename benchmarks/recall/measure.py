"""Conversations whose labels are words of other rows, and fits on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score

from sk_ctxmem import ContextMemoryClassifier

MEMORIES = ("elman", "gru", "lstm", "mingru")
WORDS = ("red", "blue", "green")
FILLERS = tuple("well so then yes no maybe I you we think see know like want that this".split())
SPEAKERS = ("A", "B", "C")  # in random order
N_TEST_TALKS = 150


@dataclass(frozen=True)
class Task:
    """Which word is the label of a row.

    Parameters
    ----------
    kind : {"rows before", "turns of the speaker before", "first row"}
        How the row of the word is found.
    distance : int
        Number of rows or turns back; number of rows of a conversation, if it is the first row.
    """

    kind: str
    distance: int

    def rows_of(self, speakers: np.ndarray) -> list[int | None]:
        """Return the row of the word for each row of a conversation, None where there is none."""
        if self.kind == "first row":
            return [0] * len(speakers)
        found: list[int | None] = []
        for row, speaker in enumerate(speakers):
            before = np.arange(row)
            if self.kind != "rows before":
                before = np.flatnonzero(speakers[:row] == speaker)
            found.append(int(before[-self.distance]) if len(before) >= self.distance else None)
        return found

    @property
    def n_turns(self) -> tuple[int, int]:
        """Least and largest number of rows of a conversation."""
        if self.kind == "first row":
            return self.distance, self.distance + 1
        if self.kind == "rows before":
            return 2 * self.distance + 10, 2 * self.distance + 30
        return 15 + 5 * self.distance, 25 + 10 * self.distance


@dataclass(frozen=True)
class Sizes:
    """Tasks, and the number of conversations to learn from."""

    tasks: tuple[Task, ...]
    n_talks: int


FULL = Sizes(
    (
        *(Task("rows before", lag) for lag in (1, 5, 10, 20, 30, 40, 60, 80)),
        *(Task("turns of the speaker before", number) for number in (1, 2, 3, 5)),
        Task("first row", 120),
    ),
    1000,
)
QUICK = Sizes((Task("rows before", 1), Task("turns of the speaker before", 1)), 200)

Job = tuple[Task, str, int, int]


def plan(memories: Sequence[str], seeds: Sequence[int], sizes: Sizes) -> list[Job]:
    """List task, memory, number of conversations and seed of each fit."""
    return list(product(sizes.tasks, memories, [sizes.n_talks], seeds))


def make_talks(task: Task, n_talks: int, random: np.random.RandomState) -> pd.DataFrame:
    """Make conversations of three speakers; without a word to recall, the label is "red"."""
    rows = []
    for group in range(n_talks):
        n_turns = random.randint(task.n_turns[0], task.n_turns[1] + 1)
        words, speakers = (random.choice(names, n_turns) for names in (WORDS, SPEAKERS))
        for order, source in enumerate(task.rows_of(speakers)):
            said = random.choice(FILLERS, random.randint(3, 9)).tolist()
            said.insert(random.randint(len(said) + 1), words[order])
            label = WORDS[0] if source is None else words[source]
            rows.append((" ".join(said), group, order, speakers[order], label))
    return pd.DataFrame(rows, columns=["text", "group", "order", "speaker", "label"])


def measure(task: Task, memory: str, n_talks: int, seed: int) -> list[dict[str, Any]]:
    """Fit on some conversations, and score others."""
    random = np.random.RandomState(seed)
    train, test = (make_talks(task, number, random) for number in (n_talks, N_TEST_TALKS))
    by_speaker = task.kind == "turns of the speaker before"
    clf = ContextMemoryClassifier(
        text_column="text",
        group_column="group",
        order_column="order",
        speaker_column="speaker" if by_speaker else None,
        memory=memory,
        random_state=seed,
    ).fit(train, train["label"])
    row = {
        "label": task.kind,
        "distance": task.distance,
        "memory": memory,
        "seed": seed,
        "accuracy": accuracy_score(test["label"], clf.predict(test)),
        "chance": best_guess(task, test),
    }
    return [row]


def best_guess(task: Task, frame: pd.DataFrame) -> float:
    """Return the accuracy of one who knows only whether there is a word to recall."""
    sources = [task.rows_of(talk["speaker"].to_numpy()) for _, talk in frame.groupby("group")]
    is_known = np.concatenate([[source is None for source in some] for some in sources])
    return float(np.where(is_known, 1.0, 1 / len(WORDS)).mean())
