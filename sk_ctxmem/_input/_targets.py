"""Validation of the target, sample weights and class weights."""

from collections.abc import Mapping, Sequence, Set
from numbers import Real

import numpy as np
from scipy import sparse
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from .._messages import doc_link, warn_caller
from ._arrays import as_array, as_numbers, as_objects, find_missing, refuse_mask
from ._frames import as_table
from ._indicators import has_several_labels, read_indicators, refuse_labels

COLLECTIONS = (list, tuple, np.ndarray, Set, Mapping)
MAX_WEIGHT = 1e6  # of a row of a chunk; the mean should be about 1


def check_target(y, n_rows):
    """Validate the target and encode it as class indices, or as indicators of labels.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, n_labels)
        Class labels, or 0 and 1 for each of several labels.
    n_rows : int
        Number of rows of X.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        Sorted class labels, or the names of the labels in the order of the columns.
    numbers : ndarray of shape (n_rows,), int64, or (n_rows, n_labels), uint8
        Class index of each row, or the indicators.

    Raises
    ------
    ValueError
        If y is None or has missing values, its length differs from `n_rows`, it is not a
        classification target, or it has a single class.
    """
    y = as_table(y, "y")
    if has_several_labels(y):
        return read_indicators(y, n_rows)
    y = _check_labels(y, n_rows)
    _check_label_types(y, "y")
    classes, numbers = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            f"y has only one class, {classes.tolist()[0]!r}, in {n_rows} row(s); a classifier "
            "needs at least two." + doc_link("classes")
        )
    return classes, numbers.astype(np.int64)


def refuse_labels_of_steps(y, lengths):
    """Raise if y has a label for each step of sequences, in place of one for each sequence.

    Parameters
    ----------
    y : object
        The target, not validated.
    lengths : ndarray of shape (n_sequences,) or None
        Number of steps of each sequence. None if a sample of X is a row.

    Raises
    ------
    ValueError
        If y has a list of labels for each sequence, as long as the sequence, as many labels as
        there are steps, or another number of labels than there are sequences.
    """
    if lengths is None or not hasattr(type(y), "__len__") or sparse.issparse(y):
        return
    n_steps, counts = int(lengths.sum()), _count_labels(y)
    is_flat = counts is None and len(lengths) != n_steps == len(y)
    if is_flat or counts == lengths.tolist():
        rows = "" if is_flat else ", such as [label for labels in y for label in labels]"
        raise ValueError(
            f"y has {n_steps} labels, one for each step, but X is {len(lengths)} sequences, which "
            "have one label each. For a label of each step pass one frame of the rows of all "
            "sequences, with group_column set to the column of their numbers, and y with one label "
            f"for each row{rows}." + doc_link("kinds-of-input")
        )
    if len(y) != len(lengths):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has {len(lengths)} "
            f"sequences, y has {len(y)}; pass one class label for each sequence."
        )


def _count_labels(y):
    """Return the number of labels in each list of y, or None if y is no list of such lists."""
    is_list = isinstance(y, Sequence) or getattr(getattr(y, "dtype", None), "kind", "") == "O"
    if not is_list or not all(isinstance(each, list | tuple | np.ndarray) for each in y):
        return None
    counts = [len(each) for each in y]
    # one label is a column, and numbers may be the indicators of several labels of a sequence
    has_texts = any(isinstance(label, str) for labels in y for label in labels)
    return counts if len(set(counts)) > 1 or (has_texts and counts[0] > 1) else None


def check_classes(classes):
    """Validate the `classes` of partial_fit and sort them.

    Raises
    ------
    ValueError
        If `classes` is None or has fewer than two classes.
    """
    if classes is None:
        raise ValueError(
            "classes must be passed on the first call to partial_fit; pass the classes of all "
            "chunks, such as numpy.unique(y)."
        )
    classes = as_table(classes, "classes")
    if isinstance(classes, Set | Mapping) or np.ndim(classes) != 1:
        raise TypeError(f"classes={classes!r:.200} must be a list or an array of all classes.")
    classes = np.unique(_check_labels(classes, len(classes)))
    if len(classes) < 2:
        raise ValueError(
            f"classes={classes.tolist()!r} has only one class; a classifier needs at least two."
        )
    _check_label_types(classes.repeat(3), "classes")  # unique numbers look like regression
    return classes


def find_classes(y, n_rows, classes):
    """Encode y as int64 indices into the known classes.

    Raises
    ------
    ValueError
        If y has a class that is not in `classes`.
    """
    y = _check_labels(y, n_rows)
    found, numbers = np.unique(y, return_inverse=True)
    places = {label: place for place, label in enumerate(classes.tolist())}
    unknown = [label for label in found.tolist() if label not in places]
    if unknown:
        raise ValueError(
            f"y has the classes {unknown[:5]!r}, which are not among the classes of the first "
            f"call, {classes.tolist()!r:.200}; pass all classes as classes= on the first call."
            + doc_link("classes")
        )
    return np.array([places[label] for label in found.tolist()], dtype=np.int64)[numbers]


def _check_labels(y, n_rows):
    """Validate class labels and return them as an array."""
    if y is None:
        raise ValueError(
            "This classifier requires y to be passed, but the target y is None; pass the class "
            "label of each row."
        )
    y = column_or_1d(_read_labels(y), warn=True)
    if len(y) != n_rows:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has {n_rows} rows, "
            f"y has {len(y)}; pass one class label for each row."
        )
    return check_array(y, ensure_2d=False, dtype=None, input_name="y")


def _check_label_types(y, name):
    """Raise unless scikit-learn reads labels as classes; it says nothing of those in objects."""
    if y.dtype == object and type_of_target(y) == "unknown":
        kinds = " and ".join(sorted({type(label).__name__ for label in y}))
        raise ValueError(
            f"Unknown label type: {name} has dtype object and labels of type {kinds}, "
            f"such as {y[0]!r:.60}; convert them to one type of numbers or str, such as with "
            "numpy.asarray(y).astype(str)."
        )
    check_classification_targets(y)


def _read_labels(y):
    """Convert labels to an array; raise if a label is missing or their types are mixed."""
    y = as_table(y, "y")
    refuse_mask(y, "y")
    y = plain_labels(y)
    if hasattr(y, "to_numpy") and hasattr(y, "dtype"):
        labels = y.to_numpy()
    elif isinstance(y, Sequence) and not isinstance(y, str | bytes):
        labels = as_objects(y)
    else:
        labels = as_array(y, "y")
    if getattr(labels, "ndim", 2) != 1:
        return labels  # scikit-learn raises
    missing = find_missing(labels, "y")
    if len(missing):
        raise ValueError(
            f"Input y contains NaN or None, first in row {missing[0]}; drop such rows."
        )
    if labels.dtype.kind == "V":
        raise TypeError(f"y has dtype {labels.dtype}; pass one str or number for each row.")
    _check_one_kind(labels)
    return _as_numpy_would(y, labels)


def plain_labels(y):
    """Return labels that scikit-learn can read.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Class labels.

    Returns
    -------
    y : array-like of shape (n_rows,)
        The labels, as objects if they are of numpy's StringDType, unknown to scikit-learn.

    Raises
    ------
    TypeError, ValueError
        If rows have several labels.
    """
    shape: tuple = getattr(y, "shape", ())
    if len(shape) == 2 and shape[1] > 1:
        if sparse.issparse(y):
            refuse_labels(f"Sparse data was passed for y, of shape {shape}", TypeError)
        refuse_labels(f"y should be a 1d array, got an array of shape {shape} instead")
    kind = getattr(getattr(y, "dtype", None), "kind", "")
    is_sequence = isinstance(y, Sequence) and not isinstance(y, str | bytes)
    if is_sequence or (len(shape) == 1 and kind == "O"):
        _check_one_label_each(y)
    return y.astype(object) if kind == "T" else y


def _check_one_label_each(y):
    """Raise if the label of a row is a collection; a list of lists of one label is a column."""
    if not any(issubclass(kind, COLLECTIONS) for kind in set(map(type, y))):
        return
    may_be_column = isinstance(y, Sequence)
    for row, label in enumerate(y):
        is_cell = may_be_column and np.shape(label) == (1,)
        if is_cell or not isinstance(label, COLLECTIONS):
            continue
        shapes = {np.shape(each) for each in y}
        if may_be_column and len(shapes) == 1 and shapes != {()}:
            shape = (len(y), *shapes.pop())
            refuse_labels(f"y should be a 1d array, got an array of shape {shape} instead")
        refuse_labels(
            f"y is a {type(y).__name__} that cannot be converted to one label for each row. "
            f"Unknown label type: row {row} has {label!r:.60}, as in legacy multi-label data"
        )


def _check_one_kind(labels):
    """Raise if strings are mixed with other labels: numpy would convert those to strings."""
    kinds = {} if labels.dtype != object else {type(label).__name__: label for label in labels}
    n_strings = sum(isinstance(label, str) for label in kinds.values())
    if 0 < n_strings < len(kinds):
        raise TypeError(
            f"y mixes labels of the types {' and '.join(sorted(kinds))}; convert them to one."
        )


def _as_numpy_would(y, labels):
    """Convert a list with np.asarray unless that would strip trailing NULs of labels."""
    if labels is y or not isinstance(y, Sequence):
        return labels
    if any(isinstance(label, str) and label.endswith("\0") for label in labels):
        return labels
    array = as_array(y, "y")
    others = {kind for kind in set(map(type, labels)) - {str, np.str_} if issubclass(kind, str)}
    if others and len(np.unique(array)) < len(set(labels)):  # str(Color.RED) is "Color.RED"
        raise ValueError(
            f"y has labels such as {labels[0]!r}, of which numpy makes {array[0]!r}, so that "
            "different classes are one; pass their values, such as [label.value for label in y]."
        )
    return array


def check_sample_weight(sample_weight, class_weight, classes, targets):
    """Combine sample and class weights, normalized to a mean of 1.

    Parameters
    ----------
    sample_weight : array-like of shape (n_rows,) or None
        Sample weights.
    class_weight : dict, "balanced" or None
        Class weights.
    classes : ndarray of shape (n_classes,)
        Class labels.
    targets : ndarray of shape (n_rows,) or (n_rows, n_labels)
        Class index of each row, or indicators of labels, whose weights `weigh_labels` returns.

    Returns
    -------
    weights : ndarray of shape (n_rows,), float32
        Combined weights.

    Raises
    ------
    TypeError, ValueError
        If a weight is negative or not finite, no key of `class_weight` is a class, or fewer than
        two classes have a positive weight.
    """
    weights = _read_weights(sample_weight, len(targets))
    if targets.ndim == 2:
        return _normalize_row_weights(weights)
    if sample_weight is not None and len(np.unique(targets[weights > 0])) < 2:
        raise ValueError(
            "sample_weight is zero for all rows, or for all rows except those of one class; a "
            "classifier needs rows of positive weight in at least two classes."
        )
    weights = weights / weights.max() * _weigh_classes(class_weight, classes, targets)
    if len(np.unique(targets[weights > 0])) < 2:
        raise ValueError(
            f"class_weight={class_weight!r} and sample_weight give fewer than two classes a "
            "positive weight, relative to the largest; a classifier needs at least two."
        )
    weights = weights / weights.max()  # so that the sum does not overflow
    return (weights / weights.mean()).astype(np.float32)


def _normalize_row_weights(weights):
    """Return sample weights with a mean of 1."""
    if not weights.any():
        raise ValueError("sample_weight is zero for all rows; pass rows of positive weight.")
    weights = weights / weights.max()  # so that the sum does not overflow
    return (weights / weights.mean()).astype(np.float32)


def weigh_labels(class_weight, labels, indicators):
    """Return the weights of the rows without and with each label, in the loss of the label.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        Weight of the rows with a label, by label. "balanced" weighs the rows with and without each
        label as scikit-learn does two classes.
    labels : ndarray of shape (n_labels,)
        Names of the labels.
    indicators : ndarray of shape (n_rows, n_labels)
        Which labels rows have.

    Returns
    -------
    weights : ndarray of shape (2, n_labels), float32, or None
        None if all weights are 1.
    """
    if class_weight is None:
        return None
    if isinstance(class_weight, str) and class_weight == "balanced":
        counts = indicators.sum(axis=0, dtype=np.int64)
        both = np.stack([len(indicators) - counts, counts])
        return (len(indicators) / (2 * np.maximum(both, 1))).astype(np.float32)
    with_label = _weigh_classes(class_weight, labels, np.arange(len(labels)))
    return np.stack([np.ones(len(labels)), with_label]).astype(np.float32)


def weigh_counted_classes(class_weight, classes, counts):
    """Return class weights, normalized to a mean of 1 over all rows.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        Class weights.
    classes : ndarray of shape (n_classes,)
        Class labels.
    counts : ndarray of shape (n_classes,)
        Number of rows of each class.

    Returns
    -------
    weights : ndarray of shape (n_classes,), float32
        Weight of each class.
    """
    weights = _weigh_classes(class_weight, classes, np.arange(len(classes)))
    if isinstance(class_weight, str):  # "balanced": _weigh_classes saw one row per class
        weights = counts.sum() / (len(classes) * counts)
    if np.count_nonzero(weights) < 2:
        raise ValueError(
            f"class_weight={class_weight!r} gives fewer than two classes a positive weight; a "
            "classifier needs at least two."
        )
    weights = weights / weights.max()  # so that the sum does not overflow
    return (weights / np.average(weights, weights=counts)).astype(np.float32)


def check_chunk_weights(sample_weight, class_weight, classes, targets):
    """Combine sample and class weights of a chunk without normalizing them.

    Parameters and errors are those of `check_sample_weight`, and `class_weight="balanced"` raises.
    """
    if isinstance(class_weight, str):
        raise ValueError(
            f"class_weight={class_weight!r} needs the classes of all rows, which partial_fit does "
            "not see; pass a dict, for example of the weights that "
            "sklearn.utils.class_weight.compute_class_weight returns."
        )
    weights = _read_weights(sample_weight, len(targets))
    if targets.ndim == 1:
        weights = weights * _weigh_classes(class_weight, classes, targets)
    if not weights.astype(np.float32).any():
        raise ValueError("The weights of all rows are zero; skip such chunks.")
    if weights.max() > MAX_WEIGHT:
        raise ValueError(
            f"A row has the weight {weights.max()}, but at most {MAX_WEIGHT:.0e} was expected; "
            "divide all weights by their mean."
        )
    return weights.astype(np.float32)


def _read_weights(sample_weight, n_rows):
    """Validate sample weights: one finite, non-negative number per row."""
    if sample_weight is None:
        return np.ones(n_rows)
    weights = as_table(sample_weight, "sample_weight")
    weights = as_numbers(as_array(weights, "sample_weight"), "sample_weight")
    if weights.shape != (n_rows,):
        raise ValueError(
            f"sample_weight has shape {weights.shape}, but X has {n_rows} samples; pass one "
            "weight for each row or sequence."
        )
    with np.errstate(over="ignore"):  # check_array raises for inf
        weights = check_array(
            weights, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
        )
    if weights.min() < 0:
        row = int(weights.argmin())
        raise ValueError(
            f"sample_weight has {weights[row]} in row {row}; weights must not be negative."
        )
    return weights


def _is_finite(weight):
    try:
        return 0 <= float(weight) < np.inf
    except OverflowError:  # an integer too large for float
        return False


def _weigh_classes(class_weight, classes, targets):
    """Return the class weight of each row."""
    if isinstance(class_weight, Mapping):
        known = classes.tolist()
        _check_weighted_classes(class_weight, known)
        return np.array([float(class_weight.get(label, 1)) for label in known])[targets]
    elif class_weight is not None and not (
        isinstance(class_weight, str) and class_weight == "balanced"
    ):
        kind = ValueError if isinstance(class_weight, str) else TypeError
        raise kind(
            f"class_weight={class_weight!r} must be a dict, 'balanced' or None; use None if unsure."
        )
    return compute_sample_weight(class_weight, classes[targets])


def _check_weighted_classes(class_weight, known):
    """Check the weights of a dict, and its keys that are not a class.

    As in scikit-learn, such keys are ignored if all classes have a weight: a fold may lack a class.
    If some have one, they are ignored with a warning, where scikit-learn raises.
    """
    unknown = [label for label in class_weight if label not in known]
    if unknown and len(unknown) == len(class_weight):
        raise ValueError(
            f"class_weight has the key {unknown[0]!r}, which is not a class of y; the classes "
            f"are {known!r:.200}. If only these rows lack the class, as those of a fold may, "
            f"give the other classes a weight too, such as {known[0]!r}: 1."
        )
    for label, weight in class_weight.items():
        if not isinstance(weight, Real) or not _is_finite(weight):
            raise ValueError(
                f"class_weight has {weight!r} for class {label!r}; weights must be numbers "
                "of at least 0."
            )
    unweighted = [label for label in known if label not in class_weight]
    if unknown and unweighted:
        warn_caller(
            f"class_weight has keys that are not classes of y, {unknown!r:.200}, and are ignored; "
            f"classes without a weight, {unweighted!r:.200}, have weight 1. If only these rows "
            "lack the classes, as those of a fold may, give every class a weight.",
            UserWarning,
        )
