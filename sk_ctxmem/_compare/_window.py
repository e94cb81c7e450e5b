"""WindowTfidfVectorizer, the features of a row and of its neighbours in the group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

from collections.abc import Sequence
from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils.validation import check_is_fitted

from .._features._scripts import lacks_spaces
from .._features._vectorizer import WORD_PATTERN
from .._input._rows import read_rows, read_training_rows
from .._messages import API_PAGE, doc_link, warn_caller
from .._rows._arrange import encode_groups, order_numbers
from .._rows._ids import warn_of_ids
from ..exceptions import MissingGroupsWarning


def make_tfidf(texts: Sequence[str]) -> TfidfVectorizer:
    """Return an unfitted vectorizer that suits the language of texts.

    Parameters
    ----------
    texts : sequence of str
        The texts.

    Returns
    -------
    vectorizer : TfidfVectorizer
        TF-IDF of words, punctuation marks and pairs of them, or of one to three characters if
        the texts have no spaces; term frequencies are sublinear.
    """
    if lacks_spaces(texts):
        return TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=WORD_PATTERN)


class WindowTfidfVectorizer(TransformerMixin, BaseEstimator):
    """Convert texts to the TF-IDF features of a row and of its neighbours in the group.

    With :class:`~sklearn.linear_model.LogisticRegression` behind it, this is the fair linear
    baseline for :class:`ContextMemoryClassifier`: it reads the rows around each row too, each with
    weights of its own. Rows of a group need not be adjacent.

    Parameters
    ----------
    window : tuple of (int, int), default=(2, 2)
        Number of rows before and after each row that are read. Each place in the window has columns
        of its own, which are zero where the group has no row there.

    text_column : str or None, default=None
        Column of the texts in a DataFrame. None if it is the only one without a role, or if X
        consists of texts.

    group_column : str or None, default=None
        Column of the groups, such as the id of a conversation or document. If None, nobody knows
        which rows belong together: each row is read alone, with a warning, unless the window
        is (0, 0).

    order_column : str or None, default=None
        Column of the order of rows within their group. If None, they are in the order of X.

    vectorizer : transformer or None, default=None
        Vectorizer of texts, which is cloned, fitted to each row once, and used for all places in
        the window. None for a :class:`~sklearn.feature_extraction.text.TfidfVectorizer` of words,
        punctuation marks and pairs of them with sublinear term frequencies, or of one to three
        characters if the texts are Chinese or Japanese.

    Attributes
    ----------
    vectorizer_ : transformer
        The fitted vectorizer.

    offsets_ : list of int
        Places of the window in the order of their columns, 0 for the row itself.

    See Also
    --------
    compare_classifiers : Compares classifiers with logistic regression on these features.
    sklearn.feature_extraction.text.TfidfVectorizer : The features of a row alone.

    Examples
    --------
    >>> import pandas as pd
    >>> from sk_ctxmem import WindowTfidfVectorizer
    >>> X = pd.DataFrame({"text": ["any news", "yes", "no"], "call": ["a", "a", "b"]})
    >>> vectorizer = WindowTfidfVectorizer((1, 0), text_column="text", group_column="call")
    >>> features = vectorizer.fit_transform(X)
    >>> vectorizer.get_feature_names_out()[[0, 4, 9]]
    array(['-1__any', '-1__yes', '0__yes'], dtype=object)
    >>> features[1, [4, 0, 9]].toarray().round(2)
    array([[0.  , 0.58, 1.  ]])
    """

    _doc_link_module = "sk_ctxmem"
    _doc_link_template = API_PAGE

    def __init__(
        self,
        window: tuple[int, int] = (2, 2),
        *,
        text_column: Any = None,
        group_column: Any = None,
        order_column: Any = None,
        vectorizer: Any = None,
    ) -> None:
        self.window = window
        self.text_column = text_column
        self.group_column = group_column
        self.order_column = order_column
        self.vectorizer = vectorizer

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the vocabulary and the weights.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame} of n_rows
            Texts, or rows with a column of texts.

        y : array-like of shape (n_rows,) or None, default=None
            Passed on to the vectorizer; TF-IDF does not use it.

        Returns
        -------
        self : WindowTfidfVectorizer
            The fitted vectorizer.
        """
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> sparse.csr_matrix:
        """Learn from rows and convert them.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame} of n_rows
            Texts, or rows with a column of texts.

        y : array-like of shape (n_rows,) or None, default=None
            Passed on to the vectorizer; TF-IDF does not use it.

        Returns
        -------
        features : csr_matrix of shape (n_rows, n_features)
            Features, a block of columns for each place in the window.

        Raises
        ------
        TypeError, ValueError
            If a parameter is invalid, or X does not consist of texts.

        Warns
        -----
        MissingGroupsWarning
            If there is a window but no `group_column`.
        """
        offsets = self._read_offsets()
        vectorizer = self._clone_vectorizer()
        inputs, schema = read_training_rows(X, None, self._columns(), type(self).__name__)
        _check_rows_of_text(inputs)
        vectorizer = make_tfidf(inputs.values) if vectorizer is None else vectorizer
        features = vectorizer.fit_transform(inputs.values, y)
        self.vectorizer_, self.offsets_, self._schema = vectorizer, offsets, schema
        return self._widen(features, inputs)

    def transform(self, X: Any) -> sparse.csr_matrix:
        """Convert rows; words that were not seen in fit are ignored.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame} of n_rows
            Rows of the same kind as in `fit`. The groups need not be those of `fit`, but should be
            whole: a row that is missing is no neighbour.

        Returns
        -------
        features : csr_matrix of shape (n_rows, n_features)
            Features, a block of columns for each place in the window.
        """
        check_is_fitted(self)
        inputs = read_rows(X, None, self._schema)
        return self._widen(self.vectorizer_.transform(inputs.values), inputs)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns.

        Parameters
        ----------
        input_features : Ignored
            Not used, present for consistency.

        Returns
        -------
        names : ndarray of shape (n_features,) of str
            The words behind their place in the window: "-1__yes" if the row before says "yes".
        """
        check_is_fitted(self)
        names = self.vectorizer_.get_feature_names_out()
        places = [f"{offset:+d}" if offset else "0" for offset in self.offsets_]
        return np.array([f"{place}__{name}" for place in places for name in names], dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags

    def _columns(self):
        """Return the column names by role."""
        names = {role: getattr(self, f"{role}_column") for role in ("text", "group", "order")}
        return names | {"speaker": None}

    def _read_offsets(self):
        """Return the places of the window that can be filled."""
        n_before, n_after = _read_window(self.window)
        if self.group_column is None and (n_before or n_after):
            warn_caller(
                f"window={self.window!r} reads neighbours in the group of a row, but group_column "
                "is None: each row is read alone. Set group_column to the column of X that says "
                "which rows belong together, or window=(0, 0)." + doc_link("missing-groups"),
                MissingGroupsWarning,
            )
            return [0]
        return list(range(-n_before, n_after + 1))

    def _clone_vectorizer(self):
        """Return an unfitted copy of the vectorizer, or None if it is to be chosen."""
        if self.vectorizer is None:
            return None
        methods = ("fit_transform", "transform")
        if isinstance(self.vectorizer, type) or not all(
            hasattr(self.vectorizer, name) for name in methods
        ):
            raise TypeError(
                f"vectorizer={self.vectorizer!r:.200} must be a vectorizer of texts, such as "
                "TfidfVectorizer(), or None; use None if unsure."
            )
        return clone(self.vectorizer)

    def _widen(self, features, inputs):
        """Return the features of rows beside those of their neighbours."""
        if self.offsets_ == [0]:
            return sparse.csr_matrix(features)
        warn_of_ids(inputs, self._schema.columns)
        codes, order = encode_groups(inputs), order_numbers(inputs)
        return window_features(sparse.csr_matrix(features), codes, order, self.offsets_)


def _read_window(window):
    """Return the numbers of rows before and after, or raise."""
    expected = (
        f"window={window!r:.100} must be a pair of integers of at least 0, the number of rows "
        "before and after; use (2, 2) if unsure."
    )
    is_pair = isinstance(window, tuple | list | np.ndarray) and len(window) == 2
    if not is_pair or not all(
        isinstance(size, Integral) and not isinstance(size, bool) for size in window
    ):
        raise TypeError(expected)
    if min(window) < 0:
        raise ValueError(expected)
    return int(window[0]), int(window[1])


def _check_rows_of_text(inputs):
    """Raise if X consists of numbers or of sequences."""
    if inputs.lengths is not None:
        raise ValueError(
            f"X contains {inputs.n_samples} sequences, but rows are expected; pass one frame of "
            "all rows, with group_column set to the column of the sequence."
            + doc_link("kinds-of-input")
        )
    if inputs.kind != "text":
        raise TypeError(
            "X contains numbers, but texts are expected; pass a list of str, or a DataFrame with "
            "text_column set to the column of the texts." + doc_link("kinds-of-input")
        )


def window_features(features, groups, order, offsets):
    """Return the features of rows and of their neighbours within their group.

    Parameters
    ----------
    features : csr_matrix of shape (n_rows, n_features)
        Features of each row.
    groups : ndarray of shape (n_rows,), int64
        Group of each row; the rows of a group need not be adjacent.
    order : ndarray of shape (n_rows,)
        Sort key of the rows within their group; rows of equal keys keep their order.
    offsets : list of int
        Places of the neighbours: -1 for the row before, 1 for the row after.

    Returns
    -------
    features : csr_matrix of shape (n_rows, n_offsets * n_features)
        A block of columns for each place, zero outside the group.
    """
    n_rows = len(groups)
    sequence = np.lexsort((order, groups))
    blocks = []
    for offset in offsets:
        position = np.arange(max(0, -offset), min(n_rows, n_rows - offset))
        row, neighbor = sequence[position], sequence[position + offset]
        same = groups[row] == groups[neighbor]
        pick = sparse.csr_matrix(
            (np.ones(same.sum()), (row[same], neighbor[same])), shape=(n_rows, n_rows)
        )
        blocks.append(pick @ features)
    return sparse.hstack(blocks, format="csr")
