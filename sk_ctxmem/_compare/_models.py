"""The models of a comparison, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._classifier import ContextMemoryClassifier
from .._features._scripts import lacks_spaces
from .._features._vectorizer import TextSequenceVectorizer
from .._tuning import ContextMemoryClassifierCV
from ._linear import LinearBaseline
from ._names import BASELINES, CONTEXTS, MODELS, NEEDS_GROUPS, OURS, TUNED, is_ours


def choose_models(
    models: Sequence[str] | None, estimators: Mapping[str, Any], *, has_groups: bool
) -> list[str]:
    """Return the names of the rows of the table.

    Parameters
    ----------
    models : sequence of str or None
        Some of `MODELS`, in any order; None for all that suit the data.
    estimators : dict of str to classifier
        The user's own.
    has_groups : bool
        Whether rows have groups. Context memory then has a row for each context.

    Returns
    -------
    names : list of str
        The names, each once.

    Raises
    ------
    TypeError, ValueError
        If a name is unknown or taken, or a model does not suit the data.
    """
    if isinstance(models, str):
        raise TypeError(f"models={models!r} must be a list of names, such as [{models!r}].")
    if models is None:
        models = [name for name in MODELS if has_groups or name != NEEDS_GROUPS]
    names: list[str] = []
    for name in models:
        names += _rows_of(name, has_groups)
    _check_estimators(estimators)
    if not names and not estimators:
        raise ValueError(
            f"There is nothing to compare; pass models with some of {', '.join(MODELS)}, or None."
        )
    return list(dict.fromkeys([*names, *estimators]))


def _rows_of(name, has_groups):
    """Return the rows of the table that a name stands for."""
    variants = [f"{OURS} ({context})" for context in CONTEXTS]
    if name == OURS and has_groups:
        return variants
    if name not in (*MODELS, *variants):
        known = ", ".join(map(repr, MODELS))
        raise ValueError(f"models contains {name!r}, but the names are {known}.")
    if not has_groups and (name == NEEDS_GROUPS or name in variants):
        raise ValueError(
            f"{name!r} reads the rows of a group, but the rows have no groups; set group_column, "
            "or leave it out of models."
        )
    return [name]


def _check_estimators(estimators):
    """Raise unless estimators is a dict of names and classifiers."""
    if not isinstance(estimators, Mapping):
        raise TypeError(
            f"estimators={estimators!r:.100} must be a dict of names and classifiers, such as "
            "{'mine': LogisticRegression()}."
        )
    for name, estimator in estimators.items():
        if name in BASELINES or is_ours(str(name)):
            raise ValueError(
                f"estimators has {name!r}, which is the name of another model of the table; "
                "choose another name."
            )
        methods = ("fit", "predict", "get_params")
        is_class = isinstance(estimator, type)
        if is_class or not all(hasattr(estimator, method) for method in methods):
            raise TypeError(
                f"estimators[{name!r}]={estimator!r:.100} must be an unfitted classifier of "
                "scikit-learn, with fit, predict and get_params."
            )


def make_model(name: str, texts: list[str], columns: Mapping[str, Any], seed: int) -> Any:
    """Return an unfitted model.

    Parameters
    ----------
    name : str
        A result of `choose_models` that is not an estimator of the user.
    texts : list of str
        Texts, whose language decides between words and characters.
    columns : dict of str to str or None
        Column names by role: text, group, order and speaker.
    seed : int
        Seed of the model.

    Returns
    -------
    model : classifier
        The model.
    """
    named = {f"{role}_column": column for role, column in columns.items()}
    if name in BASELINES:
        del named["speaker_column"]
        return LinearBaseline(name, random_state=seed, **named)
    # Tuning chooses nothing that a model may see, so that it gets all: the rows on both sides.
    wide = "both" if columns["group"] is not None else "past"
    context = next((each for each in CONTEXTS if name == f"{OURS} ({each})"), wide)
    vectorizer = None
    if lacks_spaces(texts):
        vectorizer = TextSequenceVectorizer(analyzer="char", ngram_range=(1, 3))
    model = ContextMemoryClassifier(vectorizer, context=context, random_state=seed, **named)
    return ContextMemoryClassifierCV(model, random_state=seed) if name == TUNED else model
