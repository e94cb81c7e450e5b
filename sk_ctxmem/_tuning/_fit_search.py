"""fit_search: search for parameters, and fit the best estimator on all rows."""

from __future__ import annotations

from dataclasses import replace
from numbers import Integral
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state

from .._classifier import ContextMemoryClassifier, validated_params
from .._input._parameters import check_parameters
from .._messages import warn_caller
from .._training._data import CheckedData, check_data
from ..exceptions import TrainingInterruptedWarning
from ._cost import Budget, Cost
from ._progress import search_progress
from ._results import cv_results
from ._runner import Runner
from ._search import Search
from ._space import DefaultSpace, GivenSpace, check_distributions
from ._splits import SearchData, split_search_data
from ._trial import Scores, Trial

IN_SEARCH = {"checkpoint": None, "warm_start": False, "verbose": 0}


def fit_search(
    search_cv: Any, X: Any, y: Any, sample_weight: Any, groups: Any, constraints: dict[str, Any]
) -> dict[str, Any]:
    """Search for the parameters of a ContextMemoryClassifierCV.

    Parameters
    ----------
    search_cv : ContextMemoryClassifierCV
        The estimator, which is not changed.
    X, y, sample_weight, groups : see ContextMemoryClassifierCV.fit
        The data.
    constraints : dict
        Constraints of its parameters.

    Returns
    -------
    attributes : dict
        Fitted attributes.
    """
    check_parameters(search_cv, constraints)
    check_scoring_parameter(search_cv.scoring)
    random = check_random_state(search_cv.random_state)
    estimator = prepare_estimator(search_cv.estimator, random)
    params = validated_params(estimator)
    checked = check_data(X, y, sample_weight, groups, params)
    in_context = sees_context(checked, params)
    space = choose_space(search_cv.param_distributions, estimator, checked, random, in_context)
    scorer = check_scoring(estimator, scoring=search_cv.scoring)
    seed = random.randint(2**31 - 1)
    data = split_search_data(X, y, sample_weight, groups, checked, search_cv.cv, seed)
    own_scorer = None if search_cv.scoring is None else scorer
    data = keep_scored_splits(data, own_scorer, search_cv.scoring)
    budget = Budget(float(search_cv.max_cost), search_cv.time_budget)
    with (
        TemporaryDirectory(prefix="sk_ctxmem-") as folder,
        search_progress(int(search_cv.verbose), budget.max_cost) as progress,
    ):
        runner = Runner(
            clone(estimator).set_params(**IN_SEARCH),
            data,
            Scores(data, own_scorer),
            Cost(params, in_context=in_context),
            budget,
            n_jobs=search_cv.n_jobs,
            folder=folder,
            progress=progress,
        )
        search = Search(runner, space, int(search_cv.n_members))
        search.run()
        members = search.members()
        progress.refit()
        started = perf_counter()
        fitted = [
            member.candidate.estimator(estimator).fit(X, y, sample_weight, groups)
            for member in members
        ]
        seconds = perf_counter() - started
    warn_of_troubles(search)
    return report_search(search, members, estimator) | {
        "best_estimator_": fitted[0],
        "estimators_": fitted,
        "refit_time_": seconds,
        "scorer_": scorer,
    }


def report_search(
    search: Search, members: list[Trial], estimator: ContextMemoryClassifier
) -> dict[str, Any]:
    """Return the fitted attributes that describe a search and its choice."""
    runner, best = search.runner, members[0]
    n_splits = len(runner.data.splits)
    results = cv_results(search.trials, best, search.space.names, estimator, n_splits)
    of_last_fits = sum(runner.cost.fit(member.params) for member in members)
    return {
        "best_index_": best.number,
        "best_params_": results["params"][best.number],
        "best_score_": runner.scores.mean_of(members).score,
        "cv_results_": results,
        "cost_": runner.budget.spent + of_last_fits,
        "n_splits_": n_splits,
        "stop_reason_": search.stop_reason,
    }


def check_scoring_parameter(scoring: Any) -> None:
    """Raise unless `scoring` is one score."""
    if scoring is not None and not isinstance(scoring, str) and not callable(scoring):
        raise TypeError(
            f"scoring={scoring!r:.200} must be the name of one score, such as 'f1_macro', a "
            "function of an estimator, X and y, or None; candidates are compared by one score."
        )


def keep_scored_splits(data: SearchData, scorer: Any, scoring: Any) -> SearchData:
    """Return the data with the splits on which the score is defined.

    Raises
    ------
    ValueError
        If there is none.

    Warns
    -----
    UserWarning
        If splits are left out.
    """
    scores = Scores(data, scorer)
    reasons = [scores.reason_without(fold) for fold in range(len(data.splits))]
    without = [reason for reason in reasons if reason is not None]
    if not without:
        return data
    kept = [split for split, why in zip(data.splits, reasons, strict=True) if why is None]
    found = (
        f"{len(without)} of {len(reasons)} splits cannot be scored by scoring={scoring!r:.100} "
        f"({without[0]:.300})"
    )
    remedy = "pass a cv whose held-out parts have rows of all classes, or another scoring."
    if not kept:
        raise ValueError(f"{found}; {remedy}")
    warn_caller(f"{found} and are left out; {remedy}", UserWarning)
    return replace(data, splits=kept)


def prepare_estimator(estimator: Any, random: np.random.RandomState) -> ContextMemoryClassifier:
    """Return a clone of the estimator with an integer as random state, which all candidates have.

    Raises
    ------
    TypeError
        If it is no ContextMemoryClassifier.
    """
    if estimator is None:
        estimator = ContextMemoryClassifier()
    if not isinstance(estimator, ContextMemoryClassifier):
        kind = f"the class {estimator.__name__}" if isinstance(estimator, type) else repr(estimator)
        raise TypeError(
            f"estimator={kind:.200} must be a ContextMemoryClassifier or None. Make this search "
            "the last step of a Pipeline, or use HalvingRandomSearchCV for other estimators."
        )
    estimator = clone(estimator)
    seed = estimator.random_state
    if not isinstance(seed, Integral):
        drawn = random if seed is None else check_random_state(seed)
        estimator.set_params(random_state=drawn.randint(2**31 - 1))
    return estimator


def sees_context(checked: CheckedData, params: Any) -> bool:
    """Return whether rows see other rows, or are steps of sequences."""
    inputs = checked.inputs
    has_groups = inputs.groups is not None and params.context != "none"
    return inputs.lengths is not None or has_groups


def choose_space(
    distributions: Any,
    estimator: ContextMemoryClassifier,
    checked: CheckedData,
    random: np.random.RandomState,
    in_context: bool,
) -> DefaultSpace | GivenSpace:
    """Return the space of the user, or that of useful changes of the defaults."""
    if distributions is not None:
        check_distributions(distributions, estimator)
        return GivenSpace(distributions, random)
    texts = checked.inputs.values if checked.inputs.kind == "text" else None
    return DefaultSpace(estimator, texts=texts, has_context=in_context)


def warn_of_troubles(search: Search) -> None:
    """Warn if the search was interrupted, or candidates could not be fitted."""
    trials = search.trials
    if search.interrupted:
        warn_caller(
            f"The search was interrupted by Ctrl-C after {len(trials)} candidate(s): the best one "
            "so far was fitted on all rows.",
            TrainingInterruptedWarning,
        )
    failed = [trial for trial in trials if trial.error]
    if failed:
        warn_caller(
            f"{len(failed)} of {len(trials)} candidates could not be fitted; the first one of "
            f"them, {failed[0].candidate.changes}, failed with {failed[0].error}",
            FitFailedWarning,
        )
