"""Clients that send turns, what they were answered, and what the batch says of them."""

from __future__ import annotations

import os
import queue
import signal
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd

from benchmarks.corpora.corpus import Corpus
from benchmarks.models.context_memory import column_parameters
from benchmarks.serving.processes import RedisServer, memory_mb, running_app, workers_of
from sk_ctxmem import ContextMemoryClassifier

TRAIN_ROWS = 20_000
TOLERANCE = 1e-6


@dataclass
class Conversation:
    """A conversation of the load: the texts of a group, which begin again at their end."""

    name: str
    texts: list[str]
    speakers: list[str] | None
    answers: list[dict[str, Any]] = field(default_factory=list)

    def request(self, turn: int) -> dict[str, Any]:
        """Return the request of a turn."""
        place = turn % len(self.texts)
        found = {"conversation": self.name, "turn": turn, "text": self.texts[place]}
        return found if self.speakers is None else found | {"speaker": self.speakers[place]}


class Load:
    """Clients that send turns until the time is over; any client sends any turn.

    Parameters
    ----------
    address : str
        Address of the service.
    conversations : list of Conversation
        What to send.
    seconds : int
        For how long.
    """

    def __init__(self, address: str, conversations: list[Conversation], seconds: int) -> None:
        self.address, self.end = address, time.monotonic() + seconds
        self.waiting: queue.Queue[Conversation] = queue.Queue()
        for conversation in conversations:
            self.waiting.put(conversation)
        self.seconds: list[float] = []
        self.workers: list[str] = []
        self.n_repeated = 0
        self.refused: list[str] = []

    def run(self) -> None:
        """Send turns as one client."""
        with httpx.Client(base_url=self.address, timeout=10) as client:
            while time.monotonic() < self.end:
                conversation = self.waiting.get()
                start = time.perf_counter()
                self._send(client, conversation)
                self.seconds.append(time.perf_counter() - start)
                self.waiting.put(conversation)

    def _send(self, client: httpx.Client, conversation: Conversation) -> None:
        """Send the next turn of a conversation, again and again until it is answered."""
        request = conversation.request(len(conversation.answers))
        while True:
            try:
                response = client.post("/turn", json=request)
            except httpx.TransportError:
                response = None
            if response is not None and response.status_code != 503:
                break
            self.n_repeated += 1
            time.sleep(0.02)
        if response.status_code != 200:
            self.refused.append(response.text)
            return
        self.workers.append(response.headers["X-Worker"])
        conversation.answers.append(response.json())


def measure(corpus: Corpus, seconds: int, n_clients: int, n_conversations: int) -> dict[str, Any]:
    """Fit a model, serve it, and return what clients saw, as a row of the table."""
    train = corpus.first_train_rows(TRAIN_ROWS).part("train")
    columns = {**column_parameters(train), "random_state": 0}
    columns.pop("order_column", None)  # rows are in their order
    names = [name.removesuffix("_column") for name in columns if name.endswith("_column")]
    classifier = ContextMemoryClassifier(**columns, max_epochs=3).fit(train[names], train["label"])
    conversations = _take_conversations(corpus.part("test"), n_conversations)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.ctxmem"
        classifier.save(model)
        redis = RedisServer(Path(folder))
        try:
            with running_app(model, redis) as (parent, port):
                load = Load(f"http://127.0.0.1:{port}", conversations, seconds)
                memory = _run(load, n_clients, seconds, parent, redis)
                counts = _count(load.address, conversations)
        finally:
            redis.kill()
    times = 1000 * np.array(load.seconds)
    return {
        "corpus": corpus.name,
        "clients": n_clients,
        "conversations": n_conversations,
        "seconds": seconds,
        "turns": sum(len(each.answers) for each in conversations),
        "turns_per_second": round(len(times) / seconds, 1),
        "p50_ms": round(float(np.percentile(times, 50)), 1),
        "p99_ms": round(float(np.percentile(times, 99)), 1),
        "longest_ms": round(float(times.max()), 1),
        "repeated_requests": load.n_repeated,
        "workers": len(set(load.workers)),
        "refused": len(load.refused),
        **counts,
        "different": _count_different(classifier, conversations, names),
        **memory,
    }


def _take_conversations(rows: pd.DataFrame, n_conversations: int) -> list[Conversation]:
    """Return conversations of test rows, which are used again if there are too few."""
    groups = [group for _, group in rows.groupby("group", sort=False)]
    found = []
    for number in range(n_conversations):
        group = groups[number % len(groups)]
        speakers = group["speaker"].astype(str).tolist() if "speaker" in group else None
        found.append(Conversation(f"c{number}", group["text"].tolist(), speakers))
    return found


def _run(
    load: Load, n_clients: int, seconds: int, parent: int, redis: RedisServer
) -> dict[str, float]:
    """Run the clients, kill a worker and Redis between them; return the memory of the workers."""
    threads = [threading.Thread(target=load.run) for _ in range(n_clients)]
    for thread in threads:
        thread.start()
    time.sleep(seconds / 3)
    os.kill(workers_of(parent)[0], signal.SIGKILL)
    time.sleep(seconds / 3)
    redis.kill()
    redis.start()
    time.sleep(seconds / 6)
    memory = [memory_mb(worker) for worker in workers_of(parent)]
    for thread in threads:
        thread.join()
    own, resident = np.mean(memory, axis=0)
    return {"worker_own_mb": round(float(own), 1), "worker_resident_mb": round(float(resident), 1)}


def _count(address: str, conversations: list[Conversation]) -> dict[str, int]:
    """Compare the turns that the service has with those that were answered."""
    lost = twice = unlike = 0
    with httpx.Client(base_url=address, timeout=10) as client:
        for each in conversations:
            n_turns = len(each.answers)
            ahead = client.post("/turn", json=each.request(n_turns + 1_000_000)).json()
            lost += max(0, n_turns - ahead["expected"])
            twice += max(0, ahead["expected"] - n_turns)
            if n_turns:
                again = client.post("/turn", json=each.request(n_turns - 1)).json()
                unlike += again != each.answers[-1]
    return {"lost": lost, "counted_twice": twice, "repeated_answer_differs": unlike}


def _count_different(
    classifier: ContextMemoryClassifier, conversations: list[Conversation], names: list[str]
) -> int:
    """Count the answers whose label or probability is not that of the whole conversation."""
    rows = [
        {"group": each.name, **each.request(turn)}
        for each in conversations
        for turn in range(len(each.answers))
    ]
    answers = pd.DataFrame([answer for each in conversations for answer in each.answers])
    probabilities = classifier.predict_proba(pd.DataFrame(rows)[names])
    is_near = np.abs(probabilities.max(axis=1) - answers["probability"]) <= TOLERANCE
    is_same = classifier.classes_[probabilities.argmax(axis=1)] == answers["label"].to_numpy()
    return int((~(is_near & is_same)).sum())
