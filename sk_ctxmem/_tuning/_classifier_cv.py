"""ContextMemoryClassifierCV, the estimator that searches for its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.utils.validation import check_is_fitted

from .._classifier import ContextMemoryClassifier, refuse_group_requests, score_accuracy
from .._input._parameters import Number, Seed
from .._messages import API_PAGE
from .._model._fitted_model import fitted_model
from .._runtime import array_defaults
from .._sessions import ContextSession, ContextSessions

PARAMETER_CONSTRAINTS = {
    "max_cost": Number(Real, 0, np.inf, 10.0, closed="neither"),
    "time_budget": Number(Real, 0, np.inf, None, closed="neither", or_none=True),
    "n_members": Number(Integral, 1, np.inf, 1),
    "n_jobs": Number(Integral, -np.inf, np.inf, None, or_none=True),
    "verbose": Number(Real, 0, np.inf, 0, or_bool=True),
    "random_state": Seed(),
}

OF_BEST = ("classes_", "n_features_in_", "feature_names_in_")  # fitted attributes of both


class ContextMemoryClassifierCV(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    """Context memory classifier with a search for its parameters within a budget.

    The candidates are compared on held-out rows, in whole groups, and the best one is fitted on all
    rows. The texts of a fold are read once for all candidates. Candidates that are behind after
    half of their epochs are given up; the others go on from there. The best of them and the
    estimator as it was given are then compared on further folds, as far as the budget goes. Another
    candidate is chosen only if it is better than the estimator as given by a standard error.

    Parameters
    ----------
    estimator : ContextMemoryClassifier or None, default=None
        The classifier, with the columns and all parameters that are not searched. If None, a
        :class:`ContextMemoryClassifier` with its defaults.

    cv : int, splitter, iterable or None, default=None
        Folds. If None or an integer, 5 or this number of folds of whole groups, or of samples with
        the same share of each class if there are no groups. All candidates see the first fold; as
        many others as the budget allows compare the best ones.

    scoring : str, callable or None, default=None
        Score of held-out rows, of which a larger one is better, by which candidates are compared.
        A callable takes an estimator, X and y; X are then row numbers, as the predictions are
        known. If None, the score is the accuracy, but candidates are compared by the
        log-likelihood, which tells them apart on fewer rows: the most accurate one of many owes
        much to chance.
        Rows of weight 0 do not count.

    max_cost : float, default=10.0
        Largest cost of the search and of the last fit together, in fits of the estimator as it was
        given. Costs are computed from parameters, not measured, so that a search does the same on
        any machine. At least one candidate, the estimator as given, is fitted on a fold, so that
        the smallest cost is about 2.

    time_budget : float or None, default=None
        Largest time in seconds, as far as the speed so far tells. The search ends when either
        budget ends.

    param_distributions : dict, list of dict or None, default=None
        Parameters to search and their values, as in
        :class:`~sklearn.model_selection.RandomizedSearchCV`: lists or distributions, from which
        candidates are drawn. If None, changes of the defaults that have proved useful: one at a
        time first, then those together that were better. `context` is searched only if it is
        listed, since it decides what the model may see.

    n_members : int, default=1
        Largest number of candidates whose mean predicts. More than one are fitted on all rows only
        if the mean of their probabilities is better on the held-out rows by a standard error,
        and the budget allows it. A mean takes the time of all of them to predict, and has no
        sessions, explanations and files.

    n_jobs : int or None, default=None
        Number of candidates to fit at a time, as in joblib. None means 1, or the number of a
        ``joblib.parallel_config`` context.

    verbose : int, default=0
        Whether to show a progress bar on standard error, with the candidate, the best score so far
        and the remaining time.

    random_state : int, RandomState instance or None, default=None
        Seed of the folds and candidates, and of the classifier if it has none. The same seed and
        data give the same choice, unless `time_budget` ended the search.

    Attributes
    ----------
    best_estimator_ : ContextMemoryClassifier
        The best candidate, fitted on all rows.

    estimators_ : list of ContextMemoryClassifier
        Classifiers whose mean predicts, `best_estimator_` first; most often it is the only one.

    best_params_ : dict
        Values of the searched parameters of the best candidate.

    best_score_ : float
        Mean score of the best candidate, or of the mean of `estimators_`, on held-out rows. Being
        the best of many, it is too good: see Notes.

    best_index_ : int
        Place of the best candidate in `cv_results_`.

    cv_results_ : dict of str to ndarray
        Results of all candidates with the keys of
        :class:`~sklearn.model_selection.GridSearchCV`; the first one is the estimator as it was
        given. Scores of folds on which a candidate was not fitted are NaN. In addition,
        `mean_test_criterion` (what candidates were compared by), `n_splits`
        (number of folds), `n_epochs` of training on the first fold, `complete` (whether training
        went to the end), `cost` in default fits, and `elapsed_time`, seconds from the beginning of
        the search to the last result.

    cost_ : float
        Cost of the search and the last fit, in default fits.

    refit_time_ : float
        Seconds of the last fit.

    stop_reason_ : str
        Why the search ended.

    n_splits_ : int
        Number of folds.

    scorer_ : callable
        The score.

    classes_ : ndarray of shape (n_classes,)
        Class labels, or names of labels, see :class:`ContextMemoryClassifier`.

    n_features_in_ : int
        Number of columns of X. Not defined if X was a list or Series of texts.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns of X. Only defined if all are strings.

    See Also
    --------
    ContextMemoryClassifier : The classifier.
    sklearn.model_selection.HalvingRandomSearchCV : Successive halving for any estimator.

    Notes
    -----
    For an honest estimate of the score of the whole procedure, pass this estimator to
    :func:`~sklearn.model_selection.cross_val_score`, which searches in each fold anew, or score it
    on rows that `fit` has not seen.

    References
    ----------
    Jamieson, K. and Talwalkar, A. (2016). Non-stochastic best arm identification and hyperparameter
    optimization. AISTATS 2016.
    Cawley, G. C. and Talbot, N. L. C. (2010). On over-fitting in model selection and subsequent
    selection bias in performance evaluation. JMLR 11, 2079-2107.

    Examples
    --------
    >>> from sk_ctxmem import ContextMemoryClassifier, ContextMemoryClassifierCV
    >>> from sk_ctxmem.datasets import make_conversations
    >>> talks = make_conversations(60, random_state=0)
    >>> clf = ContextMemoryClassifierCV(
    ...     ContextMemoryClassifier(text_column="text", group_column="group"),
    ...     max_cost=4, random_state=0,
    ... ).fit(talks.data, talks.target)
    >>> clf.cost_ <= 4
    True
    """

    _doc_link_module = "sk_ctxmem"
    _doc_link_template = API_PAGE

    if TYPE_CHECKING:  # set by fit
        classes_: np.ndarray
        n_features_in_: int
        feature_names_in_: np.ndarray
        best_estimator_: ContextMemoryClassifier
        estimators_: list[ContextMemoryClassifier]
        best_params_: dict[str, Any]
        best_score_: float
        best_index_: int
        cv_results_: dict[str, Any]
        cost_: float
        refit_time_: float
        stop_reason_: str
        n_splits_: int
        scorer_: Any

    def __init__(
        self,
        estimator: Any = None,
        *,
        cv: Any = None,
        scoring: Any = None,
        max_cost: float = 10.0,
        time_budget: float | None = None,
        param_distributions: Any = None,
        n_members: int = 1,
        n_jobs: int | None = None,
        verbose: Any = 0,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.cv = cv
        self.scoring = scoring
        self.max_cost = max_cost
        self.time_budget = time_budget
        self.param_distributions = param_distributions
        self.n_members = n_members
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.random_state = random_state

    @array_defaults()
    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Search for the best parameters, and fit the classifier with them.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows or sequences, see :meth:`ContextMemoryClassifier.fit`.

        y : array-like or sparse matrix of shape (n_rows,) or (n_rows, n_labels)
            Class label of each row or sequence, or 0 and 1 for each label.

        sample_weight : array-like of shape (n_rows,) or None, default=None
            Sample weights. Accuracy is weighted; other scores are not, but leave out rows of weight
            0.

        groups : array-like of shape (n_rows,) or None, default=None
            Group of each row, such as a conversation or document, if X has no group column.

        Returns
        -------
        self : ContextMemoryClassifierCV
            Fitted classifier.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the input is invalid.
        KeyboardInterrupt
            If Ctrl-C comes a second time, or in the first epoch of the last fit.

        Warns
        -----
        TrainingInterruptedWarning
            If Ctrl-C interrupted the search: the best candidate so far is then fitted on all rows.
        FitFailedWarning
            If candidates could not be fitted.
        """
        from ._fit_search import fit_search  # imports skorch, only to train

        attributes = fit_search(self, X, y, sample_weight, groups, PARAMETER_CONSTRAINTS)
        best = vars(attributes["best_estimator_"])
        for name in OF_BEST:
            self.__dict__.pop(name, None)
        self.__dict__.update(attributes, **{name: best[name] for name in OF_BEST if name in best})
        return self

    @array_defaults()
    def predict(self, X: Any, groups: Any = None) -> np.ndarray:
        """Predict the class of each row, see :meth:`ContextMemoryClassifier.predict`.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows of the same kind as in `fit`.

        groups : array-like of shape (n_rows,) or None, default=None
            Group of each row, if X has no group column.

        Returns
        -------
        labels : ndarray of shape (n_rows,) or (n_rows, n_labels)
            Classes, or indicators of labels.
        """
        return self._predict("predict", X, groups)

    @array_defaults()
    def predict_proba(self, X: Any, groups: Any = None) -> np.ndarray:
        """Predict probabilities, see :meth:`ContextMemoryClassifier.predict_proba`.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows of the same kind as in `fit`.

        groups : array-like of shape (n_rows,) or None, default=None
            Group of each row, if X has no group column.

        Returns
        -------
        probabilities : ndarray of shape (n_rows, n_classes)
            Probabilities, in the order of `classes_`.
        """
        return self._predict("predict_proba", X, groups)

    @array_defaults()
    def predict_log_proba(self, X: Any, groups: Any = None) -> np.ndarray:
        """Predict logarithms of probabilities.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows of the same kind as in `fit`.

        groups : array-like of shape (n_rows,) or None, default=None
            Group of each row, if X has no group column.

        Returns
        -------
        log_probabilities : ndarray of shape (n_rows, n_classes)
            Logarithms of the result of `predict_proba`.
        """
        return self._predict("predict_log_proba", X, groups)

    @array_defaults()
    def decision_function(self, X: Any, groups: Any = None) -> np.ndarray:
        """Compute logits, see :meth:`ContextMemoryClassifier.decision_function`.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows of the same kind as in `fit`.

        groups : array-like of shape (n_rows,) or None, default=None
            Group of each row, if X has no group column.

        Returns
        -------
        scores : ndarray of shape (n_rows, n_classes), or (n_rows,) for two classes
            Logits.
        """
        return self._predict("decision_function", X, groups)

    def score(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> float:
        """Return the score of predictions: `scoring`, or the accuracy.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows of the same kind as in `fit`.

        y : array-like or sparse matrix of shape (n_rows,) or (n_rows, n_labels)
            Class label of each row, or 0 and 1 for each label.

        sample_weight : array-like of shape (n_rows,) or None, default=None
            Sample weights.

        groups : array-like of shape (n_rows,) or None, default=None
            Group of each row, if X has no group column. Only with the accuracy: scores of
            scikit-learn take no groups.

        Returns
        -------
        score : float
            The score.
        """
        check_is_fitted(self)
        if self.scoring is None:
            return score_accuracy(self, X, y, sample_weight, groups)
        if groups is not None:
            raise ValueError(
                f"scoring={self.scoring!r} cannot use groups=; set group_column of the estimator "
                "to read the groups from X."
            )
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        return float(self.scorer_(self, X, y, **weights))

    def explain(self, X: Any, **options: Any) -> pd.DataFrame:
        """Explain predictions, see :meth:`ContextMemoryClassifier.explain`.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows of the same kind as in `fit`.

        **options : dict
            `target`, `groups`, `rows` and `method`.

        Returns
        -------
        explanation : DataFrame
            Contributions to the predictions.
        """
        return self._the_one("explain").explain(X, **options)

    def session(self, state: Any = None, *, keep_texts: bool = False) -> ContextSession:
        """Start a live conversation, or resume one, see :meth:`ContextMemoryClassifier.session`.

        Parameters
        ----------
        state : dict of str to ndarray, bytes or None, default=None
            State of a conversation to resume.

        keep_texts : bool, default=False
            Whether the session stores the texts.

        Returns
        -------
        session : ContextSession
            The conversation.
        """
        return self._the_one("session").session(state, keep_texts=keep_texts)

    def sessions(self, n_sessions: Any) -> ContextSessions:
        """Start many live conversations, see :meth:`ContextMemoryClassifier.sessions`.

        Parameters
        ----------
        n_sessions : int
            Number of conversations.

        Returns
        -------
        sessions : ContextSessions
            The conversations.
        """
        return self._the_one("sessions").sessions(n_sessions)

    def save(self, path: Any) -> None:
        """Save `best_estimator_` to a file, which :meth:`ContextMemoryClassifier.load` loads.

        Parameters
        ----------
        path : str, bytes, path-like or binary file
            Path of the file, see :meth:`ContextMemoryClassifier.save`.
        """
        self._the_one("save").save(path)

    def _predict(self, method: str, X: Any, groups: Any) -> np.ndarray:
        """Return the predictions of the best estimator, or of the mean of several."""
        check_is_fitted(self)
        if len(self.estimators_) == 1:
            return getattr(self.best_estimator_, method)(X, groups=groups)
        found = [member.predict_proba(X, groups=groups) for member in self.estimators_]
        outputs = fitted_model(self.best_estimator_).outputs
        logits = outputs.logits(np.mean(found, axis=0))
        if method == "predict":
            return outputs.predict(logits, self.classes_)
        answers = {
            "predict_proba": outputs.probabilities,
            "predict_log_proba": outputs.log_probabilities,
            "decision_function": outputs.decision,
        }
        return answers[method](logits)

    def _the_one(self, needed_by: str) -> ContextMemoryClassifier:
        """Return the best estimator, if it predicts alone."""
        check_is_fitted(self)
        if len(self.estimators_) > 1:
            raise ValueError(
                f"{needed_by} needs one classifier, but n_members={self.n_members} chose the mean "
                f"of {len(self.estimators_)}; use best_estimator_.{needed_by}, or n_members=1."
            )
        return self.best_estimator_

    @property
    def _model(self) -> Any:
        """Fitted model, which displays and distributed predictions read."""
        if "best_estimator_" not in vars(self):
            raise AttributeError("_model")
        return self._the_one("this")._model

    @property
    def _given(self) -> ContextMemoryClassifier:
        return ContextMemoryClassifier() if self.estimator is None else self.estimator

    def get_metadata_routing(self) -> Any:
        """Return the metadata that the methods request, as of ContextMemoryClassifier.

        Returns
        -------
        routing : MetadataRequest
            Requests of each method.
        """
        routing = super().get_metadata_routing()
        if getattr(self.estimator, "group_column", None) is not None:
            refuse_group_requests(routing)
        return routing

    def __sklearn_is_fitted__(self) -> bool:
        return "best_estimator_" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        own = self._given.__sklearn_tags__()
        tags.input_tags = own.input_tags
        tags.classifier_tags = own.classifier_tags
        return tags
