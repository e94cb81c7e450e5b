"""explain: what counted for a prediction, in one table."""

from collections.abc import Hashable

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from .._features._featurize import features_of, scale
from .._features._scaler import RowNormScaler
from .._features._vectorizer import TextSequenceVectorizer
from .._input._rows import read_rows
from .._runtime import one_thread
from ._attribution import METHODS
from ._scorer import Scorer
from ._table import NOWHERE, SOURCES, cut_into_chunks, explain_rows, find_entries


class ExplanationMixin:
    """Explanations of predictions.

    The class that takes it reads rows by `_vectorize` and `_arrange`.
    """

    def explain(self, X, target=None, groups=None, *, rows=None, method="integrated_gradients"):
        """Say what each n-gram, each other row and the rest contributed to predictions.

        What is explained is a score: the log-odds ln(p / (1 - p)) of the probability of a class;
        for two classes that is what `decision_function` returns. The contributions of a row add
        up to its score, where it stands, less the score of one empty text alone.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows of the kind that the classifier was fitted on: whole conversations, of which
            `rows` are explained.

        target : class, array-like of n_explained classes, or None, default=None
            The class whose score is explained, one for all rows or one for each; None for the
            class that is predicted for each row.

        groups : array-like of shape (n_rows,) or None, default=None
            Which conversation or document each row belongs to, if no column says so.

        rows : array-like of int, mask of shape (n_rows,), or None, default=None
            Positions in X of the rows to explain; the others are their context. None for all.

        method : {"integrated_gradients", "leave_one_out", "gradient_times_input"}, \
                default="integrated_gradients"
            How the score is shared out; see the notes.

        Returns
        -------
        explanation : DataFrame
            One line for each contribution, with the columns

            - row: position in X of the explained row;
            - target: the class whose score is explained;
            - source: "ngram" for the text of the row by way of encoder, memory and attention,
              "wide" for its text by the linear path, "word" for its text by the word memory,
              "row" for the text of another row of its group, "structure" for all that is no
              text (place in the group, speaker, that there are other rows) and "remainder" for
              what is left over;
            - feature: the n-gram, word or name of the feature, None for the last three;
            - from_row: position in X of the row whose text it is, -1 for the last two;
            - contribution: what it adds to the score;
            - attention: for "row", how much attention the row gives to that row. It says where
              the network looks, and is no reason for what it says.

        Raises
        ------
        TypeError, ValueError
            If X is not of the kind that the classifier was fitted on, a class is unknown, rows
            are not in X, or the method is none of these; the message says what to do.

        Notes
        -----
        All texts are first taken to be empty, with places and speakers as they are: what that
        changes is the structure. From there "integrated_gradients" goes to the texts as they
        are on a straight line, and its contributions add up to 1e-3. "leave_one_out" is by how
        much the score falls if one n-gram, or the text of one other row, is left out, and
        "gradient_times_input" is what they would contribute were the score linear. These two do
        not add up: the remainder is what is left over. An n-gram of a text that was in no text
        of fit contributes nothing, and has no line. Numbers that are not sparse are compared
        with their means in training, sparse features and texts with nothing.

        The cost of a row grows with the number of rows that it sees: with ``context="past"``
        those before it.

        References
        ----------
        Sundararajan, M., Taly, A. and Yan, Q. (2017). Axiomatic attribution for deep networks.
        ICML 2017.
        Jain, S. and Wallace, B. C. (2019). Attention is not explanation. NAACL 2019.

        Examples
        --------
        >>> from sk_ctxmem import ContextMemoryClassifier
        >>> texts = ["good film", "bad film", "very good", "very bad"] * 10
        >>> clf = ContextMemoryClassifier(random_state=0).fit(texts, [1, 0, 1, 0] * 10)
        >>> lines = clf.explain(["good book"], target=1)
        >>> lines.groupby("feature")["contribution"].sum().idxmax()
        'word__good'
        """
        check_is_fitted(self)
        check_method(method)
        inputs, values = self._read_to_explain(X, groups)
        explained = check_explained(rows, inputs.n_rows)
        targets = check_targets(target, self.classes_, len(explained))
        row_set = self._arrange(inputs, values, self._reading)
        features, empty = features_of(values), self._empty_features(inputs, values)
        parts = []
        with one_thread(), torch.inference_mode(False), torch.enable_grad():
            scaled_empty = scale(empty, self.scaler_)
            scorer = Scorer(self._network, row_set, scaled_empty, self.temperature_)
            for some in cut_into_chunks(row_set, explained):
                chosen, classes = explained[some], None if targets is None else targets[some]
                entries = find_entries(features, empty, self.scaler_, chosen)
                words = self._name_words(inputs, values, chosen)
                lines = explain_rows(scorer, chosen, classes, entries, words, method)
                parts.append(lines.assign(number=some[lines["number"]]))
        return self._to_frame(pd.concat(parts), explained)

    def _read_to_explain(self, X, groups):
        """Return the input, and its features."""
        inputs = read_rows(self, X, groups, self._columns, reset=False)
        self._check_kind(inputs)
        self._check_groups(inputs)
        return inputs, self._vectorize(inputs)

    def _empty_features(self, inputs, values):
        """Return the features of an empty text; of numbers no feature or, if dense, the means."""
        if inputs.kind == "text":
            return features_of(self.vectorizer_.transform([""]))
        if isinstance(self.scaler_, RowNormScaler):
            return sparse.csr_array((1, values.shape[1]), dtype=np.float32)
        return self.scaler_.mean_[np.newaxis]

    def _name_words(self, inputs, values, explained):
        """Return the words of rows, if they are read, by their names or else their numbers."""
        if not self._reading["word_memory"]:
            return []
        if inputs.kind == "text" and isinstance(self.vectorizer_, TextSequenceVectorizer):
            return [self.vectorizer_._words_of(inputs.values[row]) for row in explained]
        bounds = zip(values.offsets[explained], values.offsets[explained + 1], strict=True)
        return [list(map(str, values.words[start:end])) for start, end in bounds]

    def _to_frame(self, lines, explained):
        """Put names in the place of numbers."""
        lines = lines.sort_values(["number", "source"], kind="stable", ignore_index=True)
        columns, inverse = np.unique(lines["column"], return_inverse=True)
        names = self._name_features(columns[columns != NOWHERE])
        names = np.array([None] * (len(columns) - len(names)) + names, dtype=object)[inverse]
        feature = np.where(lines["word"].isna(), names, lines["word"])
        return pd.DataFrame(
            {
                "row": explained[lines["number"]],
                "target": self.classes_[lines["target"]],
                "source": SOURCES[lines["source"]],
                "feature": pd.Series(feature, dtype=object),  # None where there is none
                "from_row": lines["from_row"],
                "contribution": lines["contribution"],
                "attention": lines["attention"],
            }
        )

    def _name_features(self, columns):
        """Return the names of features: n-grams, names of columns, or numbers of columns."""
        if self._input_kind == "sequences":
            return [str(column) for column in columns]
        if self._input_kind == "features":
            names = getattr(self, "feature_names_in_", None)
            return [f"x{column}" if names is None else str(names[column]) for column in columns]
        if isinstance(self.vectorizer_, TextSequenceVectorizer):
            return self.vectorizer_._names_of(columns)
        try:
            names = self.vectorizer_.get_feature_names_out()
        except AttributeError:  # HashingVectorizer, and pipelines with one, know no names
            return [str(column) for column in columns]
        return [str(names[column]) for column in columns]


def check_method(method):
    """Raise unless the method is one of those there are."""
    if not isinstance(method, str) or method not in METHODS:
        raise ValueError(f"method={method!r:.100} must be one of {', '.join(map(repr, METHODS))}.")


def check_explained(rows, n_rows):
    """Return the positions of the rows to explain."""
    if rows is None:
        return np.arange(n_rows)
    found = np.asarray(rows)
    if found.ndim > 1 or (found.size and found.dtype.kind not in "biu"):
        raise TypeError(
            f"rows={rows!r:.100} must be whole numbers, the positions in X of the rows to "
            "explain, or a mask with True for these."
        )
    if found.dtype.kind == "b":
        if found.shape != (n_rows,):
            raise ValueError(f"rows is a mask of {found.size} rows, but X has {n_rows}.")
        found = np.flatnonzero(found)
    found = np.atleast_1d(found).astype(np.int64)
    if not found.size:
        raise ValueError("rows chooses no row; name one at least, or pass None for all of them.")
    outside = found[(found < 0) | (found >= n_rows)]
    if outside.size:
        raise ValueError(
            f"rows has {outside[0]}, but X has the rows 0 to {n_rows - 1}; pass positions in X, "
            "not labels of its index."
        )
    if len(np.unique(found)) < len(found):
        raise ValueError("rows names a row twice; name each once.")
    return found


def check_targets(target, classes, n_explained):
    """Return the number of the class to explain of each row, or None for the predicted ones."""
    if target is None:
        return None
    is_one = np.ndim(target) == 0
    one = target[()] if is_one and isinstance(target, np.ndarray) else target
    targets = [one] * n_explained if is_one else list(target)
    if len(targets) != n_explained:
        raise ValueError(
            f"target has {len(targets)} classes, but {n_explained} rows are explained; pass one "
            "class for all of them, or one for each."
        )
    numbers = {name: number for number, name in enumerate(classes)}
    for name in targets:
        if not isinstance(name, Hashable):
            raise TypeError(f"target={name!r:.100} must be a class, such as {classes[0]!r}.")
        if name not in numbers:
            raise ValueError(
                f"target={name!r:.100} is no class of the classifier; choose one of "
                f"{classes.tolist()!r:.300}."
            )
    return np.array([numbers[name] for name in targets], dtype=np.int64)
