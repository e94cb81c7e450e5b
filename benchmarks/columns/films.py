"""Genres of films by their title and columns beside it, for ``--films``.

The file is ``data/movies.json`` of the npm package vega-datasets, which is under the BSD-3-Clause
licence. Every model gets the same rows and folds; C is chosen inside each training part.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.comparison import one_blas_thread

TEXT, DATE, TARGET = "Title", "Release Date", "Major Genre"
FEWEST = 20  # films of a genre
N_FOLDS = 5
SEEDS = (0, 1, 2)
STRENGTHS = (0.3, 1.0, 3.0, 10.0)


def read_films(path: Path) -> tuple[pd.DataFrame, pd.Series]:
    """Return the films that have a title and a genre that is not rare, and their genres."""
    films = pd.read_json(path)
    missing = {TEXT, DATE, TARGET} - set(films.columns)
    if missing:
        raise ValueError(f"{path} has no column {sorted(missing)[0]!r}; pass movies.json.")
    films = films.dropna(subset=[TEXT, TARGET])
    counts = films[TARGET].map(films[TARGET].value_counts())
    films = films[counts >= FEWEST].reset_index(drop=True)
    films[TEXT] = films[TEXT].astype(str)  # some are read as numbers, such as 2012
    films[DATE] = pd.to_datetime(films[DATE], format="%b %d %Y", errors="coerce")
    genres = films.pop(TARGET)
    return films, genres


def measure_films(films: pd.DataFrame, genres: pd.Series) -> Iterator[dict[str, object]]:
    """Yield accuracy and CPU seconds of each model; those of a fold have fit and prediction."""
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=0)
    for name, models in make_models(films).items():
        start = time.process_time()
        with one_blas_thread():
            scores = [cross_val_score(model, films, genres, cv=folds) for model in models]
        by_fold = np.mean(scores, axis=0)
        yield {
            "model": name,
            "accuracy": by_fold.mean(),
            "std_over_folds": by_fold.std(),
            "cpu_seconds_per_fold": (time.process_time() - start) / np.size(scores),
        }


def make_models(films: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the models by name: ours with each seed, the others once."""
    ours = [ContextMemoryClassifier(text_column=TEXT, random_state=seed) for seed in SEEDS]
    models: dict[str, list[Any]] = {
        "context memory, title alone": ours,
        'context memory, feature_columns="rest"': [
            ContextMemoryClassifier(text_column=TEXT, feature_columns="rest", random_state=seed)
            for seed in SEEDS
        ],
        "logistic regression, all columns": [_make_regression(films)],
    }
    if find_spec("skrub"):
        models["skrub, tabular_pipeline"] = [_make_boosting()]
    else:
        print("skrub is not installed; its tabular_pipeline is left out.")
    return models


def _make_regression(films: pd.DataFrame) -> GridSearchCV:
    """Return logistic regression on n-grams, numbers, categories and dates, with a search of C."""
    numbers = films.select_dtypes("number").columns.tolist()
    categories = [name for name in films if name not in {TEXT, DATE, *numbers}]
    features = make_column_transformer(
        (TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)), TEXT),
        (_make_scaled(), numbers),
        (OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=2), categories),
        (make_pipeline(FunctionTransformer(_year_and_month), _make_scaled()), [DATE]),
    )
    regression = make_pipeline(features, LogisticRegression(max_iter=2000))
    return GridSearchCV(regression, {"logisticregression__C": list(STRENGTHS)})


def _make_scaled() -> Any:
    """Return numbers that are imputed, with an indicator, and standardized."""
    return make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())


def _year_and_month(dates: pd.DataFrame) -> pd.DataFrame:
    date = dates[DATE].dt
    return pd.DataFrame({"year": date.year, "month": date.month})


def _make_boosting() -> Any:
    """Return the pipeline that skrub suggests for tables, with all its random numbers fixed."""
    from skrub import tabular_pipeline

    pipeline = tabular_pipeline("classification")
    names = [name for name in pipeline.get_params() if name.endswith("__random_state")]
    return pipeline.set_params(**dict.fromkeys(names, 0))
