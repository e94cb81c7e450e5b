"""Differences between sessions and `predict_proba`, and costs of a turn."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.corpora.corpus import Corpus, sequences
from benchmarks.models.context_memory import column_parameters
from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.comparison import take_whole_groups

MEMORIES = ("gru", "elman", "lstm", "mingru")
TOLERANCE = 1e-6
LONG_TURNS = (10, 100, 1000)


@dataclass(frozen=True)
class Sizes:
    """Sizes of the measurements.

    Parameters
    ----------
    train_rows : int
        Number of training rows, rounded up to whole groups.
    equal_rows : int
        Number of rows on which sessions are compared with `predict_proba`.
    timed_turns : int
        Number of timed turns.
    n_sessions : int
        Number of sessions that are open at once.
    """

    train_rows: int
    equal_rows: int
    timed_turns: int
    n_sessions: int


FULL = Sizes(train_rows=20_000, equal_rows=3_000, timed_turns=3_000, n_sessions=10_000)
QUICK = Sizes(train_rows=2_000, equal_rows=300, timed_turns=300, n_sessions=200)


def measure_equality(corpus: Corpus, sizes: Sizes) -> float:
    """Print the largest difference for each kind of memory; return the largest of all."""
    test = take_whole_groups(corpus.part("test"), sizes.equal_rows)
    differences = {
        memory: largest_difference(fit(corpus, sizes.train_rows, memory), test)
        for memory in MEMORIES
    }
    shown = "  ".join(f"{memory} {value:.1e}" for memory, value in differences.items())
    print(f"{corpus.name}: largest difference on {len(test)} rows: {shown}", flush=True)
    return max(differences.values())


def measure_costs(corpus: Corpus, sizes: Sizes) -> None:
    """Print the times and bytes of sessions on a corpus."""
    classifier = fit(corpus, sizes.train_rows, "gru")
    test = take_whole_groups(corpus.part("test"), sizes.timed_turns)
    time_turns(classifier, test, 100)  # warm up
    for clock, seconds in time_turns(classifier, test, sizes.timed_turns).items():
        middle, late = np.percentile(seconds, [50, 99]) * 1e3
        print(f"{corpus.name}: a turn, {clock}: p50 {middle:.2f} ms, p99 {late:.2f} ms")
    speeds = turns_per_second(classifier, test, sizes.n_sessions)
    print(
        f"{corpus.name}: {speeds['together']:,.0f} turns a second for {sizes.n_sessions:,} "
        f"sessions in one call, {speeds['single']:,.0f} one by one"
    )
    later = time_of_later_turns(classifier, test)
    shown = ", ".join(f"{turn}: {seconds * 1e3:.2f} ms" for turn, seconds in later.items())
    print(f"{corpus.name}: the same turn after so many others: {shown}")
    few, many = (bytes_of_sessions(classifier, test, sizes.n_sessions, n) for n in (10, 20))
    print(
        f"{corpus.name}: a session of 11 turns takes {few:,.0f} bytes, "
        f"and {(many - few) / 10:.0f} more with each turn",
        flush=True,
    )


def fit(corpus: Corpus, n_rows: int, memory: str) -> ContextMemoryClassifier:
    """Fit the default classifier with a kind of memory on part of a corpus."""
    train = take_whole_groups(corpus.part("train"), n_rows)
    classifier = ContextMemoryClassifier(memory=memory, random_state=0, **column_parameters(train))
    return classifier.fit(train, train["label"])


def turns_of(frame: pd.DataFrame) -> Iterator[tuple[np.ndarray, pd.DataFrame]]:
    """Yield the rows of each conversation in their order, and their positions."""
    for rows in sequences(frame):
        yield rows, frame.iloc[rows]


def speakers_of(frame: pd.DataFrame) -> list[object]:
    """Return the speaker of each row, or None without a column of speakers."""
    return frame["speaker"].tolist() if "speaker" in frame else [None] * len(frame)


def largest_difference(classifier: ContextMemoryClassifier, frame: pd.DataFrame) -> float:
    """Return the largest difference between sessions and `predict_proba`."""
    expected = classifier.predict_proba(frame)
    largest = 0.0
    for rows, talk in turns_of(frame):
        session = classifier.session()
        for row, text, speaker in zip(rows, talk["text"], speakers_of(talk), strict=True):
            difference = np.abs(session.predict_proba_one(text, speaker) - expected[row])
            largest = max(largest, float(difference.max()))
    return largest


def time_turns(
    classifier: ContextMemoryClassifier, frame: pd.DataFrame, n_turns: int
) -> dict[str, np.ndarray]:
    """Return the wall seconds and the CPU seconds of each turn."""
    walls, processor = [], []
    for _, talk in turns_of(frame):
        session = classifier.session()
        for text, speaker in zip(talk["text"], speakers_of(talk), strict=True):
            start, start_processor = time.perf_counter(), time.thread_time()
            session.predict_proba_one(text, speaker)
            processor.append(time.thread_time() - start_processor)
            walls.append(time.perf_counter() - start)
        if len(walls) >= n_turns:
            break
    return {"clock": np.array(walls), "processor": np.array(processor)}


def bytes_of_sessions(
    classifier: ContextMemoryClassifier, frame: pd.DataFrame, n_sessions: int, n_turns: int
) -> float:
    """Return the bytes of a session after some turns, with its history."""
    texts, speakers = frame["text"].tolist(), speakers_of(frame)
    base = classifier.session()
    for number in range(n_turns):
        base.predict_one(texts[number % len(texts)], speakers[number % len(texts)])
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        sessions = []
        for _ in range(n_sessions):
            # A fork shares vectors with its origin until its next turn.
            session = base.fork()
            session.predict_one(texts[0], speakers[0])
            sessions.append(session)
        return (tracemalloc.get_traced_memory()[0] - before) / n_sessions
    finally:
        tracemalloc.stop()


def turns_per_second(
    classifier: ContextMemoryClassifier, frame: pd.DataFrame, n_sessions: int
) -> dict[str, float]:
    """Return the turns per second of single sessions, and of one call for all sessions."""
    texts = [frame["text"].iloc[number % len(frame)] for number in range(n_sessions)]
    speakers = [speakers_of(frame)[number % len(frame)] for number in range(n_sessions)]
    who = speakers if "speaker" in frame else None
    together = classifier.sessions(n_sessions)
    together.predict_proba(texts, who)
    start = time.thread_time()
    found = together.predict_proba(texts, who)
    middle = time.thread_time()
    single = [classifier.session() for _ in range(min(n_sessions, 500))]
    for session, text, speaker in zip(single, texts, speakers, strict=False):
        session.predict_proba_one(text, speaker)
    between = time.thread_time()
    for session, text, speaker, row in zip(single, texts, speakers, found, strict=False):
        difference = np.abs(session.predict_proba_one(text, speaker) - row).max()
        if difference > TOLERANCE:
            raise ValueError(f"one call for all sessions differs by {difference:.1e}")
    end = time.thread_time()
    return {"together": n_sessions / (middle - start), "single": len(single) / (end - between)}


def time_of_later_turns(
    classifier: ContextMemoryClassifier, frame: pd.DataFrame
) -> dict[int, float]:
    """Return the median seconds of a turn, by the number of turns before it."""
    text, speaker = frame["text"].iloc[0], speakers_of(frame)[0]
    return {turn: _median_at(classifier, text, speaker, turn) for turn in LONG_TURNS}


def _median_at(
    classifier: ContextMemoryClassifier, text: str, speaker: object, n_before: int
) -> float:
    session = classifier.session()
    for _ in range(n_before):
        session.predict_one(text, speaker)
    seconds = []
    for _ in range(101):
        fork = session.fork()
        start = time.thread_time()
        fork.predict_one(text, speaker)
        seconds.append(time.thread_time() - start)
    return float(np.median(seconds))
