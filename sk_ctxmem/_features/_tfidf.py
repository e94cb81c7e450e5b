"""TF-IDF weights of counted n-grams."""

from numbers import Integral

import numpy as np

from ._csr import squared_norms


def frequent_columns(n_texts, totals, min_df, max_features, most=np.inf):
    """Select the n-grams that occur in enough texts and, of these, the most frequent.

    Parameters
    ----------
    n_texts, totals : ndarray of shape (n_ngrams,)
        Number of texts that contain each n-gram, and number of its occurrences.
    min_df : int
        Smallest number of texts that contain an n-gram.
    max_features : int or None
        Largest number of n-grams; of equally frequent n-grams the first are selected.
    most : float, default=inf
        Largest number of texts that contain an n-gram.

    Returns
    -------
    columns : ndarray of shape (n_columns,) or None
        The selected columns, sorted; None for all columns.
    """
    has_limit = max_features is not None and max_features < len(n_texts)
    if min_df <= 1 and not has_limit and n_texts.max(initial=0) <= most:
        return None
    columns = np.flatnonzero((n_texts >= min_df) & (n_texts <= most))
    if max_features is not None:
        columns = np.sort(columns[np.argsort(-totals[columns], kind="stable")[:max_features]])
    return columns


def inverse_frequencies(n_texts, n_all):
    """Return the smoothed inverse document frequencies that scikit-learn computes."""
    return np.log(np.float32(n_all + 1) / (n_texts.astype(np.float32) + 1)) + np.float32(1)


class WeightedNGrams:
    """TF-IDF weights of n-grams, with sublinear term frequency.

    Parameters
    ----------
    counter : TokenNGrams or InsideNGrams
        Counts the n-grams.
    min_df, max_features : int
        As in TextSequenceVectorizer.

    Attributes
    ----------
    columns : ndarray of shape (n_columns,) or None
        Columns of the counter that were selected, sorted; None for all columns.
    idf : ndarray of shape (n_columns,), float32
        Inverse document frequency of each n-gram.
    """

    def __init__(self, counter, min_df, max_features):
        self.counter = counter
        self.min_df = min_df
        self.max_features = max_features

    def fit_transform(self, *inputs, max_df=1.0):
        """Learn n-grams and weights from the input of the counter, and return the weights."""
        counts = self.counter.fit_counts(*inputs)
        n_texts = np.bincount(counts.indices, minlength=counts.shape[1])
        totals = n_texts
        if self.max_features is not None:
            totals = np.bincount(counts.indices, counts.data, minlength=counts.shape[1])
        columns = self.learn(n_texts, totals, counts.shape[0], max_df)
        return self._weigh_matrix(counts if columns is None else counts[:, columns])

    def learn(self, n_texts, totals, n_all, max_df=1.0):
        """Select n-grams of the counter, and learn their inverse document frequencies.

        Parameters
        ----------
        n_texts, totals : ndarray of shape (n_ngrams,)
            Number of texts that contain each n-gram, and number of its occurrences.
        n_all : int
            Number of all texts.
        max_df : float or int, default=1.0
            As in TextSequenceVectorizer.

        Returns
        -------
        columns : ndarray of shape (n_columns,) or None
            The selected columns; None for all columns.
        """
        if not len(n_texts):
            raise ValueError(
                f"{self.counter.parameter}={self.counter.ngram_range!r} leaves no n-gram: all "
                "texts of X are shorter than that; lower it."
            )
        most = max_df if isinstance(max_df, Integral) else max_df * n_all
        columns = frequent_columns(n_texts, totals, self.min_df, self.max_features, most)
        if columns is not None and not len(columns) and most < n_all:
            raise ValueError(
                f"max_df={max_df!r} and min_df={self.min_df!r} leave no n-gram: none occurs in "
                f"{self.min_df} to {most:g} of the {n_all} texts of X; raise max_df, or lower "
                "min_df."
            )
        if columns is not None and not len(columns):
            raise ValueError(
                f"min_df={self.min_df!r} leaves no n-gram: none occurs in that many of the "
                f"{n_all} texts of X; lower it."
            )
        self.columns = None if columns is None else self.counter.keep(columns)
        self.idf = inverse_frequencies(n_texts if columns is None else n_texts[columns], n_all)
        return columns

    def transform(self, *inputs):
        """Return the weights of the n-grams in the input of the counter."""
        counts = self.counter.counts(*inputs)
        return self._weigh_matrix(counts if self.columns is None else counts[:, self.columns])

    def transform_one(self, text):
        """Return the row that `transform` returns for a single text, without a matrix.

        Returns
        -------
        columns : ndarray of shape (n_found,)
            The columns of the n-grams of the text, sorted.
        values : ndarray of shape (n_found,), float32
            Their weights.
        """
        columns, counts, ranks = self.counter.counts_of_one(text)
        kept, columns = self._find_kept(columns)
        order, indptr = ranks[kept].argsort(), np.array([0, len(columns)])
        return columns, self._weigh(columns, counts[kept].astype(np.float32), indptr, order)

    def locate(self, numbers, spans):
        """Return the n-grams of one text and their positions in the text.

        Parameters
        ----------
        numbers : ndarray of shape (n_numbers,), int32
            The numbers of the tokens of the text, as in Tokens.
        spans : ndarray of shape (n_numbers, 2)
            Start and end of each token in the text.

        Returns
        -------
        found : ndarray of shape (3, n_found)
            Column, start and end of each n-gram; for each column, starts ascend.
        """
        found = [np.empty((3, 0), dtype=np.int64)]
        for n, columns, begins in self.counter.find(numbers):
            kept, columns = self._find_kept(columns)
            begins = begins[kept]
            found.append(np.stack([columns, spans[begins, 0], spans[begins + n - 1, 1]]))
        return np.concatenate(found, axis=1)

    def _find_kept(self, columns):
        """Return which columns of the counter are selected, and their numbers among these."""
        if self.columns is None:
            return slice(None), columns
        found = self.columns.searchsorted(columns)
        is_kept = self.columns.take(found, mode="clip") == columns
        return is_kept, found[is_kept]

    def _weigh_matrix(self, counts):
        """Replace the counts of a matrix by weights, in place."""
        counts.data = self._weigh(counts.indices, counts.data, counts.indptr)
        return counts

    def _weigh(self, columns, counts, indptr, order=slice(None)):
        """Return the weights of counts, as TfidfTransformer does after its checks.

        Parameters
        ----------
        columns, counts, indptr : ndarray
            The arrays of a CSR matrix.
        order : slice or ndarray of shape (n_counts,)
            The order in which the squares of a row are summed, which changes the last bit.
        """
        values = (np.log(counts) + 1) * self.idf[columns]
        norms = np.sqrt(squared_norms(values[order], indptr)).astype(np.float32)
        values /= np.repeat(norms, indptr[1:] - indptr[:-1])
        return values

    def _check_learned(self):
        """Raise ValueError unless `fit_transform` can have learned these attributes."""
        n_columns = self.counter.n_columns
        kept = self.columns
        if kept is not None:
            in_range = kept.size == 0 or 0 <= kept.min() <= kept.max() < n_columns
            if kept.ndim != 1 or kept.dtype.kind != "i" or not in_range:
                raise ValueError("the selected columns are not columns of the n-grams")
            n_columns = len(kept)
        if self.idf.shape != (n_columns,) or not np.isfinite(self.idf).all():
            raise ValueError("the n-grams do not have one finite weight each")

    def names(self, *arguments):
        """Return the selected n-grams as strings, in the order of the columns."""
        names = np.array(self.counter.names(*arguments), dtype=object)
        return names if self.columns is None else names[self.columns]

    def name(self, column, *arguments):
        """Return the n-gram of one column as a string."""
        kept = column if self.columns is None else int(self.columns[column])
        return self.counter.name(kept, *arguments)
