"""A correct classifier of texts in context, and classifiers that break one promise each."""

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
    """Logistic regression on the words of a row and of the row before. It keeps all promises."""

    def __init__(self, C=10.0, order_column=None, random_state=None):
        self.C = C
        self.order_column = order_column
        self.random_state = random_state

    def _read(self, X):
        """Return the columns text, group and order, indexed by row number."""
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
        """Return the text that each row sees besides its own, for sorted rows."""
        return frame.groupby("group")["text"].shift(1)

    def _join(self, X):
        """Append the words of the row before to each text, with a prefix."""
        frame = self._read(X)
        before = self._shift(self._sort(frame)).reindex(frame.index).fillna("")
        return frame["text"] + " " + before.str.replace(r"(\w+)", r"before\1", regex=True)

    def _make_linear(self):
        return LogisticRegression(C=self.C, max_iter=500)

    def fit(self, X, y):
        texts = self._join(X)
        model = make_pipeline(CountVectorizer(binary=True), self._make_linear())
        self.model_ = model.fit(texts, y)
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


class SetsExtraAttribute(WordsOfTwoRows):
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


class SkipsCheckIsFitted(WordsOfTwoRows):
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


class DropsModelBeforeFit(WordsOfTwoRows):
    def fit(self, X, y):
        vars(self).pop("model_", None)
        return super().fit(X, y)


class KeepsStateOfFailedPrediction(WordsOfTwoRows):
    def predict_proba(self, X):
        check_is_fitted(self)
        healthy, self.healthy_ = getattr(self, "healthy_", True), False
        values = super().predict_proba(X)
        self.healthy_ = True
        return values if healthy else values[:, ::-1]


class DrawsRandomC(WordsOfTwoRows):
    def _make_linear(self):
        return super()._make_linear().set_params(C=np.random.default_rng().uniform(1, 9))


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


class AddsThreads(WordsOfTwoRows):
    def predict(self, X):
        torch.set_num_threads(torch.get_num_threads() + 1)
        return super().predict(X)


class HalvesProbabilities(WordsOfTwoRows):
    def predict_proba(self, X):
        return super().predict_proba(X) / 2


class ExceedsOne(WordsOfTwoRows):
    def predict_proba(self, X):
        values = super().predict_proba(X)
        return values + 2 * (values - 1 / len(self.classes_))


class MispredictsFirstRow(WordsOfTwoRows):
    def predict(self, X):
        predicted = super().predict(X)
        predicted[0] = self.classes_[super().predict_proba(X)[0].argmin()]
        return predicted


class ConvertsClassesToStrings(WordsOfTwoRows):
    def fit(self, X, y):
        super().fit(X, y)
        self.classes_ = self.classes_.astype(str).astype(object)
        return self


class ShiftsIntegerLabels(WordsOfTwoRows):
    def predict(self, X):
        predicted = super().predict(X)
        return predicted + 10 if predicted.dtype.kind in "iu" else predicted


def _refuse_empty_texts(X):
    if (X["text"] == "").any():
        raise ValueError("a text is empty")


def _refuse_single_rows(X):
    if X["group"].value_counts().min() < 2:
        raise ValueError("a group has one row")


class RefusesEmptyTexts(WordsOfTwoRows):
    def predict_proba(self, X):
        _refuse_empty_texts(X)
        return super().predict_proba(X)


class ReturnsNanForUnknownWords(WordsOfTwoRows):
    def predict_proba(self, X):
        values = super().predict_proba(X)
        values[~self.model_[0].transform(X["text"]).toarray().any(axis=1)] = np.nan
        return values


class SqueezesProbabilities(WordsOfTwoRows):
    def predict_proba(self, X):
        return np.squeeze(super().predict_proba(X))


class RefusesSingleRows(WordsOfTwoRows):
    def predict_proba(self, X):
        _refuse_single_rows(X)
        return super().predict_proba(X)


class RefusesUnknownSpeakers(WordsOfTwoRows):
    def predict_proba(self, X):
        if not X["speaker"].isin(["A", "B"]).all():
            raise KeyError("speaker")
        return super().predict_proba(X)


class RefusesEmptyTextsInFit(WordsOfTwoRows):
    def fit(self, X, y):
        _refuse_empty_texts(X)
        return super().fit(X, y)


class RefusesSingleRowsInFit(WordsOfTwoRows):
    def fit(self, X, y):
        _refuse_single_rows(X)
        return super().fit(X, y)


class FillsMissingTexts(WordsOfTwoRows):
    def fit(self, X, y):
        return super().fit(X.fillna({"text": ""}), y)


class RaisesVagueErrorOnMissingTexts(WordsOfTwoRows):
    def _check_missing(self, name, column):
        if name == "text" and column.isna().any():
            raise ValueError("something is missing")
        super()._check_missing(name, column)


class FillsMissingGroups(WordsOfTwoRows):
    def _read(self, X):
        return super()._read(X.fillna({"group": -1}))


class IgnoresOrderColumn(WordsOfTwoRows):
    def _sort(self, frame):
        return frame


class SeesOnlyAdjacentRows(WordsOfTwoRows):
    def _shift(self, frame):
        same = frame["group"] == frame["group"].shift(1)
        return frame["text"].shift(1).where(same)


class SortsByIndexInPredict(WordsOfTwoRows):
    def predict_proba(self, X):
        return super().predict_proba(X.sort_index())


class SortsByIndexInFit(WordsOfTwoRows):
    def fit(self, X, y):
        return super().fit(X.sort_index(), y)


class UsesGroupIdsAsFeatures(WordsOfTwoRows):
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


class DependsOnNumberOfGroups(WordsOfTwoRows):
    def predict_proba(self, X):
        share = min(X["group"].nunique(), 100) / 1000
        return (1 - share) * super().predict_proba(X) + share / len(self.classes_)


class IgnoresOtherRows(WordsOfTwoRows):
    def _shift(self, frame):
        return pd.Series("", index=frame.index)


class PicklesWithoutModel(WordsOfTwoRows):
    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "model_"}


class CopiesOnlyParameters(WordsOfTwoRows):
    def __deepcopy__(self, memo):
        return clone(self)


class WritesSecondFile(WithFiles):
    def save(self, path):
        super().save(path)
        path.with_suffix(".part").touch()


class LoadsWithoutContext(WithFiles):
    @classmethod
    def load(cls, path):
        loaded = IgnoresOtherRows()
        vars(loaded).update(vars(joblib.load(path)))
        return loaded


# The name of a check, a classifier that breaks its promise, the parameters of ContextPromises, and
# the names of other checks that the classifier fails.
ODD = ("check_odd_rows", "check_odd_training_rows")
BROKEN = [
    ("check_constructor", SetsExtraAttribute(), {}, ()),
    ("check_clone", LosesParametersInClones(C=5.0), {}, ()),
    ("check_fit_keeps_parameters", ChangesParametersInFit(), {}, ()),
    ("check_input_is_not_changed", ChangesX(), {}, ()),
    ("check_unfitted", SkipsCheckIsFitted(), {}, ()),
    ("check_refit", KeepsOldClasses(), {}, ()),
    ("check_refit", AveragesFits(), {}, ()),
    ("check_failed_fit", DropsModelBeforeFit(), {}, ()),
    ("check_failed_prediction", KeepsStateOfFailedPrediction(), {}, ()),
    # check_refit and check_index also compare two fits.
    ("check_same_seed", DrawsRandomC(), {}, ("check_refit", "check_index")),
    ("check_global_state", SeedsNumpy(), {}, ()),
    ("check_global_state", SeedsRandom(), {}, ()),
    ("check_global_state", SeedsTorch(), {}, ()),
    ("check_global_state", AddsThreads(), {}, ()),
    ("check_probabilities", MispredictsFirstRow(), {}, ()),
    # The checks of unusual rows also check the probabilities.
    ("check_probabilities", HalvesProbabilities(), {}, ODD),
    ("check_probabilities", ExceedsOne(), {}, ODD),
    ("check_labels", ConvertsClassesToStrings(), {}, ()),
    ("check_labels", ShiftsIntegerLabels(), {}, ()),
    ("check_odd_rows", RefusesEmptyTexts(), {}, ()),
    ("check_odd_rows", ReturnsNanForUnknownWords(), {}, ()),
    ("check_odd_rows", SqueezesProbabilities(), {}, ()),
    ("check_odd_rows", RefusesSingleRows(), {"sees": "both"}, ()),
    ("check_odd_rows", RefusesUnknownSpeakers(), {"speaker_column": "speaker"}, ()),
    ("check_odd_training_rows", RefusesEmptyTextsInFit(), {}, ()),
    ("check_odd_training_rows", RefusesSingleRowsInFit(), {}, ()),
    ("check_missing_texts", FillsMissingTexts(), {}, ()),
    ("check_missing_texts", RaisesVagueErrorOnMissingTexts(), {}, ()),
    ("check_missing_groups", FillsMissingGroups(), {}, ()),
    ("check_order_column", IgnoresOrderColumn(order_column="order"), {"order_column": "order"}, ()),
    ("check_order_of_groups", SeesOnlyAdjacentRows(), {}, ()),
    ("check_index", SortsByIndexInPredict(), {}, ()),
    ("check_index", SortsByIndexInFit(), {}, ()),
    ("check_names_of_groups", UsesGroupIdsAsFeatures(), {}, ()),
    ("check_names_of_groups", NeedsIntegerIds(), {}, ()),
    ("check_only_the_past", LooksAhead(), {}, ()),
    ("check_no_other_row", WordsOfTwoRows(), {"sees": "none"}, ()),
    ("check_isolation", DependsOnNumberOfGroups(), {}, ()),
    ("check_context_is_learned", IgnoresOtherRows(), {}, ()),
    ("check_copies", PicklesWithoutModel(), {}, ()),
    ("check_copies", CopiesOnlyParameters(), {}, ()),
    ("check_save_and_load", WritesSecondFile(), {}, ()),
    ("check_save_and_load", LoadsWithoutContext(), {}, ()),
]
