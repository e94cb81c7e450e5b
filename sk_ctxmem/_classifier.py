"""ContextMemoryClassifier, the estimator.

Most of this file is documentation of parameters and methods.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self
from numbers import Integral, Real
from types import SimpleNamespace

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from ._dense._cached import as_cached, share_embedder
from ._dense._columns import check_transformer
from ._dense._embedder import check_embedder
from ._explain import explain
from ._features._vectorizer import TextSequenceVectorizer
from ._input._feature_columns import check_feature_columns
from ._input._frames import as_table
from ._input._indicators import find_labels
from ._input._parameters import Choice, Flag, Number, Seed, check_parameters
from ._input._targets import plain_labels
from ._messages import API_PAGE
from ._model._file import (
    check_attribute_names,
    from_pickle,
    model_file_errors,
    read_model,
    read_model_file,
    to_pickle,
    warn_of_fitted_embedder,
    write_model,
)
from ._model._fitted_model import FitResult, fitted_model
from ._runtime import array_defaults
from ._sessions import ContextSession, ContextSessions, open_session, open_sessions

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn before 1.9 has no callbacks
    CallbackSupportMixin = type("CallbackSupportMixin", (), {})

    def with_callbacks(method):
        """Return the method unchanged."""
        return method


NOT_PICKLED = {"_model", "_net"}  # the model is pickled as arrays and plain values
MAX_COLUMNS_SHOWN = 10  # of features, and of those that are ignored, in the HTML representation
OPTIONAL_ATTRIBUTES = ("n_features_in_", "feature_names_in_", "_net")
METHODS_WITH_GROUPS = (
    "fit",
    "partial_fit",
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score",
)
PARAMETER_CONSTRAINTS = {
    "memory": Choice("gru", "elman", "lstm", "mingru"),
    "context": Choice("past", "both", "none"),
    "word_memory": Flag(or_value="convolution"),
    "hidden_size": Number(Integral, 1, np.inf, 128),
    "dropout": Number(Real, 0, 0.95, 0.2),
    "max_epochs": Number(Integral, 1, np.inf, 4),
    "batch_size": Number(Integral, 1, np.inf, 384),
    "learning_rate": Number(Real, 0, np.inf, 0.006, closed="neither"),
    "validation_fraction": Number(Real, 0, 1, 0.1, closed="neither"),
    "n_iter_no_change": Number(Integral, 1, np.inf, None, or_none=True),
    "random_state": Seed(),
    "warm_start": Flag(),
    "verbose": Number(Real, 0, np.inf, 0, or_bool=True),
}


class ContextMemoryClassifier(CallbackSupportMixin, ClassifierMixin, BaseEstimator):
    """Text classifier with memory across the rows of a conversation or document.

    Like any scikit-learn classifier, except that it takes raw text, and that rows of the same
    group, such as a conversation or document, are context of one another. X is a list of texts, a
    DataFrame or a matrix of features. The group of each row is in a column of X, `group_column`,
    or in the argument `groups`. Without groups, each row is classified by itself.

    The classifier is a neural network. An encoder maps the n-grams of each row to a vector, a
    recurrent memory processes the rows of a group in order, and attention reads the nearest rows.
    Two further terms are added to the logits: a linear model of the n-grams (the wide path), as in
    logistic regression, and transitions from the class probabilities of the previous row. Without
    groups, only the encoder and the linear model are used.

    Parameters
    ----------
    vectorizer : transformer or None, default=None
        Transformer that converts texts to features, such as any text vectorizer of scikit-learn or
        encoder of skrub. It is fitted to the texts and to y, as in a Pipeline. If None, a
        :class:`TextSequenceVectorizer`. Not used if X contains features.

    memory : {"gru", "elman", "lstm", "mingru"}, default="gru"
        Type of the recurrent memory over the rows of a group: gated recurrent unit, Elman network,
        long short-term memory, or minimal GRU, a gated linear recurrence that is computed by a
        parallel scan.

    context : {"past", "both", "none"}, default="past"
        Rows of the group that are context of a row. Use "past" for the previous rows, as in a
        live conversation, "both" for the previous and the following rows, as in a finished
        document, and "none" for no context.

    word_memory : bool or "convolution", default=False
        Whether to add a second memory over the words of each text. It requires texts, and training
        takes three times as long. With "convolution", a convolution of three words takes the place
        of that memory, and training takes a third longer than without.

    hidden_size : int, default=128
        Size of encodings and memories. Without context and `word_memory`, encodings have half of
        this size.

    dropout : float, default=0.2
        Dropout rate of encodings, memories, attention outputs and, with context, dense features
        except `feature_columns`.

    max_epochs : int, default=4
        Maximum number of passes over the training rows. The learning rates decay to one fiftieth
        over this number of epochs. If there are only dense features and no context, an epoch has
        up to four passes over fewer than 20,000 rows.

    batch_size : int, default=384
        Maximum number of rows per batch. With fewer than 19,200 training rows, batches are smaller,
        such that a pass over the rows has 50 steps.

    learning_rate : float, default=0.006
        Initial learning rate of AdamW, multiplied by 1.5 for rows without context, and by 2 for
        several labels for each row in context. The weights of sparse features are trained by SGD
        with a learning rate that is computed from the data.

    validation_fraction : float, default=0.1
        Fraction of the rows to hold out as a validation set, in whole groups. Only used if
        `n_iter_no_change` is not None. If the validation set would have fewer than 10 rows, train
        for `max_epochs` on all rows.

    n_iter_no_change : int or None, default=None
        Number of epochs without a better score on the validation set after which training stops
        and the weights of the best epoch are restored. If None, train for `max_epochs` on all rows;
        the rows used to calibrate `temperature_` join in the last epoch. With context, the final
        weights are then the mean of the weights at the end of each epoch, from the second epoch on.

    class_weight : dict, "balanced" or None, default=None
        Class weights, as in scikit-learn: classes that are not in the dict have weight 1, and
        classes that are not in y, as in a fold without them, are ignored. With several labels for
        each row, the weights of the rows with a label in the loss of that label; "balanced" weighs
        rows with and without it as two classes.

    text_column : str or None, default=None
        Column of X that contains the texts. If None, the columns without another role must be a
        single column of texts, or numeric features.

    group_column : str or None, default=None
        Column of X that contains the group of each row, such as a conversation or document.

    order_column : str or None, default=None
        Column of X that orders the rows of a group: numbers, dates or ordered categories. Strings
        are read as numbers or as ISO 8601 dates if all of them are such; other strings are sorted
        alphabetically, with a warning if they contain numbers or dates. If None, rows are in the
        order of X.

    speaker_column : str or None, default=None
        Column of X that contains the speaker of each row, or any other category of rows.

    embedder : object or None, default=None
        Turns each text into a vector, such as a pretrained sentence embedding, which is read beside
        the n-grams: a transformer of scikit-learn or skrub, an object with a method `encode`
        (SentenceTransformer, StaticModel of model2vec) or `embed` (fastembed), or a function from a
        list of str to an array of shape (n_texts, width). It is used as it is, except that each fit
        fits a copy of a transformer whose `fit` learns something. Each text is embedded once, see
        :class:`CachedEmbedder`. Requires texts.

    feature_columns : str, list of str or None, default=None
        Columns of X that are read beside the texts: numbers, bools, durations, dates, categories
        and strings of few values. "rest" stands for all columns without a role; a column that
        stands one to one with y is then an error, as it may be the target. Missing values are
        legal: missing numbers are replaced by the median, with an indicator, as by
        :class:`~sklearn.impute.SimpleImputer`, and a missing category is a category. Categories
        are encoded as by :class:`~sklearn.preprocessing.OneHotEncoder`, at most 50 a column, rarer
        and unknown ones together; dates as days, hour of the day and day of the week. All numbers
        are standardized. Requires a DataFrame with texts.

    feature_transformer : transformer or None, default=None
        Transformer that converts `feature_columns` to numbers in place of the above, such as the
        result of :func:`~sklearn.compose.make_column_transformer`, or TableVectorizer of skrub.
        Each fit fits a clone of it to the DataFrame of these columns and to y.

    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, the held-out rows, shuffling and dropout.

    device : str, default="auto"
        torch device, such as "cpu" or "cuda:0". "auto" selects a GPU if one is available.

    warm_start : bool, default=False
        Whether to continue from the weights of the previous fit, with its vectorizer.

    verbose : int, default=0
        Whether to show a progress bar, on standard error or in the notebook, with the epoch, its
        mean loss so far, scores, rows per second and the remaining time, and at the end with the
        reason why training stopped.

    checkpoint : str, path-like or None, default=None
        Folder in which `fit` saves its state after each epoch. If a fit was killed, calling `fit`
        with the same rows and parameters resumes after the last complete epoch, and ends with
        bit-identical weights. A completed fit deletes its file. Fits with other rows or parameters
        use other files, so that the fits of a search can share a folder. Requires a `random_state`.

    callbacks : list of skorch.callbacks.Callback or None, default=None
        skorch callbacks, for example for gradient clipping, learning rate schedules, TensorBoard,
        MLflow or Optuna pruning. Each fit uses copies, which share the objects that they were made
        with, such as a writer. A callback that raises KeyboardInterrupt stops training after the
        current epoch or, from the second epoch on, after the current batch. Pickles contain
        callbacks if they can be pickled. Files of `save` do not, and a `checkpoint` does not
        contain their state. See :ref:`progress`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted class labels. With several labels for each row, the names of the columns of y in
        their order: those of a DataFrame, else numbers from 0.

    n_features_in_ : int
        Number of columns of X; of a DataFrame of numeric features, the number of columns without a
        role. Not defined if X was a list or Series of texts.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns of X. Only defined if all are strings.

    columns_ : dict of str to str
        Column of X of each role: "text", "group", "order" and "speaker". A single column of texts
        is there without `text_column`. With `feature_columns`, "features" has the list of these.
        Empty if X was no DataFrame.

    ignored_columns_ : ndarray of shape (n_ignored,)
        Names of the columns of X that the classifier did not read: with `text_column`, those
        without a role, numbers too. Columns of numeric features are read, see `feature_names_in_`.

    n_iter_ : int
        Number of epochs of training.

    temperature_ : float
        Temperature, calibrated on held-out rows. The logits are divided by it. The held-out
        rows are the validation set of early stopping. Without early stopping, they are one
        twentieth of the rows, at most 2,000, in whole groups, and join the training rows in the
        last epoch; with fewer than 2,000 rows or three epochs, the temperature is 1. A warm start
        keeps the previous temperature.

    history_ : DataFrame of shape (n_epochs, 5)
        Columns epoch, train_loss, valid_loss, valid_score (accuracy) and seconds. valid_loss and
        valid_score are NaN without a validation set.

    stop_reason_ : str
        Reason why training stopped, such as "all 4 epochs done", "no better valid_score than 0.872
        (epoch 3) for 2 epochs", or "interrupted by Ctrl-C after epoch 2". Empty if `load` read a
        file of a version without this attribute.

    net_ : skorch.NeuralNet
        Trained skorch net, to read its `history` and `module_`. It contains no rows. Only defined
        after `fit` and `partial_fit`, not after `load`, unpickling or copying.

    vectorizer_ : transformer or None
        Fitted vectorizer. None if X contained features.

    scaler_ : transformer
        Fitted scaler of the features.

    embedder_ : CachedEmbedder or None
        Embedder of the texts, and their vectors. None without an embedder.

    speakers_ : dict
        Id of each speaker that occurs in at least two groups.

    See Also
    --------
    TextSequenceVectorizer : The default vectorizer, which can also be a step of a Pipeline.

    Notes
    -----
    With ``memory="elman"``, the memory is e_i = σ(W1 x_i + b1), m_i = σ(W2 e_i + W3 m_{i-1} + b2)
    and d_i = softmax(W4 m_i + b3), with the logits of attention, of the linear model and of the
    class transitions added inside the softmax. The other types of memory replace the second
    formula by a gated cell.

    The rows of a group need not be adjacent. Predictions are in the order of X. With
    ``context="past"``, the probabilities of a row do not depend on later rows, except for rounding
    in single precision of about 1e-7.

    A train-test split must not split a group, or scores are too high: use
    :class:`~sklearn.model_selection.StratifiedGroupKFold`.

    References
    ----------
    Elman, J. L. (1990). Finding structure in time. Cognitive Science 14, 179-211.
    McCallum, A., Freitag, D. and Pereira, F. (2000). Maximum entropy Markov models for
    information extraction and segmentation. ICML 2000.
    Cheng, H.-T. et al. (2016). Wide & deep learning for recommender systems. arXiv:1606.07792.

    Examples
    --------
    >>> from sk_ctxmem import ContextMemoryClassifier
    >>> from sk_ctxmem.datasets import make_conversations
    >>> talks = make_conversations(200, random_state=0)
    >>> clf = ContextMemoryClassifier(
    ...     text_column="text", group_column="group", random_state=0
    ... ).fit(talks.data[:1500], talks.target[:1500])
    >>> clf.score(talks.data[1500:], talks.target[1500:]) > 0.9  # chance is 0.4
    True
    """

    _doc_link_module = "sk_ctxmem"
    _doc_link_template = API_PAGE

    if TYPE_CHECKING:  # set by fit and load
        classes_: np.ndarray
        n_features_in_: int
        feature_names_in_: np.ndarray
        n_iter_: int
        temperature_: float
        history_: pd.DataFrame
        stop_reason_: str
        vectorizer_: Any
        scaler_: Any
        embedder_: Any
        speakers_: dict[Any, int]

    def __init__(
        self,
        vectorizer: Any = None,
        *,
        memory: str = "gru",
        context: str = "past",
        word_memory: bool | str = False,
        hidden_size: int = 128,
        dropout: float = 0.2,
        max_epochs: int = 4,
        batch_size: int = 384,
        learning_rate: float = 0.006,
        validation_fraction: float = 0.1,
        n_iter_no_change: int | None = None,
        class_weight: Any = None,
        text_column: Any = None,
        group_column: Any = None,
        order_column: Any = None,
        speaker_column: Any = None,
        embedder: Any = None,
        feature_columns: Any = None,
        feature_transformer: Any = None,
        random_state: Any = None,
        device: Any = "auto",
        warm_start: bool = False,
        verbose: Any = 0,
        checkpoint: Any = None,
        callbacks: Any = None,
    ) -> None:
        self.vectorizer = vectorizer
        self.memory = memory
        self.context = context
        self.word_memory = word_memory
        self.hidden_size = hidden_size
        self.dropout = dropout
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.text_column = text_column
        self.group_column = group_column
        self.order_column = order_column
        self.speaker_column = speaker_column
        self.embedder = embedder
        self.feature_columns = feature_columns
        self.feature_transformer = feature_transformer
        self.random_state = random_state
        self.device = device
        self.warm_start = warm_start
        self.verbose = verbose
        self.checkpoint = checkpoint
        self.callbacks = callbacks

    def set_params(self, **params: Any) -> Self:
        """Set parameters, including those of the vectorizer as ``vectorizer__<name>``.

        Parameters
        ----------
        **params : dict
            Parameters by name.

        Returns
        -------
        self : ContextMemoryClassifier
            The classifier.
        """
        # so that a search over parameters of the default vectorizer need not set `vectorizer`
        is_default = params.get("vectorizer", self.vectorizer) is None
        if is_default and any(name.startswith("vectorizer__") for name in params):
            params = params | {"vectorizer": TextSequenceVectorizer()}
        return super().set_params(**params)

    @array_defaults()
    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Fit the classifier to texts or features.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Texts, a DataFrame with the columns named by the parameters, or features, dense or
            sparse, of shape (n_rows, n_features). Or sequences, each of which is one sample in
            the place of a row: a list of lists of str, of DataFrames or of arrays, or an array of
            shape (n_sequences, n_steps, n_features).

        y : array-like or sparse matrix of shape (n_rows,) or (n_rows, n_labels)
            Class label of each row or sequence. If it has any number of labels, a column of 0 and
            1 for each label, as of :class:`~sklearn.preprocessing.MultiLabelBinarizer`; the columns
            of a DataFrame name the labels.

        sample_weight : array-like of shape (n_rows,) or None, default=None
            Sample weights. A row of weight 0 is still context of other rows.

        groups : array-like of shape (n_rows,) or None, default=None
            Group of each row, such as a conversation or document, if X has no group column.

        Returns
        -------
        self : ContextMemoryClassifier
            Fitted classifier.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the input is invalid.
        TrainingDivergedError
            If the loss becomes infinite or NaN.
        MemoryError
            If memory runs out. The message names the parameters to decrease.

        Warns
        -----
        TrainingInterruptedWarning
            If Ctrl-C (SIGINT) interrupted training. Training stops after the current batch, and the
            classifier is fitted with the best weights so far, as in scikit-learn's MLPClassifier. A
            Ctrl-C during the first epoch, or a second one in the same batch, raises
            KeyboardInterrupt and leaves the classifier unchanged.
        MergedGroupsWarning
            If group ids may merge conversations or split one, such as large floats, blank strings,
            or a group and order value that occur twice.
        """
        from ._training._fit import warn_if_interrupted  # imports skorch, only to train

        params = validated_params(self)
        result = self._fit(X, y, sample_weight, groups, params)
        warn_if_interrupted(result, params)  # which a filter may turn into an error
        set_fit_result(self, result)
        return self

    @with_callbacks
    def _fit(self, X, y, sample_weight, groups, params):
        """Fit, and return the result; the classifier stays as it was."""
        from ._training._fit import fit_model
        from ._training._sklearn_callbacks import FitTasks

        tasks = None
        if hasattr(self, "_init_callback_context"):
            context = self._init_callback_context(max_subtasks=int(params.max_epochs))
            if hasattr(self, "_skl_callbacks"):
                # scikit-learn's scorers do not accept groups; without groups, predict warns
                metadata = None if sample_weight is None else {"sample_weight": sample_weight}
                data = {"X": X, "y": y, "metadata": metadata}
                tasks = FitTasks(self, context, data, fitted_attributes)
        start = get_fit_result(self) if params.warm_start else None
        result = fit_model(X, y, sample_weight, groups, params, start=start, tasks=tasks)
        if tasks is not None:
            tasks.end(result)
        return result

    @array_defaults()
    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None, groups: Any = None
    ) -> Self:
        """Fit the classifier to a chunk of rows, for one epoch.

        The first chunk determines the vocabulary, the known speakers and the learning rates: it
        should be large and similar to the other chunks. To reach the accuracy of `fit`, pass all
        chunks several times, in any order. A chunk must not split a group, see
        :func:`sk_ctxmem.whole_groups`. After `fit` or `load`, training continues from the fitted
        weights.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Texts, a DataFrame with the columns named by the parameters, or features, dense or
            sparse, of shape (n_rows, n_features).

        y : array-like or sparse matrix of shape (n_rows,) or (n_rows, n_labels)
            Class label of each row. Some classes may be missing. If a row has any number of labels,
            a column of 0 and 1 for each label.

        classes : array-like of shape (n_classes,) or None, default=None
            Class labels of all chunks. Required on the first call only. With several labels for
            each row, the names of the columns of y; if None, they are those of a DataFrame, or
            numbers.

        sample_weight : array-like of shape (n_rows,) or None, default=None
            Sample weights, which are not normalized: their mean should be about 1.

        groups : array-like of shape (n_rows,) or None, default=None
            Group of each row, such as a conversation or document, if X has no group column.

        Returns
        -------
        self : ContextMemoryClassifier
            Fitted classifier, which can predict after each call.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the input is invalid, or y has an unknown class.
        TrainingDivergedError
            If the loss becomes infinite or NaN.

        Notes
        -----
        The parameters `max_epochs`, `n_iter_no_change`, `validation_fraction`, `checkpoint`,
        `warm_start` and `verbose` are not used. `batch_size` and the parameters of the network and
        the input, such as `hidden_size` and `group_column`, are used on the first call only.
        `history_` has a row for each call. The learning rates do not decay, and predictions use a
        running mean of the weights. No rows are held out for calibration: `temperature_` is 1, or
        the one of `fit`. A callback that stops training only changes `stop_reason_`, since a call
        is a single epoch. Pickles contain the state of training. Files of `save` do not: after
        `load`, the state of the optimizer is new.
        """
        from ._training._partial_fit import partial_fit_model

        start, params = get_fit_result(self), validated_params(self)
        result = partial_fit_model(X, y, classes, sample_weight, groups, params, start=start)
        set_fit_result(self, result)
        return self

    @array_defaults()
    def predict(self, X: Any, groups: Any = None) -> np.ndarray:
        """Predict the class of each row.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows of the same kind as in `fit`.

        groups : array-like of shape (n_rows,) or None, default=None
            Group of each row, such as a conversation or document, if X has no group column.

        Returns
        -------
        y : ndarray of shape (n_rows,), or ndarray or csr_matrix of shape (n_rows, n_labels)
            Predicted class labels. With several labels for each row, 0 and 1 for each label, sparse
            if the y of `fit` was sparse.

        Raises
        ------
        TypeError, ValueError
            If the kind of X differs from that of `fit`, or X has groups but the classifier was
            fitted without groups.

        Warns
        -----
        MissingGroupsWarning
            If the classifier was fitted with groups, but X has none.
        MergedGroupsWarning
            If group ids may merge conversations or split one.
        UnknownSpeakersWarning
            If rows have no speaker although those of `fit` had one, or more speakers are unknown
            than those of `fit` lead to expect.
        """
        model = fitted_model(self)
        return model.outputs.predict(model.logits(X, groups), model.classes)

    @array_defaults()
    def predict_proba(self, X: Any, groups: Any = None) -> np.ndarray:
        """Predict class probabilities.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows of the same kind as in `fit`.

        groups : array-like of shape (n_rows,) or None, default=None
            Group of each row, such as a conversation or document, if X has no group column.

        Returns
        -------
        probabilities : ndarray of shape (n_rows, n_classes)
            Class probabilities, in the order of `classes_`. With several labels for each row, the
            probability of each label.
        """
        model = fitted_model(self)
        return model.outputs.probabilities(model.logits(X, groups))

    @array_defaults()
    def predict_log_proba(self, X: Any, groups: Any = None) -> np.ndarray:
        """Predict the logarithm of class probabilities.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows of the same kind as in `fit`.

        groups : array-like of shape (n_rows,) or None, default=None
            Group of each row, such as a conversation or document, if X has no group column.

        Returns
        -------
        log_probabilities : ndarray of shape (n_rows, n_classes)
            Log-probabilities, in the order of `classes_`. With several labels for each row, of the
            row having each label.
        """
        model = fitted_model(self)
        return model.outputs.log_probabilities(model.logits(X, groups))

    @array_defaults()
    def decision_function(self, X: Any, groups: Any = None) -> np.ndarray:
        """Compute the logits, whose softmax is the result of `predict_proba`.

        With several labels for each row, it is their sigmoid.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows of the same kind as in `fit`.

        groups : array-like of shape (n_rows,) or None, default=None
            Group of each row, such as a conversation or document, if X has no group column.

        Returns
        -------
        scores : ndarray of shape (n_rows, n_classes), or (n_rows,) for two classes
            Logits. For two classes, the logit of the second class minus that of the first. With
            several labels for each row, always of shape (n_rows, n_labels).
        """
        model = fitted_model(self)
        return model.outputs.decision(model.logits(X, groups))

    def score(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> float:
        """Return the accuracy of predictions.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows of the same kind as in `fit`.

        y : array-like or sparse matrix of shape (n_rows,) or (n_rows, n_labels)
            Class label of each row, or 0 and 1 for each label.

        sample_weight : array-like of shape (n_rows,) or None, default=None
            Sample weights.

        groups : array-like of shape (n_rows,) or None, default=None
            Group of each row, such as a conversation or document, if X has no group column.

        Returns
        -------
        accuracy : float
            Accuracy, weighted by `sample_weight`. With several labels for each row, the share of
            rows of which all labels are right.
        """
        return score_accuracy(self, X, y, sample_weight, groups)

    @array_defaults()
    def explain(
        self,
        X: Any,
        *others: Any,
        target: Any = None,
        groups: Any = None,
        rows: Any = None,
        method: str = "integrated_gradients",
    ) -> pd.DataFrame:
        """Explain predictions by contributions of n-grams, of other rows and of structure.

        The explained score is the log-odds ln(p / (1 - p)) of the probability p of a class. For two
        classes, and for several labels, it is the result of `decision_function`. The contributions
        of a row add up to the difference between its score in context and the score of a single
        empty text without context. If the classifier was fitted on sequences, whole sequences are
        explained: the parts of all rows of a sequence add up to the difference between its score
        and that of a sequence of one empty text.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows of the same kind as in `fit`: whole conversations, which include the context of the
            explained rows.

        *others : tuple
            Not used: all other arguments are keywords, so that groups, which other methods take in
            the second place, are not read as `target`.

        target : class, array-like of n_explained classes, or None, default=None
            Class or label whose score is explained, one for all rows or one for each explained row.
            If None, the most probable one of each row.

        groups : array-like of shape (n_rows,) or None, default=None
            Group of each row, such as a conversation or document, if X has no group column.

        rows : array-like of int, mask of shape (n_rows,), or None, default=None
            Positions in X of the rows to explain, or of the sequences. The other rows are context
            only. If None, all are explained.

        method : {"integrated_gradients", "leave_one_out", "gradient_times_input"}, \
                default="integrated_gradients"
            Method of attribution, see Notes.

        Returns
        -------
        explanation : DataFrame
            One line for each contribution, with the columns

            - row: position in X of the explained row or sequence;
            - target: class whose score is explained;
            - source: "ngram" for the text of the row through encoder, memory and attention, "wide"
              for its text through the linear model, "embedding" for the vector of its text through
              both, "column" for one of the `feature_columns` of the row through both, "word" for
              its text through the word memory, "row" for the text of another row of the group,
              "structure" for everything except texts (position in the group, speakers, presence of
              other rows), and "remainder" for the difference between the score and the sum of the
              contributions;
            - feature: n-gram, word or name of the feature or column; None for the whole embedding,
              and for "row", "structure" and "remainder";
            - from_row: position in X of the row that contains the text, or its position in the
              sequence; -1 for "structure" and "remainder";
            - contribution: amount added to the score;
            - attention: attention weight of the other row, for "row" only. On the lines of a
              sequence, which has no lines "row", the weight of the row in the pooled states of the
              sequence. Attention weights show which rows the network reads, but do not explain its
              prediction.

        Raises
        ------
        TypeError, ValueError
            If the kind of X differs from that of `fit`, a class is unknown, `rows` are not
            positions in X, or `method` is invalid.

        Warns
        -----
        UserWarning
            Before an explanation that takes minutes.

        Notes
        -----
        The baseline replaces all texts by empty texts and keeps the positions and speakers.
        The difference between the baseline and a single empty text is the contribution of
        structure. "integrated_gradients" integrates gradients along the straight line from the
        baseline to the texts; its contributions add up to the score within 1e-3. "leave_one_out" is
        the decrease of the score if one n-gram, or the text of one other row, is removed.
        "gradient_times_input" is the contribution if the score were linear. Contributions of these
        two methods do not add up to the score; the difference is the remainder. N-grams that are
        not in the vocabulary of `fit` contribute nothing and are not in the result. The baseline of
        dense features, embeddings too, is their mean in training; that of sparse features is zero.

        To which words an embedding reacts is told by "leave_one_out" alone: for each of the first
        128 different words of a text, a line "embedding" has the decrease of the score if the text
        is embedded without it. Each of these texts has to be embedded: pass few `rows`.

        The time to explain a row increases with the number of rows in its context: with
        ``context="past"``, the previous rows of the group. In a context of more than 256 rows on
        one side, only the nearest 256 are read if the score is then the same within 1e-6, else
        twice as many, and so on. The rows beyond have a contribution of 0. The time to explain all
        rows is therefore proportional to their number, and not to its square.

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
        >>> explanation = clf.explain(["good book"], target=1)
        >>> explanation.groupby("feature")["contribution"].sum().idxmax()
        'word__good'
        """
        if others:
            raise TypeError(
                f"explain takes X alone by position, but {len(others)} more were passed, a "
                f"{type(others[0]).__name__} first; pass groups= or target= by name."
            )
        options = {"target": target, "groups": groups, "rows": rows, "method": method}
        return explain(fitted_model(self), X, **options)

    def session(self, state: Any = None, *, keep_texts: bool = False) -> ContextSession:
        """Start a live conversation, or resume one.

        The classifier must have been fitted with groups or on sequences, and ``context="past"``. If
        it was fitted on sequences, each turn gives a forecast of the label of the whole one. It
        can have any
        number of sessions. Sessions do not change the classifier, and a later fit does not change
        them.

        Parameters
        ----------
        state : dict of str to ndarray, bytes or None, default=None
            Result of :meth:`ContextSession.state` or :meth:`ContextSession.to_bytes`, to resume
            that conversation. If None, start a new conversation.

        keep_texts : bool, default=False
            Whether the session stores the texts, in its `history_` and its state.

        Returns
        -------
        session : ContextSession
            The conversation.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If the classifier was not fitted with groups or on sequences and ``context="past"``, or
            the state is invalid or belongs to another model.
        """
        return open_session(fitted_model(self), state, keep_texts=keep_texts)

    def sessions(self, n_sessions: Any) -> ContextSessions:
        """Start many live conversations, which are predicted in batches.

        The classifier must have been fitted as for :meth:`session`.

        Parameters
        ----------
        n_sessions : int
            Number of conversations.

        Returns
        -------
        sessions : ContextSessions
            The conversations.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If the classifier was not fitted with groups or on sequences and ``context="past"``.
        """
        return open_sessions(fitted_model(self), n_sessions)

    def save(self, path: Any) -> None:
        """Save the fitted classifier to a file that contains data only.

        Loading the file does not execute code from it, even if the file is from an untrusted
        source. The file is a zip archive of ``config.json``, ``vocabulary.json``,
        ``weights.safetensors`` and ``manifest.json``, which contains checksums and the versions of
        the format and of the packages. An existing file is replaced only once the new file is
        complete.

        The file contains all parameters except `checkpoint`, `callbacks` and `embedder`, which
        `load` has to be given again: embedders have files of their own. It does not contain
        metadata requests, nor the state that `partial_fit` continues from.

        Parameters
        ----------
        path : str, bytes, path-like or binary file
            Path of the file. To an open file, such as a BytesIO, the content is written at its
            position.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        TypeError
            If a parameter is not plain data, such as a vectorizer of an unknown class or a
            function, or has a value that is not allowed in files. The message names it.
        OSError
            If the file cannot be written.

        See Also
        --------
        load : Load the file.
        """
        check_is_fitted(self)
        warn_of_fitted_embedder(self.embedder, self._model)
        write_model(path, type(self).__name__, self._attributes(), self._model)

    @classmethod
    @array_defaults()
    def load(cls, path: Any, *, embedder: Any = None) -> Self:
        """Load a fitted classifier from a file written by `save`.

        Parameters
        ----------
        path : str, bytes, path-like or binary file
            Path of the file. An open file, such as a BytesIO, is read from its position to its end.

        embedder : object or None, default=None
            The embedder of the fit, if it had one: files do not contain it. It is recognised by
            its vectors of a few short texts.

        Returns
        -------
        classifier : ContextMemoryClassifier
            Fitted classifier, with the predictions of the saved one. It uses the device of its
            parameter `device`, or the CPU if that is not available.

        Raises
        ------
        ModelFileError
            If the file is corrupt, was not written by this package, has an unsupported format
            version, or needs an embedder that is not the given one.
        TypeError, ValueError
            If `embedder` cannot embed texts.
        OSError
            If the file cannot be opened.
        """
        check_embedder("embedder", embedder)
        ready = None if embedder is None else as_cached(embedder).fit(None)
        content = read_model_file(path)
        with model_file_errors(path):
            attributes, model = read_model(*content, cls.__name__, ready)
            if attributes["embedder_"] is not None:
                attributes["embedder"] = embedder
            check_attribute_names(attributes, cls)
            classifier = cls()
            classifier.__dict__.update(attributes, _model=model)
            check_parameters(classifier, PARAMETER_CONSTRAINTS)
        return classifier

    def export(self, folder: Any, *, vectorizer: bool = True) -> str:
        """Export the fitted classifier to a folder for programs without torch, in any language.

        The folder contains ONNX graphs, ``rows.onnx`` for rows with their context and, with
        ``context="past"``, ``step.onnx`` for the next row of a conversation; the vectorizer as
        data; and ``runtime.py``, which predicts with NumPy and ONNX Runtime alone. Probabilities
        are those of `predict_proba` up to about 1e-6. Needs the extra ``onnx``. An earlier export
        in the same folder is replaced only once the new one is complete.

        Parameters
        ----------
        folder : str or path-like
            Path of a new or empty folder, or of an earlier export.

        vectorizer : bool, default=True
            Whether to export what turns texts into features. If False, the exported model takes the
            features that the vectorizer returns.

        Returns
        -------
        digest : str
            SHA-256 of ``model.json``, which contains those of all other files. Given to the
            runtime, it makes sure that no file was replaced.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ImportError
            If onnx is not installed.
        TypeError
            If the vectorizer, a class or a speaker cannot be written as data.
        ValueError
            If the classifier was fitted with `word_memory`.
        OSError
            If the folder has other files, or cannot be written.

        See Also
        --------
        save : Save for use by this package.
        """
        from ._export._export import export_model

        return export_model(fitted_model(self), folder, vectorizer=vectorizer)

    def _attributes(self):
        """Return all attributes except the model and the net of skorch."""
        return {name: value for name, value in vars(self).items() if name not in NOT_PICKLED}

    def get_metadata_routing(self) -> Any:
        """Return the metadata that the methods request.

        With `group_column`, methods do not request `groups` unless a request was set: the groups
        are in X.

        Returns
        -------
        routing : MetadataRequest
            Requests of each method.
        """
        routing = super().get_metadata_routing()
        if self.group_column is not None:
            refuse_group_requests(routing)
        return routing

    def __getstate__(self):
        """Convert trusted classes to arrays and plain values; other objects are pickled."""
        return to_pickle(self._attributes(), getattr(self, "_model", None), type(self).__name__)

    def __setstate__(self, state):
        """Restore the attributes and the model, on an available device."""
        attributes, model = from_pickle(state, type(self).__name__)
        self.__dict__.update(attributes)
        if model is not None:
            self._model = model

    def __copy__(self):
        """Return a shallow copy, which shares the model: nothing changes it."""
        copied = type(self).__new__(type(self))
        copied.__dict__.update({key: value for key, value in vars(self).items() if key != "_net"})
        return copied

    @property
    def net_(self) -> Any:
        """Trained skorch net."""
        if "_net" in vars(self):
            return self._net
        reason = "it is not fitted; call fit first"
        if self.__sklearn_is_fitted__():
            reason = (
                "a loaded, unpickled or copied classifier does not contain the skorch net that "
                "trained it; use history_, or fit again"
            )
        raise AttributeError(f"{type(self).__name__} has no net_: {reason}.")

    @property
    def columns_(self) -> dict[str, Any]:
        """Column of X of each role."""
        columns = self._column_report("columns_", "roles")
        features = self._model.reader.schema.features
        return columns if features is None else columns | {"features": list(features)}

    @property
    def ignored_columns_(self) -> np.ndarray:
        """Names of the columns of X that the classifier did not read."""
        names = self._column_report("ignored_columns_", "ignored_columns")
        return np.fromiter(names, dtype=object, count=len(names))

    def _column_report(self, attribute, method):
        """Return what the schema of the fit says of columns, or raise AttributeError."""
        if not self.__sklearn_is_fitted__():
            raise AttributeError(
                f"{type(self).__name__} has no {attribute}: it is not fitted; call fit first."
            )
        report = getattr(self._model.reader.schema, method)()
        if report is None:
            raise AttributeError(
                f"{type(self).__name__} has no {attribute}: its file was written by a version that "
                "kept the names of columns only if all were strings; fit again."
            )
        return report

    def _sk_visual_block_(self):
        """Return the block of this classifier in the HTML diagrams of scikit-learn."""
        return visual_block(self, describe_columns(self))

    def __sklearn_clone__(self):
        """Return a clone, which shares a frozen embedder: copies of it would fill the memory."""
        without = copy(self)
        without.embedder = None
        cloned = super(ContextMemoryClassifier, without).__sklearn_clone__()
        cloned.embedder = share_embedder(self.embedder)
        return cloned

    def __sklearn_is_fitted__(self):
        """Return whether the classifier is fitted, for `check_is_fitted`."""
        return "_model" in vars(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_label = True
        return tags


def score_accuracy(classifier, X, y, sample_weight, groups):
    """Return the accuracy of predictions, see ContextMemoryClassifier.score."""
    predicted = classifier.predict(X, groups=groups)
    sample_weight = as_table(sample_weight, "sample_weight")
    y = as_table(y, "y")
    if predicted.ndim == 2:  # which may be sparse
        y = find_labels(y, predicted.shape[0], None, classifier.classes_)[1]
    else:
        y = plain_labels(y)
    return float(accuracy_score(y, predicted, sample_weight=sample_weight))


def refuse_group_requests(routing):
    """Do not request `groups` in methods without a request: the groups are in X."""
    for method in METHODS_WITH_GROUPS:
        requests = getattr(routing, method, None)
        if requests is not None and requests.requests.get("groups") is None:
            requests.add_request(param="groups", alias=False)


def describe_columns(classifier):
    """Return a line on the columns that a classifier read and ignored; None without columns."""
    columns = getattr(classifier, "columns_", None)
    if not columns:
        return None
    features = columns.pop("features", [])
    line = "reads " + ", ".join(f"{name} ({role})" for role, name in columns.items())
    if features:
        line += f", {list_some(features)} (features)"
    if classifier._model.input_kind != "text":
        line += f" and {classifier.n_features_in_} features"
    if not hasattr(classifier, "ignored_columns_"):
        return line
    return f"{line}; ignores {list_some(classifier.ignored_columns_) or 'no column'}"


def list_some(names):
    """Return the first names of columns, and the number of others."""
    shown = ", ".join(map(str, names[:MAX_COLUMNS_SHOWN]))
    return shown + f" and {len(names) - MAX_COLUMNS_SHOWN} more" * (len(names) > MAX_COLUMNS_SHOWN)


def visual_block(classifier, line):
    """Return a block of scikit-learn's diagrams with a line below the name.

    It has the attributes of scikit-learn's own class, which has moved between versions. Estimators
    among the parameters, such as a vectorizer, are blocks beside one with the line.
    """
    name, params = type(classifier).__name__, classifier.get_params(deep=False)
    block = {"dash_wrapped": True, "doc_link_label": None, "name_caption": line}
    parts = {
        f"{key}: {type(value).__name__}": value
        for key, value in params.items()
        if hasattr(value, "get_params") and hasattr(value, "fit") and not isinstance(value, type)
    }
    if not parts:
        return SimpleNamespace(
            kind="single", estimators=classifier, names=name, name_details=str(classifier), **block
        )
    parts |= {} if line is None else {"columns": line}
    return SimpleNamespace(
        kind="parallel",
        estimators=list(parts.values()),
        names=list(parts),
        name_details=list(map(str, parts.values())),
        **block,
    )


def validated_params(classifier):
    """Validate and return the parameters of a classifier.

    Parameters
    ----------
    classifier : ContextMemoryClassifier
        The classifier.

    Returns
    -------
    params : SimpleNamespace
        Parameters by name, and the class name as `estimator_name`.

    Raises
    ------
    TypeError, ValueError
        If a parameter is invalid.
    """
    check_parameters(classifier, PARAMETER_CONSTRAINTS)
    check_embedder("embedder", classifier.embedder)
    check_feature_columns(classifier.feature_columns)
    check_transformer(classifier.feature_transformer, classifier.feature_columns)
    # by our own names: a subclass may have others
    names = ContextMemoryClassifier._get_param_names()
    params = {name: getattr(classifier, name) for name in names}
    return SimpleNamespace(**params, estimator_name=type(classifier).__name__)


def get_fit_result(classifier):
    """Return the result of the last fit of a classifier, None if it is not fitted."""
    if not classifier.__sklearn_is_fitted__():
        return None
    history, n_iter, reason = classifier.history_, classifier.n_iter_, classifier.stop_reason_
    return FitResult(classifier._model, history, n_iter, reason, stream=classifier._stream)


def fitted_attributes(result):
    """Return the attributes of a classifier with this fit result, by name."""
    model, schema = result.model, result.model.reader.schema
    attributes = {
        "n_features_in_": schema.n_features_in,
        "feature_names_in_": schema.feature_names_in,
        "_net": result.net,
    }
    return {name: value for name, value in attributes.items() if value is not None} | {
        "vectorizer_": model.reader.vectorizer,
        "scaler_": model.reader.scaler,
        "speakers_": model.reader.speakers,
        "embedder_": None if model.reader.dense is None else model.reader.dense.embedder,
        "classes_": model.classes,
        "temperature_": model.temperature,
        "n_iter_": result.n_iter,
        "stop_reason_": result.stop_reason,
        "history_": result.history,
        "_model": model,
        "_stream": result.stream,
    }


def set_fit_result(classifier, result):
    """Set the fitted attributes of a classifier; nothing else changes a fitted classifier."""
    attributes = fitted_attributes(result)
    classifier.__dict__.update(attributes)
    for name in OPTIONAL_ATTRIBUTES:
        if name not in attributes:
            classifier.__dict__.pop(name, None)
