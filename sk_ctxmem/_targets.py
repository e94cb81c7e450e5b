"""Checks of the target and of the weights."""

from collections.abc import Mapping
from numbers import Real

import numpy as np
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from ._validation import is_missing


def _check_labels(y, n_rows):
    """Return the classes of the rows as an array, of any kind."""
    if y is None:
        raise ValueError(
            "This classifier requires y to be passed, but the target y is None; pass the class "
            "of each row."
        )
    if isinstance(y, list | tuple) and any(map(is_missing, y)):
        row = next(row for row, label in enumerate(y) if is_missing(label))
        raise ValueError(f"Input y contains NaN or None, first in row {row}; drop such rows.")
    y = column_or_1d(y, warn=True)
    if len(y) != n_rows:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has {n_rows} rows, "
            f"y has {len(y)}; pass one class for each row."
        )
    y = check_array(y, ensure_2d=False, dtype=None, input_name="y")
    return y


def check_target(y, n_rows):
    """Check the target of a classifier.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Classes of any kind.
    n_rows : int
        Number of rows of X.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        The classes, sorted.
    numbers : ndarray of shape (n_rows,), int64
        For each row the place of its class.

    Raises
    ------
    ValueError
        If y is missing, of another length, not of classes, or of one class only.
    """
    y = _check_labels(y, n_rows)
    check_classification_targets(y)
    classes, numbers = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            f"y has only one class, {classes.tolist()[0]!r}, in {n_rows} row(s); a classifier "
            "needs at least two."
        )
    return classes, numbers.astype(np.int64)


def check_classes(classes):
    """Return all classes that there will be, sorted.

    Raises
    ------
    ValueError
        If they are not given, or fewer than two.
    """
    if classes is None:
        raise ValueError(
            "classes must be passed on the first call to partial_fit; pass all classes that any "
            "chunk will have, such as numpy.unique(y)."
        )
    classes = np.unique(_check_labels(classes, len(classes)))
    if len(classes) < 2:
        raise ValueError(
            f"classes={classes.tolist()!r} has only one class; a classifier needs at least two."
        )
    check_classification_targets(classes.repeat(3))  # each alone would look like a number
    return classes


def find_classes(y, n_rows, classes):
    """Return the place of the class of each row among the known classes, int64.

    Raises
    ------
    ValueError
        If y has a class that is not among them.
    """
    y = _check_labels(y, n_rows)
    found, numbers = np.unique(y, return_inverse=True)
    places = {label: place for place, label in enumerate(classes.tolist())}
    unknown = [label for label in found.tolist() if label not in places]
    if unknown:
        raise ValueError(
            f"y has the classes {unknown[:5]!r}, which are not among those of the first call, "
            f"{classes.tolist()!r:.200}; pass all of them as classes= to the first call."
        )
    return np.array([places[label] for label in found.tolist()], dtype=np.int64)[numbers]


def check_weights(sample_weight, class_weight, classes, targets):
    """Combine the weights of rows and classes, to a mean of 1.

    Parameters
    ----------
    sample_weight : array-like of shape (n_rows,) or None
        Weights of the rows.
    class_weight : dict, "balanced" or None
        Weights of the classes.
    classes : ndarray of shape (n_classes,)
        The classes.
    targets : ndarray of shape (n_rows,)
        For each row the place of its class.

    Returns
    -------
    weights : ndarray of shape (n_rows,), float32
        Weights with a mean of 1.

    Raises
    ------
    TypeError, ValueError
        If a weight is negative or not finite, a key is no class, or only one class is left.
    """
    weights = _check_sample_weight(sample_weight, targets)
    if sample_weight is not None and len(np.unique(targets[weights > 0])) < 2:
        raise ValueError(
            "sample_weight is zero for all rows but those of one class, or for all; a "
            "classifier needs rows of positive weight in two classes or more."
        )
    _check_class_weight(class_weight, classes)
    weights = weights * compute_sample_weight(class_weight, classes[targets])
    if len(np.unique(targets[weights > 0])) < 2:
        raise ValueError(
            f"class_weight={class_weight!r} leaves rows of weight above zero in less than two "
            "classes; a classifier needs at least two."
        )
    return (weights / weights.mean()).astype(np.float32)


def check_chunk_weights(sample_weight, class_weight, classes, targets):
    """Combine the weights of rows and classes of a chunk, as they are: others have their own.

    Parameters and errors are those of `check_weights`, but "balanced" is one of the errors.
    """
    if isinstance(class_weight, str):
        raise ValueError(
            f"class_weight={class_weight!r} needs the classes of all rows, which partial_fit does "
            "not see; pass a dict, such as the weights that "
            "sklearn.utils.class_weight.compute_class_weight finds."
        )
    weights = _check_sample_weight(sample_weight, targets)
    if class_weight is not None:
        _check_class_weight(class_weight, classes)
        each = [class_weight.get(label, 1) for label in classes.tolist()]
        weights = weights * np.array(each, dtype=np.float64)[targets]
    if not weights.any():
        raise ValueError("The weights of all rows are zero; leave such chunks out.")
    return weights.astype(np.float32)


def _check_sample_weight(sample_weight, targets):
    """Return the weights of the rows, 1 for None."""
    if sample_weight is None:
        return np.ones(len(targets))
    weights = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    if weights.shape != targets.shape:
        raise ValueError(
            f"sample_weight has shape {weights.shape}, but X has {len(targets)} rows; pass "
            "one weight for each row."
        )
    if weights.min() < 0:
        row = int(weights.argmin())
        raise ValueError(
            f"sample_weight has {weights[row]} in row {row}; weights must not be negative."
        )
    return weights


def _check_class_weight(class_weight, classes):
    """Raise unless this is a dict of weights of classes, "balanced" or None."""
    if isinstance(class_weight, Mapping):
        known = classes.tolist()
        for label, weight in class_weight.items():
            if label not in known:
                raise ValueError(
                    f"class_weight has the key {label!r}, which is no class of y; the classes "
                    f"are {known}."
                )
            if not isinstance(weight, Real) or not 0 <= float(weight) < np.inf:
                raise ValueError(
                    f"class_weight has {weight!r} for class {label!r}; weights must be numbers "
                    "of at least 0."
                )
    elif class_weight is not None and not (
        isinstance(class_weight, str) and class_weight == "balanced"
    ):
        kind = ValueError if isinstance(class_weight, str) else TypeError
        raise kind(
            f"class_weight={class_weight!r} must be a dict, 'balanced' or None; use None if unsure."
        )
