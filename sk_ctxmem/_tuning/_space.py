"""The candidates of a search: changes of the parameters of an estimator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Number
from typing import Any

from sklearn.base import clone
from sklearn.model_selection import ParameterGrid, ParameterSampler

from .._classifier import ContextMemoryClassifier
from .._features._scripts import lacks_spaces
from .._features._vectorizer import TextSequenceVectorizer

MANY = 100_000  # candidates; more than any budget allows
VECTORIZER = "vectorizer__"
MOST_JOINED = 3  # changes that a candidate joins


@dataclass(frozen=True)
class Candidate:
    """A candidate: changes of the parameters of the estimator.

    Parameters
    ----------
    changes : dict
        Values of the parameters that the candidate changes; none for the estimator as it is.
    """

    changes: dict[str, Any]

    def estimator(self, estimator: ContextMemoryClassifier) -> ContextMemoryClassifier:
        """Return a clone of the estimator with the changes, which are cloned, too."""
        changes = {name: clone(value, safe=False) for name, value in self.changes.items()}
        return clone(estimator).set_params(**changes)

    @property
    def reading(self) -> str:
        """What the rows that a candidate reads depend on."""
        own = [(name, identify(self.changes[name])) for name in sorted(self.changes)]
        return repr([pair for pair in own if changes_reading(pair[0])])


def identify(value: Any) -> Any:
    """Return a plain value as it is, and the id of an object, whose repr may be cut short."""
    if isinstance(value, list | tuple):
        return [identify(each) for each in value]
    return value if value is None or isinstance(value, str | Number) else (type(value), id(value))


def changes_reading(name: str) -> bool:
    """Return whether candidates that differ in this parameter read other rows."""
    own = {"max_epochs", "dropout", "hidden_size", "learning_rate", "batch_size", "memory"}
    return name not in own | {"n_iter_no_change", "validation_fraction"}


class DefaultSpace:
    """Changes of the default parameters: one at a time first, then those joined that were better.

    Parameters
    ----------
    estimator : ContextMemoryClassifier
        The estimator.
    texts : list of str or None
        The texts. None if X has features.
    has_context : bool
        Whether rows see other rows, or are steps of sequences.
    """

    def __init__(
        self,
        estimator: ContextMemoryClassifier,
        *,
        texts: Sequence[str] | None,
        has_context: bool,
    ) -> None:
        self.n_epochs = int(estimator.max_epochs)
        singles = list_singles(estimator, texts, has_context=has_context)
        before = values_of(estimator, {name for change in singles for name in change})
        self.singles = [
            Candidate(change)
            for change in singles
            if any(before[name] != value for name, value in change.items())
        ]

    @property
    def names(self) -> list[str]:
        """Names of the parameters that are searched."""
        return sorted({name for single in self.singles for name in single.changes})

    def first(self) -> Iterator[Candidate]:
        """Yield the candidates with one change."""
        yield from self.singles

    def join(self, gains: Sequence[tuple[float, Candidate]]) -> list[Candidate]:
        """Return candidates that join changes which were better than the estimator as it is.

        Parameters
        ----------
        gains : list of (float, Candidate)
            Gains of the candidates of `first` that were fitted to the end.
        """
        better = sorted((pair for pair in gains if pair[0] > 0), key=lambda pair: -pair[0])
        joined: dict[str, Any] = {}
        found = []
        for _, candidate in better[:MOST_JOINED]:
            joined = candidate.changes | joined
            if len(joined) > 1 and joined not in found:
                found.append(joined)
        if joined.get("max_epochs", self.n_epochs) > self.n_epochs:
            found.append(joined | {"max_epochs": 3 * self.n_epochs})
        return [Candidate(changes) for changes in found]


def list_singles(
    estimator: ContextMemoryClassifier, texts: Sequence[str] | None, *, has_context: bool
) -> list[dict[str, Any]]:
    """Return changes of parameters, one at a time, in the order in which they are tried.

    First come those that gain most log-likelihood where they gain any, on ten corpora. A change
    that loses much elsewhere, such as "elman" in long dialogues, is given up after half of its
    epochs.
    """
    n_epochs, width = int(estimator.max_epochs), int(estimator.hidden_size)
    has_own = texts is not None and isinstance(estimator.vectorizer, TextSequenceVectorizer | None)
    characters = {"vectorizer__analyzer": "char", "vectorizer__ngram_range": (1, 3)}
    singles: list[tuple[bool, dict[str, Any]]] = [
        (has_own and lacks_spaces(texts or ()), characters),
        (True, {"max_epochs": 2 * n_epochs}),
        (n_epochs > 1, {"max_epochs": -(-n_epochs // 2)}),
        (has_own, {"word_memory": "convolution"}),
        (has_own, {"vectorizer__char_ngram_range": (3, 6)}),
        (has_context, {"memory": "elman"}),
        (estimator.embedder is not None, {"embedder": None}),
        (has_own, {"vectorizer__min_df": 2}),
        (True, {"dropout": 0.4}),
        (True, {"hidden_size": 2 * width}),
        (has_own, {"vectorizer__lowercase": False}),
        (has_context, {"memory": "lstm"}),
        (has_own, {"vectorizer__char_ngram_range": None}),
    ]
    return [change for applies, change in singles if applies]


class GivenSpace:
    """Candidates drawn from the distributions of the user.

    Parameters
    ----------
    distributions : dict or list of dict
        As `param_distributions`.
    random_state : RandomState
        Draws the candidates.
    """

    def __init__(self, distributions: Any, random_state: Any) -> None:
        self.distributions = distributions
        self.random_state = random_state

    @property
    def names(self) -> list[str]:
        """Names of the parameters that are searched."""
        return sorted({name for table in _tables(self.distributions) for name in table})

    def first(self) -> Iterator[Candidate]:
        """Yield candidates, each once if there are finitely many."""
        n_candidates = MANY
        if _are_lists(self.distributions):
            n_candidates = min(MANY, len(ParameterGrid(self.distributions)))
        drawn = ParameterSampler(self.distributions, n_candidates, random_state=self.random_state)
        yield from map(Candidate, drawn)

    def join(self, gains: Sequence[tuple[float, Candidate]]) -> list[Candidate]:
        """Return no other candidates."""
        return []


def _are_lists(distributions: Any) -> bool:
    values = [value for table in _tables(distributions) for value in table.values()]
    return not any(hasattr(value, "rvs") for value in values)


def _tables(distributions: Any) -> list[Mapping]:
    return [distributions] if isinstance(distributions, Mapping) else list(distributions)


def values_of(estimator: ContextMemoryClassifier, names: Any) -> dict[str, Any]:
    """Return values of parameters, also of the vectorizer that None stands for."""
    params = estimator.get_params(deep=True)
    if estimator.vectorizer is None:
        own = TextSequenceVectorizer().get_params()
        params |= {VECTORIZER + name: value for name, value in own.items()}
    return {name: params.get(name) for name in names}


def check_distributions(distributions: Any, estimator: ContextMemoryClassifier) -> None:
    """Raise unless `param_distributions` has lists or distributions of known parameters.

    Raises
    ------
    TypeError, ValueError
        If it is no dict or list of dicts, is empty, or has an unknown parameter.
    """
    tables = list(distributions) if isinstance(distributions, list | tuple) else [distributions]
    if not tables or not all(isinstance(table, Mapping) and table for table in tables):
        raise TypeError(
            f"param_distributions={distributions!r:.200} must be a dict of parameter names to "
            "lists or distributions, a list of such dicts, or None; use None if unsure."
        )
    for table in tables:
        for name, values in table.items():
            _check_values(name, values)
            value = values.rvs(random_state=0) if hasattr(values, "rvs") else next(iter(values))
            _check_name(estimator, name, value)


def _check_name(estimator: ContextMemoryClassifier, name: str, value: Any) -> None:
    """Raise unless the estimator has a parameter of this name."""
    try:
        Candidate({name: value}).estimator(estimator)
    except (ValueError, AttributeError) as error:
        raise ValueError(
            f"param_distributions has {name!r}, which is no parameter of the estimator ({error})"
        ) from error


def _check_values(name: str, values: Any) -> None:
    is_list = isinstance(values, Sequence) or hasattr(values, "__array__")
    if isinstance(values, str) or not (is_list or hasattr(values, "rvs")):
        raise TypeError(
            f"param_distributions[{name!r}]={values!r:.100} must be a list of values or a "
            f"distribution with a method rvs; pass [{values!r:.100}] for a single value."
        )
    if is_list and not len(values):
        raise ValueError(f"param_distributions[{name!r}] is empty; pass at least one value.")
