"""Search for the regularization of the linear models, kept in a file for later runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd
from sklearn.metrics import accuracy_score

from benchmarks.corpora.corpus import Corpus, split_by_group
from benchmarks.measuring.files import read_json, write_json
from benchmarks.measuring.resources import timed
from benchmarks.speed import processes
from benchmarks.speed.models import SOLVERS, Linear
from benchmarks.speed.tasks import Settings
from sk_ctxmem.comparison import GRIDS

FILE_NAME = "choices.json"


@dataclass
class Search:
    """Result of the search for one linear model on one corpus.

    Parameters
    ----------
    strength : float
        Best of the strengths whose fit finished, or the first in the grid if none did.

    accuracies, seconds : dict of str to float
        Accuracy on held-out rows and seconds of the fit, for each strength that finished.

    stopped_after : float or None
        Seconds after which a fit was stopped. Later strengths, which take longer, were not tried.
    """

    strength: float
    accuracies: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    stopped_after: float | None = None

    @property
    def has_result(self) -> bool:
        """Whether at least one fit finished."""
        return bool(self.accuracies)


def choose_strengths(corpus: Corpus, settings: Settings) -> dict[str, Search]:
    """Choose C and alpha, or read the choices of an earlier run.

    Parameters
    ----------
    corpus : Corpus
        The corpus; its name is the key in the file.

    settings : Settings
        The settings. A search that was stopped before their limit is repeated.

    Returns
    -------
    dict of str to Search
        Result of the search, by solver.
    """
    path = settings.output / FILE_NAME
    known = read_json(path)
    of_corpus = known.setdefault(corpus.name, {})
    for solver in SOLVERS.values():
        if not is_usable(of_corpus.get(solver), settings.limit):
            of_corpus[solver] = asdict(search_strength(solver, corpus, settings.limit))
            settings.output.mkdir(parents=True, exist_ok=True)
            write_json(path, known)
    return {solver: Search(**of_corpus[solver]) for solver in SOLVERS.values()}


def is_usable(entry: dict[str, Any] | None, limit: float) -> bool:
    """Whether there is a search that this limit would not change."""
    return entry is not None and (entry["stopped_after"] or limit) >= limit


def search_strength(solver: str, corpus: Corpus, limit: float) -> Search:
    """Fit with each strength in a child process, until a fit takes too long."""
    train, valid = corpus.part("train"), corpus.part("valid")
    if valid.empty:
        train, valid = split_by_group(train, test_size=0.1)
    search = Search(strength=GRIDS[solver][0])
    with processes.Child(fit_each_strength, solver, train, valid) as child:
        child.receive()
        for strength in GRIDS[solver]:
            try:
                seconds = child.receive(limit)
            except TimeoutError:
                search.stopped_after = limit
                break
            search.seconds[str(strength)] = round(seconds, 3)
            search.accuracies[str(strength)] = child.receive()
    if search.has_result:
        search.strength = float(max(search.accuracies, key=search.accuracies.__getitem__))
    return search


def fit_each_strength(solver: str, train: pd.DataFrame, valid: pd.DataFrame) -> Iterator[Any]:
    """Yield None when ready, then the seconds and the accuracy of each fit."""
    yield None
    for strength in GRIDS[solver]:
        model = Linear(solver, strength, seed=0)
        _, seconds = timed(model.fit, train, train["label"])
        yield seconds
        yield accuracy_score(valid["label"], model.predict(valid))
