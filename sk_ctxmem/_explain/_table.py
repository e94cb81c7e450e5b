"""Conversion of contributions to the lines of an explanation."""

import numpy as np
import pandas as pd
from scipy import sparse

from .._features._featurize import scale, scale_heavy_columns
from .._features._heavy_columns import HeavyColumnScaler
from .._features._scaler import RowNormScaler, in_canonical_format
from .._rows._packing import concatenated_ranges
from ._attribution import attribute_scores
from ._scorer import find_context_windows
from ._scores import Entries, score_rows

SOURCES = np.array(
    ["ngram", "wide", "embedding", "column", "word", "row", "structure", "remainder"],
    dtype=object,
)
NGRAM, WIDE, EMBEDDING, COLUMN, WORD, ROW, STRUCTURE, REMAINDER = range(len(SOURCES))
NO_INDEX = -1  # from_row of lines without a text, and column of lines without a feature
MIN_REMAINDER = 5e-4  # smaller remainders of integrated gradients get no line


def find_entries(features, empty, scaler, explained):
    """Return the values of the features of explained rows, minus those of an empty text.

    Parameters
    ----------
    features : csr_array or ndarray of shape (n_rows, n_features)
        Unscaled features.
    empty : csr_array or ndarray of shape (1, n_features)
        Unscaled features of an empty text, which are subtracted.
    scaler : transformer
        Fitted scaler.
    explained : ndarray of shape (n_explained,)
        Positions in X of the rows to explain.

    Returns
    -------
    entries : Entries
        Values in columns that have a value in the training rows.
    """
    if isinstance(scaler, HeavyColumnScaler):
        of_dense = _find_heavy_entries(features, empty, scaler, explained)
        of_sparse = find_entries(features, empty, scaler.sparse_scaler_, explained)
        return of_sparse.join(of_dense)
    if not isinstance(scaler, RowNormScaler):
        values = scale(features[explained], scaler) - scale(empty, scaler)
        rows, columns = np.indices(values.shape).reshape(2, -1)
        return Entries(rows, columns, columns, values.ravel())
    X, of_empty = _scale_in_place(features[explained], scaler), _scale_in_place(empty, scaler)
    if of_empty.nnz:
        X = in_canonical_format(X - sparse.vstack([of_empty] * len(explained)))
    table_rows, _ = scaler.scale_values(X)
    rows = np.repeat(np.arange(len(explained)), np.diff(X.indptr))
    return Entries(rows, X.indices.astype(np.int64), table_rows.astype(np.int64), X.data)


def _find_heavy_entries(features, empty, scaler, explained):
    """Return the values of heavy columns, whose rows in the table follow those of the others."""
    values = scale_heavy_columns(features[explained], scaler) - scale_heavy_columns(empty, scaler)
    rows, numbers = np.indices(values.shape).reshape(2, -1)
    columns = scaler.dense_columns_[numbers].astype(np.int64)
    return Entries(rows, columns, scaler.sparse_scaler_.n_columns_ + numbers, values.ravel())


def _scale_in_place(features, scaler):
    """Scale values in their original columns, without columns that are empty in training."""
    X = in_canonical_format(sparse.csr_array(features))
    _, values = scaler.scale_values(X)
    return in_canonical_format(sparse.csr_array((values, X.indices, X.indptr), shape=X.shape))


def explain_rows(scorer, windows, targets, entries, dense, words, method):
    """Explain some rows or sequences.

    Parameters
    ----------
    scorer : Scorer
        Scores rows.
    windows : ContextWindows of n_explained rows
        The rows or sequences to explain, and the rows that they depend on.
    targets : ndarray of shape (n_explained,) or None
        Class indices whose scores are explained. If None, the predicted classes.
    entries : Entries
        Values of the features of the rows.
    dense : DenseParts or None
        Parts of the dense features of the rows beside those of texts.
    words : list of lists of str
        Words of each row in ``windows.own``, if there is a word memory.
    method : str
        One of METHODS.

    Returns
    -------
    lines : DataFrame
        Columns number (index into `explained`), target (class index), source (index into SOURCES),
        column (of the feature), word, from_row, contribution and attention.
    """
    own = scorer.rows.rows[windows.indices[windows.own]]
    scored = score_rows(scorer, windows, targets, entries, dense)
    contributions = attribute_scores(scorer, scored, method)
    number, column = windows.owners[entries.rows], entries.columns
    from_row, of_text = own[entries.rows], slice(len(number))
    parts = [
        _lines(NGRAM, number, from_row, contributions.ngrams[of_text], column=column),
        _lines(WIDE, number, from_row, contributions.wide[of_text], column=column),
        _dense_lines(windows, own, dense, contributions),
        *_word_lines(windows, own, words, contributions),
        _row_lines(scorer, own, scored, contributions),
        _lines(STRUCTURE, range(len(windows)), NO_INDEX, scored.empty - scored.alone),
    ]
    lines = pd.concat([part for part in parts if len(part)], ignore_index=True)
    if windows.pools:
        weights = pd.Series(scorer.pooling_weights(windows, scored.texts), index=own)
        lines["attention"] = weights.reindex(lines["from_row"]).to_numpy()
    sums = lines.groupby("number")["contribution"].sum().to_numpy()
    remainder = scored.whole - scored.alone - sums
    adds_up = method == "integrated_gradients"
    kept = np.flatnonzero(np.abs(remainder) > MIN_REMAINDER * adds_up)
    lines = pd.concat([lines, _lines(REMAINDER, kept, NO_INDEX, remainder[kept])])
    return lines.assign(target=scored.targets[lines["number"]])


def _lines(source, number, from_row, contribution, *, column=NO_INDEX, word=None, attention=np.nan):
    parts = {"number": number, "source": source, "column": column, "word": word}
    parts |= {"from_row": from_row, "contribution": contribution, "attention": attention}
    return pd.DataFrame(parts, index=range(len(contribution)))


def _dense_lines(windows, own, dense, contributions):
    """Return a line for each part of the dense features, the sum of its ways in both paths."""
    if dense is None:
        return pd.DataFrame()
    sums = (contributions.ngrams + contributions.wide)[-len(dense.names) :]
    word = pd.Series(dense.names, dtype=object)  # str dtype fails on lone surrogates
    sources = np.where(dense.are_columns, COLUMN, EMBEDDING)
    return _lines(sources, windows.owners[dense.rows], own[dense.rows], sums, word=word)


def _word_lines(windows, own, words, contributions):
    """Return a line for each distinct word of each row."""
    found, rows = [], zip(windows.owners, own, words, contributions.words, strict=True)
    for number, row, names, of_words in rows if words else ():
        codes, different = pd.factorize(np.array(names, dtype=object))
        sums = np.bincount(codes, weights=of_words, minlength=len(different))
        word = pd.Series(different, dtype=object)  # str dtype fails on lone surrogates
        numbers = np.full(len(sums), number)
        found.append(_lines(WORD, numbers, row, sums, word=word))
    return found


def _row_lines(scorer, explained, scored, contributions):
    """Return a line for each other row in the context of an explained row.

    Rows outside the window contribute nothing, and attention does not reach them. The rows of a
    sequence have lines of their own.
    """
    if scored.windows.pools:
        return pd.DataFrame()
    windows, context = scored.windows, find_context_windows(scorer.rows, explained)
    inside = concatenated_ranges(context.offsets + windows.starts - context.starts, windows.lengths)
    contribution = np.zeros(context.lengths.sum())
    contribution[inside] = contributions.rows
    attention = np.full(len(contribution), np.nan)
    if scorer.network.attention is not None:
        attention[:] = 0
        attention[inside] = scorer.attention(windows, scored.texts)
    others = np.delete(np.arange(len(contribution)), context.offsets + context.explained)
    return _lines(
        ROW,
        np.repeat(np.arange(len(context)), context.lengths)[others],
        scorer.rows.rows[context.indices][others],
        contribution[others],
        attention=attention[others],
    )
