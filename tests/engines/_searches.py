"""Searches that run on any engine, in a module of their own that workers can import."""

import os
import signal
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    StratifiedGroupKFold,
    cross_val_score,
)
from skorch.callbacks import Callback

from sk_ctxmem import ContextMemoryClassifier, ContextMemoryClassifierCV
from sk_ctxmem.datasets import make_conversations

TALKS = make_conversations(20, random_state=0)


class Witness(Callback):
    """Writes down which process runs an epoch, and on how many threads."""

    def __init__(self, folder):
        self.folder = folder

    def on_epoch_end(self, net, **kwargs):
        with open(Path(self.folder) / f"{os.getpid()}.epochs", "a", encoding="utf-8") as file:
            file.write(f"{len(net.history)} {torch.get_num_threads()}\n")


def read_epochs(folder):
    """Return the number of the epoch and of the threads of all that was run, by process."""
    return {
        int(path.stem): [tuple(map(int, line.split())) for line in path.read_text().splitlines()]
        for path in Path(folder).glob("*.epochs")
    }


class KillsItsWorker(Callback):
    """Kills the process in the second epoch of a fit, once in all."""

    def __init__(self, folder, parent):
        self.folder = folder
        self.parent = parent

    def on_batch_end(self, net, **kwargs):
        if len(net.history) == 2 and os.getpid() != self.parent and self._is_first():
            os.kill(os.getpid(), signal.SIGKILL)

    def _is_first(self):
        try:
            with open(Path(self.folder) / "killed", "x", encoding="utf-8") as file:
                file.write(str(os.getpid()))
        except FileExistsError:
            return False
        return True


def classifier(**params):
    """Return a classifier that fits in a fifth of a second."""
    settings = {"text_column": "text", "group_column": "group", "hidden_size": 16}
    return ContextMemoryClassifier(**settings | {"max_epochs": 2, "random_state": 0} | params)


def budget_search(clf):
    """Return a fitted search within a budget."""
    space = {"dropout": [0.1, 0.3], "hidden_size": [4, 8]}
    search = ContextMemoryClassifierCV(clf, cv=2, param_distributions=space, random_state=0)
    return search.fit(TALKS.data, TALKS.target)


def grid_search(estimator, **params):
    """Return a search over four candidates, fitted."""
    grid = {"context": ["none", "past"], "dropout": [0.1, 0.3]}
    settings = {"cv": StratifiedGroupKFold(2), "error_score": "raise"}
    search = GridSearchCV(estimator, grid, **settings | params)
    return search.fit(TALKS.data, TALKS.target, groups=TALKS.groups)


def halving_search(estimator):
    """Return a search that gives more epochs to better candidates, fitted."""
    search = HalvingGridSearchCV(
        estimator,
        {"context": ["none", "past"], "dropout": [0.1, 0.3]},
        resource="max_epochs",
        min_resources=1,
        max_resources=2,
        factor=2,
        cv=StratifiedGroupKFold(2),
        random_state=0,
        error_score="raise",
    )
    return search.fit(TALKS.data, TALKS.target, groups=TALKS.groups)


def fold_scores(estimator):
    """Return the accuracy of each of three folds."""
    return cross_val_score(
        estimator,
        TALKS.data,
        TALKS.target,
        groups=TALKS.groups,
        cv=GroupKFold(3),
        error_score="raise",
    )


def probabilities(X):
    """Return those of the rows that a classifier without groups was fitted on."""
    alone = classifier(text_column=None, group_column=None, max_epochs=1)
    return alone.fit(X, TALKS.target).predict_proba(X)


def read_state():
    """Return what no search may change here; Dask itself draws from Python's own `random`."""
    return {
        "threads": torch.get_num_threads(),
        "torch": torch.get_rng_state().tolist(),
        "numpy": [np.asarray(part).tolist() for part in np.random.get_state()],
        "environment": dict(os.environ),
        "warnings": list(warnings.filters),
    }


def read_card():
    """Return the number of the GPU that this process may see, after a while."""
    time.sleep(0.5)  # or one worker could take all calls
    return os.environ.get("CUDA_VISIBLE_DEVICES")
