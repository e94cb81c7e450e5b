"""From the shares of scores to the lines of an explanation."""

import numpy as np
import pandas as pd
from scipy import sparse

from .._features._featurize import scale
from .._features._scaler import RowNormScaler, in_canonical_format
from ._attribution import share_out
from ._scorer import find_context_windows
from ._scores import Entries, score_rows

SOURCES = np.array(["ngram", "wide", "word", "row", "structure", "remainder"], dtype=object)
NGRAM, WIDE, WORD, ROW, STRUCTURE, REMAINDER = range(len(SOURCES))
NOWHERE = -1  # from_row of what is no text, and column of what is no feature
ROWS_AT_ONCE = 1024  # of windows that are explained side by side
SMALLEST_REMAINDER = 5e-4  # that is worth a line, where contributions should add up by themselves


def cut_into_chunks(rows, explained):
    """Yield numbers of explained rows that are close to one another, some at a time.

    Parameters
    ----------
    rows : RowSet
        All rows.
    explained : ndarray of shape (n_explained,)
        Positions in X of the rows to explain.

    Yields
    ------
    numbers : ndarray
        Which of the explained rows are next.
    """
    windows = find_context_windows(rows, explained)
    order = np.argsort(windows.starts + windows.owns, kind="stable")
    chunk = (np.cumsum(windows.lengths[order]) - 1) // ROWS_AT_ONCE
    yield from np.split(order, np.flatnonzero(np.diff(chunk)) + 1)


def find_entries(features, empty, scaler, explained):
    """Return the values of the features of explained rows.

    Parameters
    ----------
    features : csr_array or ndarray of shape (n_rows, n_features)
        The features as they came.
    empty : csr_array or ndarray of shape (1, n_features)
        Those of an empty text, which are subtracted.
    scaler : transformer
        The fitted scaler.
    explained : ndarray of shape (n_explained,)
        Positions of the rows.

    Returns
    -------
    entries : Entries
        Those of columns that some training row had.
    """
    if not isinstance(scaler, RowNormScaler):
        values = scale(features[explained], scaler) - scale(empty, scaler)
        windows, columns = np.indices(values.shape).reshape(2, -1)
        return Entries(windows, columns, columns, values.ravel())
    X, of_empty = _scale_in_place(features[explained], scaler), _scale_in_place(empty, scaler)
    if of_empty.nnz:
        X = in_canonical_format(X - sparse.vstack([of_empty] * len(explained)))
    places, _ = scaler.scale_values(X)
    windows = np.repeat(np.arange(len(explained)), np.diff(X.indptr))
    return Entries(windows, X.indices.astype(np.int64), places.astype(np.int64), X.data)


def _scale_in_place(features, scaler):
    """Return scaled values in the columns that they came in, without those never seen."""
    X = in_canonical_format(sparse.csr_array(features))
    _, values = scaler.scale_values(X)
    return in_canonical_format(sparse.csr_array((values, X.indices, X.indptr), shape=X.shape))


def explain_rows(scorer, explained, targets, entries, words, method):
    """Explain some rows.

    Parameters
    ----------
    scorer : Scorer
        Scores rows.
    explained : ndarray of shape (n_explained,)
        Positions in X of the rows.
    targets : ndarray of shape (n_explained,) or None
        Numbers of the classes whose scores are explained; None for those that are predicted.
    entries : Entries
        The values of the features of the rows.
    words : list of n_explained lists of str
        Names of the words of each row, where there is a word memory.
    method : str
        One of METHODS.

    Returns
    -------
    lines : DataFrame
        Columns number (of the explained row), target (number of the class), source (number),
        column (of the feature), word, from_row, contribution and attention.
    """
    windows = find_context_windows(scorer.rows, explained)
    scored = score_rows(scorer, windows, targets, entries)
    shares = share_out(scorer, scored, method)
    own = explained[entries.windows]
    parts = [
        _lines(NGRAM, entries.windows, own, shares.ngrams, column=entries.columns),
        _lines(WIDE, entries.windows, own, shares.wide, column=entries.columns),
        *_word_lines(explained, words, shares),
        _row_lines(scorer, scored, shares),
        _lines(STRUCTURE, range(len(windows)), NOWHERE, scored.empty - scored.alone),
    ]
    lines = pd.concat([part for part in parts if len(part)], ignore_index=True)
    sums = lines.groupby("number")["contribution"].sum().to_numpy()
    remainder = scored.whole - scored.alone - sums
    adds_up = method == "integrated_gradients"
    kept = np.flatnonzero(np.abs(remainder) > SMALLEST_REMAINDER * adds_up)
    lines = pd.concat([lines, _lines(REMAINDER, kept, NOWHERE, remainder[kept])])
    return lines.assign(target=scored.targets[lines["number"]])


def _lines(source, number, from_row, contribution, *, column=NOWHERE, word=None, attention=np.nan):
    parts = {"number": number, "source": source, "column": column, "word": word}
    parts |= {"from_row": from_row, "contribution": contribution, "attention": attention}
    return pd.DataFrame(parts, index=range(len(contribution)))


def _word_lines(explained, words, shares):
    """Return a line for each different word of each row."""
    found = []
    for number, (names, of_words) in enumerate(zip(words, shares.words, strict=True)):
        codes, different = pd.factorize(np.array(names, dtype=object))
        sums = np.bincount(codes, weights=of_words, minlength=len(different))
        word = pd.Series(different, dtype=object)  # else pandas encodes, which surrogates stop
        numbers = np.full(len(sums), number)
        found.append(_lines(WORD, numbers, explained[number], sums, word=word))
    return found


def _row_lines(scorer, scored, shares):
    """Return a line for each other row that an explained row sees."""
    windows = scored.windows
    attention = np.full(len(shares.rows), np.nan)
    if scorer.network.attention is not None:
        attention = scorer.attention(windows, scored.texts)
    others = np.delete(np.arange(len(shares.rows)), scored.owns)
    return _lines(
        ROW,
        np.repeat(np.arange(len(windows)), windows.lengths)[others],
        scorer.rows.rows[windows.places][others],
        shares.rows[others],
        attention=attention[others],
    )
