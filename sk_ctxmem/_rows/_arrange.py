"""From checked input to the rows that the network reads."""

from collections.abc import Set

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.preprocessing import StandardScaler

from .._doc_links import see
from .._features._csr import find_firsts, squared_norms
from .._features._sequences import TextSequences
from .._features._vectorizer import TextSequenceVectorizer
from ._row_set import RowSet, describe_places, describe_speaker_changes

MAX_SPEAKERS = 1000  # speakers of two groups or more that are told apart
UNKNOWN_SPEAKER = 0
SEARCH_COST = 20  # of looking one column up, against writing one entry of a table of them all
LARGEST_NORM = 2.0  # of a row of sparse features, in units of the usual norm
SMALLEST_NORM = 1e-30  # of the longest row: single precision has no room for its inverse below


class RowNormScaler(BaseEstimator):
    """Divide sparse features by the usual norm of a row, and cap rows that exceed it by far.

    One factor for all columns keeps rare features small, as TF-IDF means them to be. Columns
    that are empty in training are left out, and the others are put into the order of the number
    of their rows, so that what batches read most lies together in memory.

    All columns that only one row has, the same one, become a single column: the part of a row
    along what that training row has in them. From weights of zero, gradient descent would move
    along it alone, and on texts these columns are more than half of all.

    Parameters
    ----------
    merge_singles : bool, default=True
        Whether to do that; not where other rows with these columns are still to come.
    """

    def __init__(self, merge_singles=True):
        self.merge_singles = merge_singles

    def fit(self, X, y=None, sample_weight=None):
        """Learn the root mean square of the norms of the rows, and the columns."""
        X = in_canonical_format(X)
        norms = squared_norms(X.data, X.indptr)
        if X.nnz and norms.max() < SMALLEST_NORM**2:
            raise ValueError(
                f"X has {abs(X.data).max():.3g} as its largest number in size, which is too small "
                "for single precision; multiply X by a constant."
            )
        self.norm_ = float(np.sqrt(np.average(norms, weights=sample_weight))) or 1.0
        order, n_repeated = self._order(np.bincount(X.indices, minlength=X.shape[1]))
        self.n_columns_ = n_repeated + self._merge_singles(X, order[n_repeated:])
        return self

    def fit_counts(self, norm, n_rows):
        """Learn what `fit` does without merging, from numbers about rows that are elsewhere.

        Parameters
        ----------
        norm : float
            Root mean square of the norms of the rows.
        n_rows : ndarray of shape (n_columns,)
            Number of rows that have each column.
        """
        self.norm_ = norm or 1.0
        self._order(n_rows)
        self.n_columns_ = len(self.columns_)
        return self

    def _order(self, n_rows):
        """Give the columns that any row has their places, those of most rows first.

        Returns
        -------
        order : ndarray of shape (n_columns,)
            The columns in the order of their places.
        n_repeated : int
            Number of columns that are not to be merged.
        """
        self.columns_ = np.flatnonzero(n_rows).astype(np.int32)
        n_rows = n_rows[self.columns_]
        order = np.argsort(-n_rows, kind="stable")
        self.places_ = np.empty(len(order), dtype=np.int32)
        self.places_[order] = np.arange(len(order))
        self.shares_ = np.ones(len(order), dtype=np.float32)
        return order, int(np.count_nonzero(n_rows > self.merge_singles))

    def _merge_singles(self, X, singles):
        """Give the columns of one row the place after the others that is their row's.

        Returns
        -------
        n_places : int
            Number of rows with such columns.
        """
        number = np.full(X.shape[1], -1, dtype=np.int32)
        number[self.columns_[singles]] = np.arange(len(singles))
        columns = number[X.indices]  # each has one value
        X = _take_columns(X.data, X.indptr, columns, len(singles))
        counts = np.diff(X.indptr)
        is_filled = counts > 0
        places = len(self.columns_) - len(singles) + np.cumsum(is_filled) - 1
        chosen = singles[X.indices]
        self.places_[chosen] = np.repeat(places, counts)
        lengths = np.sqrt(squared_norms(X.data, X.indptr))
        self.shares_[chosen] = X.data / np.repeat(lengths, counts)
        return int(is_filled.sum())

    def transform(self, X):
        """Scale rows, and bring their values to the places of their columns."""
        X = in_canonical_format(X)
        places, values = self.scale_values(X)
        X = _take_columns(values, X.indptr, places, self.n_columns_)
        X.sum_duplicates()
        return X

    def scale_values(self, X):
        """Return the place and the scaled value of each stored value of canonical CSR.

        Returns
        -------
        places : ndarray of shape (n_stored,), int32 or int64
            Column of the scaled features, -1 for columns that were empty in training.
        values : ndarray of shape (n_stored,), float32
            What the value adds to that column of its row.
        """
        return self._scale(X.indices, X.data, X.indptr, X.shape[1])

    def scale_one(self, columns, values, n_columns):
        """Return places and values that `transform` gives one row, without a matrix.

        Parameters
        ----------
        columns, values : ndarray of shape (n_stored,)
            The row in canonical format.
        n_columns : int
            Number of columns that it could have.

        Returns
        -------
        places : ndarray of shape (n_found,), int32
            Columns of the scaled features, sorted.
        values : ndarray of shape (n_found,), float32
            Their values.
        """
        places, values = self._scale(columns, values, np.array([0, len(columns)]), n_columns)
        order = places.argsort(kind="stable")
        order = order[np.count_nonzero(places < 0) :]
        places, values = places[order].astype(np.int32), values[order]
        if not len(places):
            return places, values
        firsts = find_firsts(places)
        return places[firsts], np.add.reduceat(values, firsts)

    def _scale(self, columns, values, ends, n_columns):
        found, values = self._find(columns, n_columns), values.astype(np.float32)
        is_known = found >= 0
        values[~is_known] = 0
        norms = np.sqrt(squared_norms(values, ends)) / self.norm_
        factors = LARGEST_NORM / np.maximum(norms, LARGEST_NORM) / self.norm_
        values *= np.repeat(factors.astype(np.float32), ends[1:] - ends[:-1])
        known = found[is_known]
        values[is_known] *= self.shares_[known]
        places = found.copy()
        places[is_known] = self.places_[known]
        return places, values

    def _check_learned(self):
        """Raise ValueError unless this is what `fit` can have learned."""
        columns, places, shares = self.columns_, self.places_, self.shares_
        are_right = (
            columns.dtype == places.dtype == np.int32
            and columns.shape == places.shape == shares.shape == (len(columns),)
            and (len(columns) == 0 or (columns[0] >= 0 and 0 <= places.min()))
            and bool((columns[1:] > columns[:-1]).all())
            and places.max(initial=-1) < self.n_columns_
            and shares.dtype == np.float32
            and np.isfinite(shares).all()
            and 0 < self.norm_ < np.inf
        )
        if not are_right:
            raise ValueError("the columns of the features are none that a fit can have found")

    def _find(self, columns, n_columns):
        """Return the number of each of these columns, or -1 for one never seen."""
        if len(columns) * SEARCH_COST > n_columns:
            numbers = np.full(n_columns, -1, dtype=np.int32)
            numbers[self.columns_] = np.arange(len(self.columns_))
            return numbers[columns]
        found = self.columns_.searchsorted(columns)
        if not len(self.columns_):
            return np.full(len(columns), -1)
        is_known = self.columns_.take(found, mode="clip") == columns
        return np.where(is_known, found, -1)


def _take_columns(values, ends, columns, n_columns):
    """Return the values of CSR in other columns, without those whose column is -1."""
    taken = columns >= 0
    new_ends = np.concatenate([[0], np.cumsum(taken)])[ends].astype(ends.dtype)
    parts = (values[taken], columns[taken].astype(np.int32), new_ends)
    return sparse.csr_array(parts, shape=(len(ends) - 1, n_columns))


def in_canonical_format(X):
    """Return CSR with sorted entries, no duplicates and no zeros: storage must not matter."""
    X = X.tocsr()
    has_zeros = not X.data.all()
    if has_zeros or not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
        X.eliminate_zeros()
    return X


def fit_features(inputs, vectorizer, weights, *, more_to_come=False):
    """Learn how to turn input into features, and turn it.

    Parameters
    ----------
    inputs : InputRows
        The input of a fit.
    vectorizer : transformer or None
        What turns texts into features; None for the default one.
    weights : ndarray of shape (n_rows,)
        Weights of the rows.
    more_to_come : bool, default=False
        Whether these are only the first rows to learn from.

    Returns
    -------
    values : TextSequences, csr_array or ndarray of n_rows
        The features.
    vectorizer : transformer or None
        The fitted vectorizer; None if the input holds features.
    scaler : transformer
        The fitted scaler.
    """
    values = inputs.values
    if inputs.kind == "text":
        vectorizer = _new_vectorizer(vectorizer)
        values = vectorizer.fit_transform(values)
    else:
        vectorizer = None
    features = features_of(values)
    is_sparse = sparse.issparse(features)
    scaler = RowNormScaler(merge_singles=not more_to_come) if is_sparse else StandardScaler()
    with np.errstate(over="ignore"):
        scaler.fit(features, sample_weight=weights)
    if not np.isfinite(getattr(scaler, "scale_", 1)).all():
        raise ValueError(
            "X has columns whose variance is not a finite number; divide X by a constant."
        )
    return values, vectorizer, scaler


def read_one_text(text, vectorizer, scaler):
    """Return what a default vectorizer and its scaler make of one text, without a matrix.

    Returns
    -------
    places : ndarray of shape (n_values,), int32
        Columns of the scaled features, sorted.
    values : ndarray of shape (n_values,), float32
        Their values.
    """
    columns, values, _, _ = vectorizer._weigh_one(text)
    return scaler.scale_one(columns, values, vectorizer._n_columns)


def reads_one_text(vectorizer, scaler):
    """Return whether `read_one_text` is for these two, which a subclass may not be."""
    return type(vectorizer) is TextSequenceVectorizer and type(scaler) is RowNormScaler


def _new_vectorizer(vectorizer):
    """Return an unfitted copy of a vectorizer, or a default one for None."""
    if vectorizer is None:
        return TextSequenceVectorizer()
    if isinstance(vectorizer, type) or not hasattr(vectorizer, "fit_transform"):
        raise TypeError(
            f"vectorizer={vectorizer!r} must be a transformer of texts, such as "
            "TextSequenceVectorizer() or TfidfVectorizer(), or None."
        )
    return clone(vectorizer)


def features_of(values):
    """Return the features of a container, or of what a vectorizer returns."""
    if isinstance(values, TextSequences):
        return values.features
    return values if sparse.issparse(values) else np.asarray(values)


def learn_speakers(inputs, unit_codes):
    """Assign numbers, from 1, to the speakers that occur in two groups or more."""
    if inputs.speakers is None:
        return {}
    codes, names = pd.factorize(inputs.speakers)
    pairs = np.unique(np.stack([codes, unit_codes], axis=1)[codes >= 0], axis=0)
    return number_shared(names, np.bincount(pairs[:, 0], minlength=len(names)))


def number_shared(names, n_units):
    """Assign numbers, from 1, to the speakers of so many groups each that occur in two or more."""
    most_first = np.argsort(-n_units, kind="stable")
    shared = most_first[n_units[most_first] > 1][:MAX_SPEAKERS]
    return {speaker: n for n, speaker in enumerate(sorted(names[shared], key=str), start=1)}


def number_units(inputs):
    """Assign a number to each group as it appears; without groups, each row is one."""
    if inputs.groups is None:
        return np.arange(inputs.n_rows)
    return pd.factorize(inputs.groups)[0].astype(np.int64)


def arrange(inputs, values, scaler, speakers, *, context, word_memory):
    """Bring the rows into the order of their groups.

    Parameters
    ----------
    inputs : InputRows
        The input.
    values : TextSequences, csr_array or ndarray of n_rows
        Its features.
    scaler : transformer
        The fitted scaler.
    speakers : dict
        Number of each known speaker.
    context : {"past", "both", "none"}
        Which other rows a row sees.
    word_memory : bool
        Whether the words are read.

    Returns
    -------
    rows : RowSet
        The rows.

    Raises
    ------
    ValueError
        If words are to be read, but there are none.
    """
    if word_memory and not isinstance(values, TextSequences):
        raise ValueError(
            "word_memory=True needs the words of the texts, but X holds features alone; pass "
            "texts, or what TextSequenceVectorizer returns, or word_memory=False."
        )
    units = np.arange(inputs.n_rows) if context == "none" else number_units(inputs)
    rows = np.lexsort((order_numbers(inputs), units))
    lengths = np.bincount(units)
    codes, numbers = _number_speakers(inputs, speakers)
    extras = None
    if context != "none":
        extras = _describe(codes, rows, lengths, both=context == "both")
    return RowSet(
        features=scale(features_of(values), scaler),
        extras=extras,
        speakers=numbers,
        rows=rows,
        lengths=lengths,
        words=values.words if word_memory else None,
        word_offsets=values.offsets if word_memory else None,
        context=context,
    )


def scale(features, scaler):
    """Scale features into the kind, sparse or dense, that the fit had."""
    if isinstance(scaler, RowNormScaler):
        is_csr = isinstance(features, sparse.csr_array)
        return scaler.transform(features if is_csr else sparse.csr_array(features))
    if sparse.issparse(features):
        if features.shape[1] != len(scaler.scale_):
            raise ValueError(
                f"X has {features.shape[1]} features, but {len(scaler.scale_)} were expected."
            )
        features = features.toarray()
    with np.errstate(over="ignore"):  # predictions that are not finite are refused
        return np.ascontiguousarray(scaler.transform(features), dtype=np.float32)


def order_numbers(inputs):
    """Return what orders the rows of a group: the order column, else the position."""
    if inputs.order is None:
        return np.zeros(inputs.n_rows)
    return rank(inputs.order)


def rank(order):
    """Return numbers that sort as the values of an order column do."""
    _check_order_kinds(order)
    try:
        return np.unique(order, return_inverse=True)[1]
    except (TypeError, ValueError) as error:
        raise TypeError(
            "The order column mixes values that cannot be compared with one another; convert "
            f"them to one type ({error})." + see("order")
        ) from error


def _check_order_kinds(order):
    """Raise if there are values that can be compared, but say nothing of an order."""
    kinds = set(map(type, order)) if order.dtype == object else {order.dtype.type}
    for kind in kinds:
        if issubclass(kind, complex | np.complexfloating | Set):
            raise TypeError(
                f"The order column has values of type {kind.__name__}, which have no order; "
                "convert them to numbers, dates or str." + see("order")
            )


def _number_speakers(inputs, speakers):
    """Return a number for each row's speaker: among those of the input, and among the known."""
    if inputs.speakers is None:
        return None, np.full(inputs.n_rows, UNKNOWN_SPEAKER, dtype=np.int64)
    codes, names = pd.factorize(inputs.speakers)
    known = [speakers.get(name, UNKNOWN_SPEAKER) for name in names]
    return codes, np.array([*known, UNKNOWN_SPEAKER])[codes]  # -1, for a missing one, is the last


def _describe(codes, rows, lengths, *, both):
    """Return place and change of speaker of each row, in the caller's order."""
    sorted_extras = describe_places(lengths, both)
    if codes is not None:
        changes = describe_speaker_changes(codes[rows], lengths)
        sorted_extras = np.concatenate([sorted_extras, changes], axis=1)
    extras = np.empty_like(sorted_extras)
    extras[rows] = sorted_extras
    return extras
