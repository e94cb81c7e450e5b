"""A correct classifier of texts in their context, and ones that each break one promise."""

import random

import joblib
import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted


class WordsOfTwoRows(ClassifierMixin, BaseEstimator):
    """Logistic regression on the words of a row and of the row before; keeps all promises."""

    def __init__(self, C=10.0, order_column=None, random_state=None):
        self.C = C
        self.order_column = order_column
        self.random_state = random_state

    def _read(self, X):
        """Return text, group and order in columns, with the places of the rows as index."""
        columns = ["text", "group"] + [self.order_column] * (self.order_column is not None)
        frame = X[columns].set_axis(range(len(X)))
        for name in columns:
            self._check_missing(name, frame[name])
        return frame

    def _check_missing(self, name, column):
        if column.isna().any():
            raise ValueError(f"column {name!r} has no value in row {column.isna().argmax()}")

    def _sort(self, frame):
        columns = ["order"] if self.order_column is not None else []
        return frame.sort_values(columns, kind="stable") if columns else frame

    def _shift(self, frame):
        """Return the text that a row sees beside its own, for rows in order."""
        return frame.groupby("group")["text"].shift(1)

    def _join(self, X):
        """Return each text, followed by the words of the row before, which are marked."""
        frame = self._read(X)
        before = self._shift(self._sort(frame)).reindex(frame.index).fillna("")
        return frame["text"] + " " + before.str.replace(r"(\w+)", r"before\1", regex=True)

    def fit(self, X, y):
        texts = self._join(X)
        linear = LogisticRegression(C=self.C, max_iter=500)
        self.model_ = make_pipeline(CountVectorizer(binary=True), linear).fit(texts, y)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X):
        check_is_fitted(self)
        return self.model_.predict_proba(self._join(X))

    def predict(self, X):
        largest = self.predict_proba(X).argmax(axis=1)
        return self.classes_[largest]


class WithFiles(WordsOfTwoRows):
    def save(self, path):
        joblib.dump(self, path)

    @classmethod
    def load(cls, path):
        return joblib.load(path)


class SetsMoreInTheConstructor(WordsOfTwoRows):
    def __init__(self, C=10.0, order_column=None, random_state=None):
        super().__init__(C, order_column, random_state)
        self.is_ready = True


class LosesParametersInClones(WordsOfTwoRows):
    def __sklearn_clone__(self):
        return type(self)(order_column=self.order_column)


class ChangesParametersInFit(WordsOfTwoRows):
    def fit(self, X, y):
        self.random_state = 7
        return super().fit(X, y)


class ChangesX(WordsOfTwoRows):
    def predict_proba(self, X):
        X["length"] = 1
        return super().predict_proba(X)


class IsNotAskedWhetherFitted(WordsOfTwoRows):
    def predict_proba(self, X):
        return self.model_.predict_proba(self._join(X))


class KeepsOldClasses(WordsOfTwoRows):
    def fit(self, X, y):
        old = getattr(self, "classes_", y)
        super().fit(X, y)
        self.classes_ = np.union1d(old, self.classes_)
        return self

    def predict_proba(self, X):
        values = super().predict_proba(X)
        places = np.searchsorted(self.classes_, self.model_.classes_)
        wide = np.zeros((len(values), len(self.classes_)))
        wide[:, places] = values
        return wide


class AveragesFits(WordsOfTwoRows):
    def fit(self, X, y):
        super().fit(X, y)
        self.models_ = [*getattr(self, "models_", []), self.model_]
        return self

    def predict_proba(self, X):
        check_is_fitted(self)
        texts = self._join(X)
        return np.mean([model.predict_proba(texts) for model in self.models_], axis=0)


class ForgetsBeforeFit(WordsOfTwoRows):
    def fit(self, X, y):
        vars(self).pop("model_", None)
        return super().fit(X, y)


class KeepsWhatAFailureLeft(WordsOfTwoRows):
    def predict_proba(self, X):
        check_is_fitted(self)
        healthy, self.healthy_ = getattr(self, "healthy_", True), False
        values = super().predict_proba(X)
        self.healthy_ = True
        return values if healthy else values[:, ::-1]


class DrawsItsStrength(WordsOfTwoRows):
    def fit(self, X, y):
        texts = self._join(X)
        linear = LogisticRegression(C=np.random.default_rng().uniform(1, 9), max_iter=500)
        self.model_ = make_pipeline(CountVectorizer(binary=True), linear).fit(texts, y)
        self.classes_ = self.model_.classes_
        return self


class SeedsNumpy(WordsOfTwoRows):
    def predict_proba(self, X):
        np.random.seed(0)
        return super().predict_proba(X)


class SeedsRandom(WordsOfTwoRows):
    def fit(self, X, y):
        random.seed(0)
        return super().fit(X, y)


class SeedsTorch(WordsOfTwoRows):
    def fit(self, X, y):
        torch.manual_seed(0)
        return super().fit(X, y)


class TakesMoreThreads(WordsOfTwoRows):
    def predict(self, X):
        torch.set_num_threads(torch.get_num_threads() + 1)
        return super().predict(X)


class HalvesProbabilities(WordsOfTwoRows):
    def predict_proba(self, X):
        return super().predict_proba(X) / 2


class GoesBeyondOne(WordsOfTwoRows):
    def predict_proba(self, X):
        values = super().predict_proba(X)
        return values + 2 * (values - 1 / len(self.classes_))


class PredictsTheFirstRowWrongly(WordsOfTwoRows):
    def predict(self, X):
        predicted = super().predict(X)
        predicted[0] = self.classes_[super().predict_proba(X)[0].argmin()]
        return predicted


class MakesClassesStrings(WordsOfTwoRows):
    def fit(self, X, y):
        super().fit(X, y)
        self.classes_ = self.classes_.astype(str).astype(object)
        return self


class MakesClassesIntegers(WordsOfTwoRows):
    def predict(self, X):
        predicted = super().predict(X)
        return predicted + 10 if predicted.dtype.kind in "iu" else predicted


class NeedsWords(WordsOfTwoRows):
    def predict_proba(self, X):
        if (X["text"] == "").any():
            raise ValueError("a text is empty")
        return super().predict_proba(X)


class NeedsKnownWords(WordsOfTwoRows):
    def predict_proba(self, X):
        values = super().predict_proba(X)
        values[~self.model_[0].transform(X["text"]).toarray().any(axis=1)] = np.nan
        return values


class NeedsTwoRows(WordsOfTwoRows):
    def predict_proba(self, X):
        return np.squeeze(super().predict_proba(X))


class NeedsRowsInPairs(WordsOfTwoRows):
    def predict_proba(self, X):
        if X["group"].value_counts().min() < 2:
            raise ValueError("a group has one row")
        return super().predict_proba(X)


class NeedsKnownSpeakers(WordsOfTwoRows):
    def predict_proba(self, X):
        if not X["speaker"].isin(["A", "B"]).all():
            raise KeyError("speaker")
        return super().predict_proba(X)


class FitsNoEmptyText(WordsOfTwoRows):
    def fit(self, X, y):
        if (X["text"] == "").any():
            raise ValueError("a text is empty")
        return super().fit(X, y)


class FitsNoLoneRow(WordsOfTwoRows):
    def fit(self, X, y):
        if X["group"].value_counts().min() < 2:
            raise ValueError("a group has one row")
        return super().fit(X, y)


class FillsMissingTexts(WordsOfTwoRows):
    def fit(self, X, y):
        return super().fit(X.fillna({"text": ""}), y)


class IsShortOfWordsOnMissingTexts(WordsOfTwoRows):
    def _check_missing(self, name, column):
        if name == "text" and column.isna().any():
            raise ValueError("something is missing")
        super()._check_missing(name, column)


class FillsMissingGroups(WordsOfTwoRows):
    def _read(self, X):
        return super()._read(X.fillna({"group": -1}))


class IgnoresTheOrder(WordsOfTwoRows):
    def _sort(self, frame):
        return frame


class ForgetsWhereTheGroupChanges(WordsOfTwoRows):
    def _shift(self, frame):
        same = frame["group"] == frame["group"].shift(1)
        return frame["text"].shift(1).where(same)


class AlignsByIndex(WordsOfTwoRows):
    def predict_proba(self, X):
        return super().predict_proba(X.sort_index())


class FitsByIndex(WordsOfTwoRows):
    def fit(self, X, y):
        return super().fit(X.sort_index(), y)


class ReadsTheIds(WordsOfTwoRows):
    def _join(self, X):
        last = X["group"].set_axis(range(len(X))).astype(str).str[-1]
        return super()._join(X) + " id" + last


class NeedsIntegerIds(WordsOfTwoRows):
    def _read(self, X):
        frame = super()._read(X)
        return frame.astype({"group": int})


class LooksAhead(WordsOfTwoRows):
    def _shift(self, frame):
        texts = frame.groupby("group")["text"]
        return texts.shift(1).fillna("") + " " + texts.shift(-1).fillna("")


class CountsGroups(WordsOfTwoRows):
    def predict_proba(self, X):
        share = min(X["group"].nunique(), 100) / 1000
        return (1 - share) * super().predict_proba(X) + share / len(self.classes_)


class SeesNothing(WordsOfTwoRows):
    def _shift(self, frame):
        return pd.Series("", index=frame.index)


class IsPickledInPart(WordsOfTwoRows):
    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "model_"}


class CopiesParametersOnly(WordsOfTwoRows):
    def __deepcopy__(self, memo):
        return clone(self)


class LeavesAnotherFile(WithFiles):
    def save(self, path):
        super().save(path)
        path.with_suffix(".part").touch()


class LoadsWithoutContext(WithFiles):
    @classmethod
    def load(cls, path):
        loaded = SeesNothing()
        vars(loaded).update(vars(joblib.load(path)))
        return loaded


# A check, a classifier that breaks its promise, what that promises, and other checks that fail too.
ODD = ("check_odd_rows", "check_odd_training_rows")
BROKEN = [
    ("check_constructor", SetsMoreInTheConstructor(), {}, ()),
    ("check_clone", LosesParametersInClones(C=5.0), {}, ()),
    ("check_fit_keeps_parameters", ChangesParametersInFit(), {}, ()),
    ("check_input_is_not_changed", ChangesX(), {}, ()),
    ("check_unfitted", IsNotAskedWhetherFitted(), {}, ()),
    ("check_refit", KeepsOldClasses(), {}, ()),
    ("check_refit", AveragesFits(), {}, ()),
    ("check_failed_fit", ForgetsBeforeFit(), {}, ()),
    ("check_failed_prediction", KeepsWhatAFailureLeft(), {}, ()),
    # what differs from fit to fit cannot be the same after two, or with another index
    ("check_same_seed", DrawsItsStrength(), {}, ("check_refit", "check_index")),
    ("check_global_state", SeedsNumpy(), {}, ()),
    ("check_global_state", SeedsRandom(), {}, ()),
    ("check_global_state", SeedsTorch(), {}, ()),
    ("check_global_state", TakesMoreThreads(), {}, ()),
    ("check_probabilities", PredictsTheFirstRowWrongly(), {}, ()),
    # odd rows must have probabilities, too
    ("check_probabilities", HalvesProbabilities(), {}, ODD),
    ("check_probabilities", GoesBeyondOne(), {}, ODD),
    ("check_labels", MakesClassesStrings(), {}, ()),
    ("check_labels", MakesClassesIntegers(), {}, ()),
    ("check_odd_rows", NeedsWords(), {}, ()),
    ("check_odd_rows", NeedsKnownWords(), {}, ()),
    ("check_odd_rows", NeedsTwoRows(), {}, ()),
    ("check_odd_rows", NeedsRowsInPairs(), {"sees": "both"}, ()),
    ("check_odd_rows", NeedsKnownSpeakers(), {"speaker_column": "speaker"}, ()),
    ("check_odd_training_rows", FitsNoEmptyText(), {}, ()),
    ("check_odd_training_rows", FitsNoLoneRow(), {}, ()),
    ("check_missing_texts", FillsMissingTexts(), {}, ()),
    ("check_missing_texts", IsShortOfWordsOnMissingTexts(), {}, ()),
    ("check_missing_groups", FillsMissingGroups(), {}, ()),
    ("check_order_column", IgnoresTheOrder(order_column="order"), {"order_column": "order"}, ()),
    ("check_order_of_groups", ForgetsWhereTheGroupChanges(), {}, ()),
    ("check_index", AlignsByIndex(), {}, ()),
    ("check_index", FitsByIndex(), {}, ()),
    ("check_names_of_groups", ReadsTheIds(), {}, ()),
    ("check_names_of_groups", NeedsIntegerIds(), {}, ()),
    ("check_only_the_past", LooksAhead(), {}, ()),
    ("check_no_other_row", WordsOfTwoRows(), {"sees": "none"}, ()),
    ("check_isolation", CountsGroups(), {}, ()),
    ("check_context_is_learned", SeesNothing(), {}, ()),
    ("check_copies", IsPickledInPart(), {}, ()),
    ("check_copies", CopiesParametersOnly(), {}, ()),
    ("check_save_and_load", LeavesAnotherFile(), {}, ()),
    ("check_save_and_load", LoadsWithoutContext(), {}, ()),
]
