"""A script that runs each entry point in a forked child. Arguments: parent, folder."""

import os
import pickle
import sys
import threading
import time
from pathlib import Path

import numpy as np
import torch

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import make_conversations

LIMIT = 60  # seconds of a child, which takes less than one
PARAMS = {"text_column": "text", "group_column": "group", "max_epochs": 1, "random_state": 0}


def make_frame():
    """Return conversations with enough words for tables that torch splits over its threads."""
    frame = make_conversations(60, random_state=0).frame
    frame["text"] += [f" w{number} v{number}" for number in range(len(frame))]
    return frame


FRAME = make_frame()
TARGET = FRAME["target"]


def fit():
    """Return the probabilities of a new fit."""
    return ContextMemoryClassifier(**PARAMS).fit(FRAME, TARGET).predict_proba(FRAME)


def partial_fit():
    """Return the probabilities after one chunk."""
    chunk = ContextMemoryClassifier(**PARAMS).partial_fit(FRAME, TARGET, classes=np.unique(TARGET))
    return chunk.predict_proba(FRAME)


def load():
    """Return the probabilities of a loaded classifier."""
    return ContextMemoryClassifier.load(PATH).predict_proba(FRAME)


def unpickle():
    """Return the probabilities of an unpickled classifier."""
    return pickle.loads(PICKLE.read_bytes()).predict_proba(FRAME)


def session():
    """Return the probabilities of some turns."""
    live = ContextMemoryClassifier.load(PATH).session()
    turns = [live.predict_proba_one(text) for text in FRAME["text"][:3]]
    live.state()
    return np.array(turns)


def explain():
    """Return the contributions to a prediction."""
    found = pickle.loads(PICKLE.read_bytes()).explain(FRAME[:4])
    return found["contribution"].to_numpy()


def use_threads_of_torch():
    """Run torch as a program does that has set its own number of threads."""
    torch.set_num_threads(2)
    product = torch.ones(400, 400) @ torch.ones(400, 400)
    return (product + torch.ones(400, 400)).numpy()


FOLDER = Path(sys.argv[-1])
PATH, PICKLE = FOLDER / "model.ctxmem", FOLDER / "model.pickle"
IN_CHILD = [fit, partial_fit, load, unpickle, session, explain]
PARENTS = {"fit": fit, "load": load, "unpickle": unpickle, "session": session, "explain": explain}
PARENTS |= {"torch": use_threads_of_torch, "partial_fit": partial_fit}


def fit_for_ever():
    """Fit again and again, in a thread that ends with the process."""
    while True:
        fit()


def run_in_child(function):
    """Return the result of a function in a forked child, or None if it does not return."""
    path = FOLDER / f"{function.__name__}.npy"
    path.unlink(missing_ok=True)
    child = os.fork()
    if not child:
        try:
            np.save(path, function())
        finally:
            os._exit(0)
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        if os.waitpid(child, os.WNOHANG)[0]:
            return np.load(path)
        time.sleep(0.01)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return None


def main(parent):
    """Warm up the parent, and run each entry point in a child, once or, beside a fit, often."""
    if parent == "write":
        classifier = ContextMemoryClassifier(**PARAMS).fit(FRAME, TARGET)
        classifier.save(PATH)
        PICKLE.write_bytes(pickle.dumps(classifier))
        return
    times = 1
    if parent == "fitting thread":
        fit()  # imports what a fit needs
        threading.Thread(target=fit_for_ever, daemon=True).start()
        times = 5
    else:
        PARENTS[parent]()
    for function in IN_CHILD:
        found = [run_in_child(function) for _ in range(times)]
        expected = function()
        for each in found:
            if each is None:
                sys.exit(f"{function.__name__} does not return after {parent}")
            if not np.array_equal(each, expected):
                sys.exit(f"{function.__name__} differs after {parent}")
    os._exit(0)  # a thread may still fit


if __name__ == "__main__":
    main(sys.argv[1])
