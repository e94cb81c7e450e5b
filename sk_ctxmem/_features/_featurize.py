"""Checked input to scaled features."""

import numpy as np
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from ._heavy_columns import (
    HeavyColumnScaler,
    find_heavy_columns,
    leave_out_constant,
)
from ._scaler import RowNormScaler, in_canonical_format
from ._sequences import TextSequences
from ._text_reader import fit_text_reader
from ._vectorizer import TextSequenceVectorizer


def fit_features(inputs, labels, vectorizer, weights, *, more_to_come=False):
    """Fit the vectorizer and the scaler, and return the features before scaling.

    Parameters
    ----------
    inputs : InputRows
        The input of a fit.
    labels : ndarray of shape (n_rows,)
        Class label of each row, for vectorizers that learn from them.
    vectorizer : transformer or None
        The vectorizer of texts; None for the default one.
    weights : ndarray of shape (n_rows,)
        Weights of the rows.
    more_to_come : bool, default=False
        Whether more rows to learn from follow.

    Returns
    -------
    values : TextSequences, csr_array or ndarray of n_rows
        The features.
    texts : TextReader or None
        The fitted vectorizer; None if the input holds features.
    scaler : transformer
        The fitted scaler.
    """
    values, texts = inputs.values, None
    if inputs.kind == "text":
        texts, values = fit_text_reader(vectorizer, values, labels, inputs.text_name)
    with np.errstate(over="ignore"):
        scaler = fit_scaler(values, weights, merge_singles=not more_to_come)
    of_dense = getattr(scaler, "dense_scaler_", scaler)
    if not np.isfinite(getattr(of_dense, "scale_", 1)).all():
        raise ValueError(
            "X has columns whose variance is not a finite number; divide X by a constant."
        )
    return values, texts, scaler


def fit_scaler(values, weights, *, merge_singles):
    """Fit the scaler that suits features: sparse, sparse with heavy columns, or dense.

    Parameters
    ----------
    values : TextSequences, csr_array or ndarray of n_rows
        Features before scaling.
    weights : ndarray of shape (n_rows,)
        Weights of the rows.
    merge_singles : bool
        As in RowNormScaler.

    Returns
    -------
    scaler : RowNormScaler, HeavyColumnScaler or StandardScaler
        Fitted scaler.
    """
    features = features_of(values)
    if not sparse.issparse(features):
        return StandardScaler().fit(features, sample_weight=weights)
    if isinstance(values, TextSequences):  # normalized n-grams
        return RowNormScaler(merge_singles).fit(features, sample_weight=weights)
    features = in_canonical_format(features)
    heavy = find_heavy_columns(features, weights)
    features, heavy = leave_out_constant(features, heavy)
    if len(heavy):
        return HeavyColumnScaler(merge_singles).fit(features, heavy, sample_weight=weights)
    return RowNormScaler(merge_singles).fit(features, sample_weight=weights)


def features_of(values):
    """Return the features of TextSequences, or of the output of any other vectorizer."""
    if isinstance(values, TextSequences):
        return values.features
    return values if sparse.issparse(values) else np.asarray(values)


def scale(features, scaler):
    """Scale features; the result is sparse or dense, as the features of fit were.

    Heavy columns are left out, see `scale_heavy_columns`.
    """
    if isinstance(scaler, RowNormScaler | HeavyColumnScaler):
        is_csr = isinstance(features, sparse.csr_array)
        return scaler.transform(features if is_csr else sparse.csr_array(features))
    if sparse.issparse(features):
        if features.shape[1] != len(scaler.scale_):
            raise ValueError(
                f"X has {features.shape[1]} features, but {len(scaler.scale_)} were expected."
            )
        features = features.toarray()
    with np.errstate(over="ignore"):  # predictions that are not finite raise an error
        return np.ascontiguousarray(scaler.transform(features), dtype=np.float32)


def scale_heavy_columns(features, scaler):
    """Return the scaled heavy columns, an array of shape (n_rows, n_dense), or None without any."""
    if not isinstance(scaler, HeavyColumnScaler):
        return None
    return scaler.transform_dense(sparse.csr_array(features))


def join_dense(heavy, beside):
    """Return the heavy columns and other dense features side by side; None if there are neither."""
    parts = [part for part in (heavy, beside) if part is not None]
    return np.concatenate(parts, axis=1) if len(parts) > 1 else next(iter(parts), None)


def read_one_text(text, vectorizer, scaler, *, with_words=False):
    """Vectorize and scale one text without a sparse matrix, whose checks take most of the time.

    Parameters
    ----------
    text : str
        The text.
    vectorizer : TextSequenceVectorizer
        Fitted vectorizer.
    scaler : RowNormScaler
        Fitted scaler.
    with_words : bool, default=False
        Whether the words are wanted too.

    Returns
    -------
    columns : ndarray of shape (n_values,), int32
        Columns of the scaled features, sorted.
    values : ndarray of shape (n_values,), float32
        Their values.
    words : ndarray of shape (n_words,), int32, or None
        Numbers of the words; None unless they are wanted.
    """
    texts, tokens = vectorizer._read([text])
    columns, values = vectorizer._weigh_one(tokens, texts)
    words = vectorizer._find_words(tokens, texts)[0] if with_words else None
    return *scaler.scale_one(columns, values, vectorizer._n_columns), words


def reads_one_text(vectorizer, scaler):
    """Return whether `read_one_text` supports these two; subclasses may compute other things."""
    return type(vectorizer) is TextSequenceVectorizer and type(scaler) is RowNormScaler
