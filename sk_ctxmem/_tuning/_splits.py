"""Splits of the rows of a search into folds, by group where there are groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, check_cv

from .._input._frames import as_table, take_samples
from .._rows._arrange import encode_groups
from .._training._data import CheckedData

N_SPLITS = 5


@dataclass(frozen=True)
class SearchData:
    """Data of a search, and their splits.

    Parameters
    ----------
    X, y, sample_weight, groups : see ContextMemoryClassifier.fit
        As the user passed them.
    checked : CheckedData
        The same, validated.
    splits : list of (ndarray, ndarray)
        Sample numbers of the training and of the held-out part of each fold.
    blocks : ndarray of shape (n_samples,), int64
        Number of the group of each sample, or of the sample: what is drawn independently.
    """

    X: Any
    y: Any
    sample_weight: Any
    groups: Any
    checked: CheckedData
    splits: list[tuple[np.ndarray, np.ndarray]]
    blocks: np.ndarray

    @cached_property
    def weights(self) -> np.ndarray:
        """Sample weights without those of classes, (n_samples,)."""
        if self.sample_weight is None:
            return np.ones(len(self.blocks))
        weights = np.asarray(as_table(self.sample_weight, "sample_weight"), dtype=float)
        return np.broadcast_to(weights.ravel(), len(self.blocks))

    @cached_property
    def truth(self) -> np.ndarray:
        """Class of each sample, (n_samples,), or indicators of labels, (n_samples, n_labels)."""
        targets = self.checked.targets
        return targets if targets.ndim == 2 else self.checked.classes[targets]

    def training_part(self, fold: int) -> dict[str, Any]:
        """Return X, y, sample_weight and groups of the training part of a fold."""
        return self._part(self.splits[fold][0], ("X", "y", "sample_weight", "groups"))

    def held_out_part(self, fold: int) -> dict[str, Any]:
        """Return X and groups of the held-out part of a fold."""
        return self._part(self.splits[fold][1], ("X", "groups"))

    def training_share(self, fold: int) -> float:
        """Return the share of all samples in the training part of a fold."""
        return len(self.splits[fold][0]) / len(self.blocks)

    def _part(self, samples: np.ndarray, names: tuple[str, ...]) -> dict[str, Any]:
        given = {name: getattr(self, name) for name in names}
        return {
            name: None if value is None else take_samples(value, samples)
            for name, value in given.items()
        }


def split_search_data(
    X: Any, y: Any, sample_weight: Any, groups: Any, checked: CheckedData, cv: Any, seed: int
) -> SearchData:
    """Split validated data into folds.

    Parameters
    ----------
    X, y, sample_weight, groups : see ContextMemoryClassifier.fit
        As the user passed them.
    checked : CheckedData
        The same, validated.
    cv : int, splitter, iterable or None
        As the parameter of ContextMemoryClassifierCV.
    seed : int
        Seed of the shuffling.

    Returns
    -------
    data : SearchData
        The data and their splits.

    Raises
    ------
    ValueError
        If there are fewer than two samples or groups to split, `cv` is invalid, or a training part
        has one class only.
    """
    inputs, targets = checked.inputs, checked.targets
    has_groups = inputs.groups is not None and inputs.lengths is None
    blocks = encode_groups(inputs) if has_groups else np.arange(len(targets))
    splits = split_samples(cv, blocks, targets, seed, grouped=has_groups)
    _check_classes(splits, checked)
    return SearchData(X, y, sample_weight, groups, checked, splits, blocks)


def _check_classes(splits: list[tuple[np.ndarray, np.ndarray]], checked: CheckedData) -> None:
    """Raise if there is a fold whose training part has one class only."""
    for number, (train, _) in enumerate(splits):
        found = np.unique(checked.targets[train]) if checked.targets.ndim == 1 else ()
        if len(found) == 1:
            raise ValueError(
                f"The training part of split {number} has only one class, "
                f"{checked.classes[found].tolist()[0]!r}, in {len(train)} sample(s); pass more "
                "samples of each class, or another cv, or use ContextMemoryClassifier."
            )


def split_samples(
    cv: Any, blocks: np.ndarray, targets: np.ndarray, seed: int, *, grouped: bool
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split samples into folds by `cv`, see `split_search_data`; blocks are groups if `grouped`."""
    if cv is None or (isinstance(cv, int | np.integer) and not isinstance(cv, bool)):
        n_splits = N_SPLITS if cv is None else int(cv)
        return split_evenly(blocks, targets, n_splits, seed, grouped=grouped)
    return _split_by(cv, targets, blocks if grouped else None)


def split_evenly(
    blocks: np.ndarray, targets: np.ndarray, n_splits: int, seed: int, *, grouped: bool
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split into folds of whole groups, or of samples with the same share of each class."""
    n_blocks = int(blocks.max()) + 1
    if n_splits < 2:
        raise ValueError(f"cv={n_splits!r} must be an integer of at least 2; use 5 if unsure.")
    if n_blocks < 2:
        kind = "group" if grouped else "sample"
        raise ValueError(
            f"X has {n_blocks} {kind}, but a search needs at least 2, one of which is held out; "
            "pass more data, or use ContextMemoryClassifier."
        )
    options = {"n_splits": min(n_splits, n_blocks), "shuffle": True, "random_state": seed}
    if grouped:
        return list(GroupKFold(**options).split(targets, groups=blocks))
    strata = _join_rare_classes(targets, options["n_splits"]) if targets.ndim == 1 else None
    if strata is None:
        return list(KFold(**options).split(targets))
    return list(StratifiedKFold(**options).split(targets, strata))


def _join_rare_classes(targets: np.ndarray, n_splits: int) -> np.ndarray | None:
    """Return strata of at least `n_splits` samples, or None if there are too few samples.

    Classes with fewer samples are one stratum; if it is too small as well, it joins the most
    frequent class.
    """
    counts = np.bincount(targets)
    strata = np.where(counts[targets] < n_splits, -1, targets)
    if 0 < (strata == -1).sum() < n_splits:
        strata[strata == -1] = counts.argmax()
    return None if np.unique(strata, return_counts=True)[1].min() < n_splits else strata


def _split_by(
    cv: Any, targets: np.ndarray, groups: np.ndarray | None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split by a splitter of scikit-learn, or an iterable of splits."""
    if isinstance(cv, str | bool) or not (hasattr(cv, "split") or isinstance(cv, Iterable)):
        raise TypeError(
            f"cv={cv!r} must be an integer, a splitter such as GroupKFold(5), an iterable of "
            "(train, test) sample numbers, or None; use None if unsure."
        )
    splitter = check_cv(cv, targets, classifier=True)
    found = [
        (np.arange(len(targets))[train], np.arange(len(targets))[test])
        for train, test in splitter.split(np.zeros((len(targets), 1)), targets, groups)
    ]
    if not found or not all(len(train) and len(test) for train, test in found):
        raise ValueError(f"cv={cv!r} has no split, or an empty one; use None if unsure.")
    return found
