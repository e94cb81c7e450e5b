"""Table "search": a grid search on one and on two processes, and with a cached vectorizer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from joblib import Memory
from joblib.externals.loky import get_reusable_executor
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, ParameterGrid
from sklearn.pipeline import Pipeline

from benchmarks.corpora.corpus import Corpus, feature_columns, group_keys
from benchmarks.measuring.resources import timed
from benchmarks.speed import processes
from benchmarks.speed.models import Ours
from benchmarks.speed.tasks import Row, Settings, Task, first_with_groups
from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer

N_ROWS = 4_000
N_FOLDS = 2
N_JOBS = (1, 2)
GRID = {
    "learning_rate": [0.001, 0.003],
    "dropout": [0.0, 0.2, 0.4],
    "hidden_size": [64, 128],
}
QUICK_GRID = {"learning_rate": [0.001, 0.003]}

Grid = dict[str, list[Any]]


class CountingVectorizer(  # type: ignore[call-arg]
    TextSequenceVectorizer, auto_wrap_output_keys=None
):
    """Vectorizer that counts its fits in the class, since a search clones it."""

    n_fits = 0

    def fit_transform(self, X, y=None):
        """Fit to texts, transform them, and count the fit."""
        CountingVectorizer.n_fits += 1
        return super().fit_transform(X, y)


def plan_search(corpora: Sequence[Corpus], settings: Settings) -> list[Task]:
    """List one task, on the first corpus with groups."""
    corpus = first_with_groups(corpora)
    return [Task(corpus.name, partial(measure_search, corpus, settings))]


def measure_search(corpus: Corpus, settings: Settings) -> list[Row]:
    """Time searches in one child process, and count fits of the vectorizer in another."""
    train = corpus.first_train_rows(N_ROWS).part("train")
    grid = settings.choose(GRID, QUICK_GRID)
    with processes.Child(time_search, train, grid, settings.repeats) as child:
        seconds = pd.DataFrame(list(child)).median()
    one, two = (seconds[n_jobs] for n_jobs in N_JOBS)
    return [
        {
            "corpus": corpus.name,
            "n_train": len(train),
            "fits": len(ParameterGrid(grid)) * N_FOLDS,
            "one_job_seconds": one,
            "two_jobs_seconds": two,
            "two/one": two / one,
            "vectorizer_fits": processes.call_in_child(track_vectorizer_fits, train, grid),
            "vectorizer_fits_expected": N_FOLDS + 1,
        }
    ]


def time_search(train: pd.DataFrame, grid: Grid, repeats: int) -> Iterator[dict[int, float]]:
    """Yield the seconds of a search without its refit, by the number of processes.

    A warm-up search starts the processes, which import torch.
    """
    model = Ours(train, seed=0)
    X = train[feature_columns(train)] if "group" in train else train["text"].tolist()
    keys = group_keys(train)
    splitter = GroupKFold(N_FOLDS) if "group" in train else KFold(N_FOLDS)
    options = {"cv": list(splitter.split(keys, groups=keys)), "refit": False}
    few = {name: values[:1] for name, values in grid.items()}
    for n_jobs in N_JOBS:
        GridSearchCV(model.classifier, few, n_jobs=n_jobs, **options).fit(X, train["label"])
    for _ in range(repeats):
        seconds = {}
        for n_jobs in N_JOBS:
            search = GridSearchCV(model.classifier, grid, n_jobs=n_jobs, **options)
            _, seconds[n_jobs] = timed(search.fit, X, train["label"])
        yield seconds
    get_reusable_executor().shutdown()  # idle processes would stay for five minutes


def track_vectorizer_fits(train: pd.DataFrame, grid: Grid) -> int:
    """Count the fits of a cached vectorizer in a search: one per fold, and one for the refit."""
    CountingVectorizer.n_fits = 0
    with TemporaryDirectory() as folder:
        classifier = ContextMemoryClassifier(max_epochs=1, random_state=0)
        steps = [("vectorizer", CountingVectorizer()), ("classifier", classifier)]
        pipeline = Pipeline(steps, memory=Memory(folder, verbose=0))
        of_classifier = {f"classifier__{name}": values for name, values in grid.items()}
        search = GridSearchCV(pipeline, of_classifier, cv=KFold(N_FOLDS), n_jobs=1)
        search.fit(train["text"].tolist(), train["label"])
    return CountingVectorizer.n_fits
