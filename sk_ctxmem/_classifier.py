"""ContextMemoryClassifier: the estimator around the network.

Longer than other files, because half of it is the documentation of parameters and methods.
"""

import warnings
from numbers import Integral, Real

import numpy as np
import torch
from scipy import sparse
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from ._doc_links import API_PAGE, doc_link
from ._explain import ExplanationMixin
from ._features._sequences import TextSequences
from ._features._vectorizer import TextSequenceVectorizer
from ._input._parameters import Choice, Flag, Number, Seed
from ._input._rows import InputRows, read_rows, unchanged_on_error
from ._model._file import ModelFileMixin
from ._model._predict import predict_logits
from ._rows._arrange import build_row_set
from ._sessions import SessionMixin
from ._training._fit import FittingMixin
from ._training._partial_fit import PartialFitMixin
from ._training._sklearn_callbacks import CallbackSupportMixin
from .exceptions import MissingGroupsWarning


class ContextMemoryClassifier(
    FittingMixin,
    PartialFitMixin,
    ModelFileMixin,
    SessionMixin,
    ExplanationMixin,
    CallbackSupportMixin,
    ClassifierMixin,
    BaseEstimator,
):
    """Text classifier with memory across the rows of a conversation or document.

    Each row is encoded by its n-grams, a recurrent memory runs over the rows of its group in
    their order, attention looks back at the rows around it, and a linear path on the n-grams
    says what logistic regression would say; the class of the row before counts too, with the
    probability that it was predicted with. Without groups each row stands alone: it is encoded,
    and beside it is the linear path.

    Parameters
    ----------
    vectorizer : transformer or None, default=None
        What turns texts into features; None for a :class:`TextSequenceVectorizer`. Any of
        scikit-learn's text vectorizers will do. Not used where X holds features already.

    memory : {"gru", "elman", "lstm", "mingru"}, default="gru"
        Kind of the memory over the rows of a group: gated recurrent unit, plain recurrence,
        long short-term memory, or gated linear recurrence, which is computed by a scan.

    context : {"past", "both", "none"}, default="past"
        Which other rows of the group a row sees: those before it, as in a live conversation;
        also those after it, for finished documents; or none.

    word_memory : bool, default=False
        Whether a second memory runs over the words inside each text. It needs texts, and takes
        several times as long.

    hidden_size : int, default=128
        Width of encodings and memories; half of it for the encodings of rows that stand alone.

    dropout : float, default=0.2
        Share of features, encodings, memories and attended values that training hides.

    max_epochs : int, default=4
        Number of passes over the training rows, unless stopped early. The rates of the
        optimiser decay to a fiftieth over this number.

    batch_size : int, default=384
        Largest number of rows in a step. On fewer than 19,200 rows smaller batches are taken,
        so that an epoch has 50 steps.

    learning_rate : float, default=0.006
        Initial rate of AdamW; one and a half times that where rows stand alone. The tables of
        sparse features are trained by plain SGD, whose rate follows from the data.

    validation_fraction : float, default=0.1
        Share of the rows that is held out to choose the best epoch, where `n_iter_no_change` is
        a number; a group is never cut. If that would be fewer than 10 rows, all rows are trained
        on and all epochs are run.

    n_iter_no_change : int or None, default=None
        Number of epochs without a better score on the rows held out, after which training
        stops and the weights of the best epoch are restored. None runs all epochs and trains on
        all rows, on those that tell `temperature_` in the last epoch alone; where rows see one
        another, the mean of the weights over the ends of the epochs from the second on is kept.

    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, as in scikit-learn.

    text_column : str or None, default=None
        Column of a DataFrame that holds the texts. None if there is only one other column, or
        if the other columns are numeric features.

    group_column : str or None, default=None
        Column that says which conversation or document a row belongs to.

    order_column : str or None, default=None
        Column that orders the rows of a group: numbers, dates or ordered categories. Strings
        sort by the alphabet, "10" before "9". None for their order in X.

    speaker_column : str or None, default=None
        Column that says who speaks, or any other role of a row.

    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, the held-out rows, the shuffling and the dropout.

    device : str, default="auto"
        Device of torch, such as "cpu" or "cuda:0"; "auto" takes a GPU if there is one.

    warm_start : bool, default=False
        Whether fit goes on from the weights of the last fit, with its vectorizer.

    verbose : int, default=0
        Whether to show a progress bar, on standard error or in the notebook: the epoch, the loss
        so far in it, scores, rows per second and the time left; at the end, why training ended.

    checkpoint : str, path-like or None, default=None
        Folder in which fit keeps, after each epoch, what it needs to go on. Killed and started
        again with the same rows and parameters, it goes on after the last whole epoch, and ends
        in the same weights, bit for bit. A fit that comes to its end removes its file. Fits of
        other rows or parameters have files of their own: a search can have one folder. Needs a
        `random_state`.

    callbacks : list of skorch.callbacks.Callback or None, default=None
        What is told of batches and epochs: to write to TensorBoard or MLflow, or to stop a trial of
        Optuna. Each fit takes copies that share what they hold, such as a writer. They see the
        losses and scores of `history_` in ``net.history``; one that raises KeyboardInterrupt ends
        training after the epoch or, from the second on, the batch. Pickles have them if they can
        be pickled; files of `save` have not, and a `checkpoint` keeps nothing of theirs.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.

    n_features_in_ : int
        Number of columns of X, of a frame of numbers only those without a role; not there if X
        was a list or a Series of texts.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns of X; only there if they are all strings.

    n_iter_ : int
        Number of epochs that were run.

    temperature_ : float
        What the logits are divided by, so that probabilities come true as often as they say. It
        is measured on rows that the network had not been trained on: those that early stopping
        holds out, or else a twentieth of the rows, in whole groups and at most 2,000, which join
        the others in the last epoch. Without early stopping it is 1 on fewer than 2,000 rows and
        for fewer than three epochs. A warm start keeps it.

    history_ : DataFrame of shape (n_epochs, 5)
        Columns epoch, train_loss, valid_loss, valid_score (accuracy) and seconds; the valid
        columns are NaN where no row was held out.

    stop_reason_ : str
        Why training ended, such as "all 4 epochs done", "no better valid_score than 0.872
        (epoch 3) for 2 epochs", or "interrupted by Ctrl-C after epoch 2". Empty after `load` of a
        file from before there was this attribute.

    vectorizer_ : transformer or None
        The fitted vectorizer; None if X held features.

    scaler_ : transformer or None
        What scales the features.

    speakers_ : dict
        Number of each speaker that occurs in two groups or more.

    See Also
    --------
    TextSequenceVectorizer : The vectorizer for texts, for a step of its own in a Pipeline.

    Notes
    -----
    The memory follows e_i = σ(W1 x_i + b1), m_i = σ(W2 e_i + W3 m_{i-1} + b2) and
    d_i = softmax(W4 m_i + b3) to the letter with ``memory="elman"``, with the logits of
    attention, of the linear path and of the class before added inside the softmax. The other
    kinds put a gated cell in the place of the second formula.

    Rows of a group need not be adjacent. Predictions come back in the order of X. In
    ``context="past"`` the probabilities of a row do not depend on later rows, but for rounding
    in single precision, of about 1e-7.

    A split into train and test must not cut a group: use
    :class:`~sklearn.model_selection.StratifiedGroupKFold`, or scores will be too high.

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
    _legal_values = {
        "memory": Choice("gru", "elman", "lstm", "mingru"),
        "context": Choice("past", "both", "none"),
        "word_memory": Flag(),
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

    def __init__(
        self,
        vectorizer=None,
        *,
        memory="gru",
        context="past",
        word_memory=False,
        hidden_size=128,
        dropout=0.2,
        max_epochs=4,
        batch_size=384,
        learning_rate=0.006,
        validation_fraction=0.1,
        n_iter_no_change=None,
        class_weight=None,
        text_column=None,
        group_column=None,
        order_column=None,
        speaker_column=None,
        random_state=None,
        device="auto",
        warm_start=False,
        verbose=0,
        checkpoint=None,
        callbacks=None,
    ):
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
        self.random_state = random_state
        self.device = device
        self.warm_start = warm_start
        self.verbose = verbose
        self.checkpoint = checkpoint
        self.callbacks = callbacks

    def set_params(self, **params):
        """Set parameters, also those of the vectorizer as ``vectorizer__<name>``.

        Parameters
        ----------
        **params : dict
            Parameters by name.

        Returns
        -------
        self : ContextMemoryClassifier
            The classifier itself.
        """
        # The default vectorizer has parameters too: a search over them must not need its name.
        is_default = params.get("vectorizer", self.vectorizer) is None
        if is_default and any(name.startswith("vectorizer__") for name in params):
            params = params | {"vectorizer": TextSequenceVectorizer()}
        return super().set_params(**params)

    def fit(self, X, y, sample_weight=None, groups=None):
        """Train on texts or features.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Texts; or a DataFrame with the columns named in the parameters; or features, dense
            or sparse, of shape (n_rows, n_features).

        y : array-like of shape (n_rows,)
            Classes, of any kind.

        sample_weight : array-like of shape (n_rows,) or None, default=None
            Weights of the rows. A row of weight 0 still is context for others.

        groups : array-like of shape (n_rows,) or None, default=None
            Which conversation or document each row belongs to, if no column says so.

        Returns
        -------
        self : ContextMemoryClassifier
            The fitted classifier.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the input is not legal; the message says what is.
        TrainingDivergedError
            If the loss becomes infinite or NaN.
        MemoryError
            If there is too little memory; the message says what to make smaller.

        Warns
        -----
        TrainingInterruptedWarning
            If Ctrl-C (SIGINT) came in training: it stops after the batch, and the classifier is
            fitted with the best weights until then, as MLPClassifier of scikit-learn does. Before
            the end of the first epoch, and if it comes twice in a batch, it is a
            KeyboardInterrupt, and the classifier stays as it was.
        """
        with unchanged_on_error(self):
            if self._fit(X, y, sample_weight, groups):
                self._warn_of_interrupt()
        return self

    def predict(self, X, groups=None):
        """Predict the class of each row.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows of the kind that the classifier was fitted on.

        groups : array-like of shape (n_rows,) or None, default=None
            Which conversation or document each row belongs to, if no column says so.

        Returns
        -------
        y : ndarray of shape (n_rows,)
            Predicted classes.

        Raises
        ------
        TypeError, ValueError
            If X is not of the kind that the classifier was fitted on, or comes with groups that
            fit knew nothing of; the message says what to do.
        """
        logits = self._predict_logits(X, groups)
        return self.classes_[logits.argmax(axis=1)]

    def predict_proba(self, X, groups=None):
        """Predict the probability of each class.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows of the kind that the classifier was fitted on.

        groups : array-like of shape (n_rows,) or None, default=None
            Which conversation or document each row belongs to, if no column says so.

        Returns
        -------
        probabilities : ndarray of shape (n_rows, n_classes)
            In the order of `classes_`.
        """
        return softmax(self._predict_logits(X, groups), axis=1)

    def predict_log_proba(self, X, groups=None):
        """Predict the logarithm of the probability of each class.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows of the kind that the classifier was fitted on.

        groups : array-like of shape (n_rows,) or None, default=None
            Which conversation or document each row belongs to, if no column says so.

        Returns
        -------
        log_probabilities : ndarray of shape (n_rows, n_classes)
            In the order of `classes_`.
        """
        return log_softmax(self._predict_logits(X, groups), axis=1)

    def decision_function(self, X, groups=None):
        """Return the logits, whose softmax is the prediction.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows of the kind that the classifier was fitted on.

        groups : array-like of shape (n_rows,) or None, default=None
            Which conversation or document each row belongs to, if no column says so.

        Returns
        -------
        scores : ndarray of shape (n_rows, n_classes), or (n_rows,) for two classes
            Logits; of two classes, that of the second less that of the first.
        """
        logits = self._predict_logits(X, groups)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def score(self, X, y, sample_weight=None, groups=None):
        """Return the accuracy on rows whose classes are known.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows of the kind that the classifier was fitted on.

        y : array-like of shape (n_rows,)
            Their classes.

        sample_weight : array-like of shape (n_rows,) or None, default=None
            Weights of the rows.

        groups : array-like of shape (n_rows,) or None, default=None
            Which conversation or document each row belongs to, if no column says so.

        Returns
        -------
        accuracy : float
            Share of the rows, or of their weight, that is predicted rightly.
        """
        predicted = self.predict(X, groups=groups)
        return float(accuracy_score(y, predicted, sample_weight=sample_weight))

    def _check_kind(self, inputs):
        """Raise if the input is of another kind than that of fit."""
        if inputs.kind != self._input_kind:
            names = {"text": "texts", "features": "features", "sequences": "TextSequences"}
            raise ValueError(
                f"X holds {names[inputs.kind]}, but the classifier was fitted on "
                f"{names[self._input_kind]}; pass the same kind of input to fit and predict."
                + doc_link("kinds-of-input")
            )

    def _vectorize(self, inputs):
        """Turn texts into features by the fitted vectorizer."""
        if inputs.kind == "text":
            return self.vectorizer_.transform(inputs.values)
        return inputs.values

    def _arrange(self, inputs, values, reading):
        return build_row_set(inputs, values, self.scaler_, self.speakers_, **reading)

    def _set_network(self, network, device):
        """Keep a trained network, ready to predict."""
        self._device = device
        self.__dict__.pop("_shared_model", None)  # or the network before would stay in memory
        # Rows that stand alone are cheap, and in double precision the probabilities of a row do
        # not depend on its batch at all; with a memory they are equal to about 1e-6.
        if network.memory is None and not self._device.startswith("mps"):  # which has no doubles
            network.set_dense_dtype(torch.float64)
        self._network = network.to(self._device).eval()

    def _predict_logits(self, X, groups):
        check_is_fitted(self)
        inputs = read_rows(self, X, groups, self._columns, reset=False)
        self._check_kind(inputs)
        self._check_groups(inputs)
        rows = self._arrange(inputs, self._vectorize(inputs), self._reading)
        return predict_logits(self._network, rows, self._device) / self.temperature_

    def _check_groups(self, inputs):
        """Warn of missing groups, and raise if there are some that fit knew nothing of."""
        if inputs.groups is None:
            if self._reading["context"] != "none":
                warnings.warn(
                    "The classifier was fitted with groups, but X comes without: each row is "
                    "taken for a conversation of its own. Pass groups= to predict too, or fit "
                    "with group_column= so that the ids travel in X." + doc_link("missing-groups"),
                    MissingGroupsWarning,
                    stacklevel=4,
                )
        elif self._wants_context and not self._has_groups:
            raise ValueError(
                "The classifier was fitted without groups, so that it has no memory of other "
                "rows, but X comes with groups now; pass groups to fit too, or none to predict, or "
                "fit with context='none' if rows are to stand alone."
                + doc_link("groups-only-in-predict")
            )

    def _smoke_test(self):
        """Predict a row made up, which fails where what was learned does not fit together."""
        width = 1 if self._input_kind == "text" else self.n_features_in_
        no_features = sparse.csr_array((1, width), dtype=np.float32)
        one_row = {
            "text": lambda: ["a b"],
            "features": lambda: no_features if self._sizes["sparse"] else np.zeros((1, width)),
            "sequences": lambda: TextSequences(no_features, np.zeros(1, int), np.array([0, 1]), 1),
        }[self._input_kind]()
        one_id = np.array(["a"], dtype=object)
        speakers = None if self._columns["speaker"] is None else one_id
        inputs = InputRows(self._input_kind, one_row, groups=one_id, speakers=speakers)
        rows = self._arrange(inputs, self._vectorize(inputs), self._reading)
        predict_logits(self._network, rows, self._device)

    def __copy__(self):
        """Return a copy that shares what was learned, which nothing changes in place."""
        copied = type(self).__new__(type(self))
        copied.__dict__.update(vars(self))
        return copied

    def __sklearn_is_fitted__(self):
        """Tell check_is_fitted whether there is a network."""
        return getattr(self, "_network", None) is not None

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.sparse = True
        return tags
