"""Table "fit": CPU seconds of training from texts to a fitted model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import accuracy_score

from benchmarks.corpora.corpus import Corpus
from benchmarks.measuring.resources import cpu_timed
from benchmarks.models.fasttext import fasttext_version
from benchmarks.speed import processes
from benchmarks.speed.choices import choose_strengths
from benchmarks.speed.models import (
    MODELS,
    RATIOS,
    find_char_range,
    installed_models,
    make_model,
    make_same_ngrams,
)
from benchmarks.speed.tasks import Row, Settings, Task, resample_rows
from sk_ctxmem.comparison import LOGISTIC_REGRESSION, SGD

WARM_UP_ROWS = 300
SLOW_FIT = 20.0  # seconds; a slower fit of logistic regression is not repeated
MEANS = "geometric mean"

Measurement = tuple[str, str, float]  # model, "seconds" or "accuracy", value


def plan_fit(corpora: Sequence[Corpus], settings: Settings) -> list[Task]:
    """List one task per corpus."""
    return [Task(corpus.name, partial(measure_fit, corpus, settings)) for corpus in corpora]


def measure_fit(corpus: Corpus, settings: Settings) -> list[Row]:
    """Search for the regularization if needed, then time all models on a corpus."""
    searches = choose_strengths(corpus, settings)
    strengths = {solver: search.strength for solver, search in searches.items()}
    names = [name for name in installed_models() if name != "fasttext" or not corpus.has_groups]
    measurements = None
    if searches[LOGISTIC_REGRESSION].has_result:
        measurements = run_rounds(names, corpus, strengths, settings)
    if measurements is None:
        measurements = run_rounds(names[1:], corpus, strengths, settings) or []
    row = summarise(corpus, measurements, strengths, settings.limit)
    same = time_same_ngrams(corpus, strengths[LOGISTIC_REGRESSION], settings)
    return [row | same | {"ours/same": row["ours_seconds"] / same["same_seconds"]}]


def time_same_ngrams(corpus: Corpus, strength: float, settings: Settings) -> Row:
    """Time logistic regression on all n-grams of context memory, or stop it."""
    arguments = (corpus.part("train"), strength, settings.repeats)
    with processes.Child(fit_same_ngrams, *arguments) as child:
        child.receive()
        try:
            seconds = [child.receive(settings.limit)]
        except TimeoutError:
            return {"same_seconds": settings.limit, "same_stopped": True}
        return {"same_seconds": float(np.median([*seconds, *child])), "same_stopped": False}


def fit_same_ngrams(train: pd.DataFrame, strength: float, repeats: int) -> Iterator[float | None]:
    """Yield None after the warm-up, then the seconds of each fit; a slow fit is not repeated."""
    few = resample_rows(train, WARM_UP_ROWS)
    model = make_same_ngrams(train, LOGISTIC_REGRESSION, strength, 0, find_char_range(train))
    model.fit(few["text"], few["label"])
    yield None
    for _ in range(repeats):
        _, seconds = cpu_timed(clone(model).fit, train["text"], train["label"])
        yield seconds
        if seconds > SLOW_FIT:
            return


def run_rounds(
    names: Sequence[str], corpus: Corpus, strengths: Mapping[str, float], settings: Settings
) -> list[Measurement] | None:
    """Time models in one child process; None if logistic regression took too long."""
    arguments = (names, corpus.part("train"), corpus.part("test"), strengths, settings.repeats)
    with processes.Child(time_fit, *arguments) as child:
        child.receive()
        try:
            first = child.receive(settings.limit if names[0] == "lr" else None)
        except TimeoutError:
            return None
        return [first, *child]


def time_fit(
    names: Sequence[str],
    train: pd.DataFrame,
    test: pd.DataFrame,
    strengths: Mapping[str, float],
    repeats: int,
) -> Iterator[Measurement | None]:
    """Fit each model once per round, after a warm-up of all models.

    Parameters
    ----------
    names : sequence of str
        Names of the models, in the order of a round.

    train, test : DataFrame
        Training rows and rows to score on.

    strengths : mapping of str to float
        C and alpha.

    repeats : int
        Number of rounds.

    Yields
    ------
    tuple or None
        None when the first round starts, then the seconds and the accuracy of each fit. These are
        two values, so that a limit on the fit does not include the scoring.
    """
    few = resample_rows(train, WARM_UP_ROWS)
    for name in names:
        make_model(name, train, strengths, seed=0).fit(few, few["label"])
    yield None
    remaining = list(names)
    for seed in range(repeats):
        for name in list(remaining):
            model = make_model(name, train, strengths, seed)
            _, seconds = cpu_timed(model.fit, train, train["label"])
            if name == "lr" and seconds > SLOW_FIT:
                remaining.remove(name)
            yield name, "seconds", seconds
            yield name, "accuracy", accuracy_score(test["label"], model.predict(test))


def summarise(
    corpus: Corpus,
    measurements: Sequence[Measurement],
    strengths: Mapping[str, float],
    limit: float,
) -> Row:
    """Row of the table: medians, ratios and mean accuracies; `limit` if lr was stopped."""
    frame = pd.DataFrame(measurements, columns=["model", "measure", "value"])
    values = {measure: rows.groupby("model")["value"] for measure, rows in frame.groupby("measure")}
    seconds = values["seconds"].median().reindex(MODELS)
    accuracies = values["accuracy"].mean().reindex(MODELS)
    lr_stopped = bool(np.isnan(seconds["lr"]))
    if lr_stopped:
        seconds["lr"] = limit
    row: Row = {
        "corpus": corpus.name,
        "n_train": len(corpus.part("train")),
        "groups": "yes" if corpus.has_groups else "no",
    }
    row |= {f"{name}_seconds": seconds[name] for name in MODELS}
    row |= {f"{ours}/{other}": seconds[ours] / seconds[other] for ours, other in RATIOS}
    row |= {f"{name}_accuracy": accuracies[name] for name in MODELS}
    return row | {
        "lr_rounds": int(values["seconds"].size().get("lr", 0)),
        "lr_stopped": lr_stopped,
        "fasttext": fasttext_version(),
        "C": strengths[LOGISTIC_REGRESSION],
        "alpha": strengths[SGD],
    }


def add_means(table: pd.DataFrame) -> pd.DataFrame:
    """Add a last row of geometric means; those of fastText are over corpora without groups.

    If logistic regression was stopped, its ratio and the mean are upper bounds.
    """
    means: Row = {"corpus": MEANS}
    means |= {flag: bool(table[flag].any()) for flag in ("lr_stopped", "same_stopped")}
    for ratio in (name for name in table if "/" in str(name)):
        counted = table["groups"] == "no" if ratio == "ours/fasttext" else slice(None)
        means[ratio] = geometric_mean(table.loc[counted, ratio])
    return pd.concat([table, pd.DataFrame([means])], ignore_index=True)


def geometric_mean(ratios: pd.Series) -> float:
    """Geometric mean of the ratios that are not NaN."""
    return float(np.exp(np.log(ratios.dropna()).mean()))
