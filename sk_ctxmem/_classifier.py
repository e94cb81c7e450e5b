"""ContextMemoryClassifier: the estimator around the network.

Longer than other files, because most of it is the documentation of parameters and methods.
"""

from numbers import Integral, Real
from types import SimpleNamespace

import numpy as np
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from ._explain import explain
from ._features._vectorizer import TextSequenceVectorizer
from ._input._parameters import Choice, Flag, Number, Seed, check_parameters
from ._messages import API_PAGE
from ._model._file import from_pickle, model_file_errors, read_model, to_pickle, write_model
from ._model._fitted_model import FitResult, fitted_model
from ._sessions import open_session, open_sessions

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn before 1.9, where there are no callbacks
    CallbackSupportMixin = type("CallbackSupportMixin", (), {})

    def with_callbacks(method):
        """Return the method as it is."""
        return method


NOT_KEPT = {"_model", "_net"}  # by pickles, which have the model in another form
OPTIONAL = ("n_features_in_", "feature_names_in_", "_net")
LEGAL_VALUES = {
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


class ContextMemoryClassifier(CallbackSupportMixin, ClassifierMixin, BaseEstimator):
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
        skorch callbacks, for example to clip gradients, schedule the learning rates, write to
        TensorBoard or MLflow, or prune trials of Optuna. Each fit uses copies, which share the
        objects that they were made with, such as a writer. A callback that raises
        KeyboardInterrupt ends training after the epoch or, from the second epoch on, the batch.
        Pickles include callbacks if they can be pickled; files written by `save` do not, and a
        `checkpoint` keeps nothing of them. See :ref:`progress`.

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

    net_ : skorch.NeuralNet
        The trained net of skorch, to be read: `history` and `module_`. It holds no rows. Only there
        after `fit` and `partial_fit`, not after `load`, pickle or copy.

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
        from ._training._fit import warn_if_interrupted  # skorch is for training alone

        result = self._fit(X, y, sample_weight, groups)
        warn_if_interrupted(result, checked_params(self))
        return self

    @with_callbacks
    def _fit(self, X, y, sample_weight, groups):
        """Fit, keep the result, and return it."""
        from ._training._fit import fit_model
        from ._training._sklearn_callbacks import FitTasks

        params, tasks = checked_params(self), None
        if hasattr(self, "_init_callback_context"):
            context = self._init_callback_context(max_subtasks=int(params.max_epochs))
            if hasattr(self, "_skl_callbacks"):
                # Scorers of scikit-learn fail on groups; without them our predict warns.
                metadata = None if sample_weight is None else {"sample_weight": sample_weight}
                data = {"X": X, "y": y, "metadata": metadata}
                tasks = FitTasks(self, context, data, fitted_attributes)
        start = fit_result(self) if params.warm_start and self.__sklearn_is_fitted__() else None
        result = fit_model(X, y, sample_weight, groups, params, start=start, tasks=tasks)
        keep_result(self, result)
        if tasks is not None:
            tasks.end(result)
        return result

    def partial_fit(self, X, y, classes=None, sample_weight=None, groups=None):
        """Train one epoch on a chunk of rows.

        The first chunk decides which n-grams and speakers are known, and is all that the rates
        of training are found from: let it be large, and like the others. Chunks are to be passed
        several times for the accuracy of `fit`, in any order, and must not cut a group: see
        :func:`sk_ctxmem.whole_groups`. After `fit` or `load` training goes on from there.

        Parameters
        ----------
        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Texts; or a DataFrame with the columns named in the parameters; or features, dense
            or sparse, of shape (n_rows, n_features).

        y : array-like of shape (n_rows,)
            Their classes. A chunk may lack some.

        classes : array-like of shape (n_classes,) or None, default=None
            All classes that any chunk has; needed in the first call only.

        sample_weight : array-like of shape (n_rows,) or None, default=None
            Weights of the rows, taken as they are: they should be about 1 on the average.

        groups : array-like of shape (n_rows,) or None, default=None
            Which conversation or document each row belongs to, if no column says so.

        Returns
        -------
        self : ContextMemoryClassifier
            The classifier, which can predict after every call.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the input is not legal, or y has a class that is not known.
        TrainingDivergedError
            If the loss becomes infinite or NaN.

        Notes
        -----
        The parameters `max_epochs`, `n_iter_no_change`, `validation_fraction`, `checkpoint`,
        `warm_start` and `verbose` play no part, and those that shape the network or say how rows
        are read, such as `hidden_size` and `group_column`, only in the first call, as does
        `batch_size`. `history_` has a row for each call. Rates do not
        decay, and what predicts is a running mean of the weights. No rows are left to tell a
        temperature: `temperature_` is 1, or what `fit` found. One of `callbacks` that ends
        training has no effect but on `stop_reason_`, as a call is one epoch. What training needs
        to go on is kept in pickles, but not in the files of `save`: after `load`, the optimiser
        begins anew.
        """
        from ._training._partial_fit import partial_fit_model

        start = fit_result(self) if self.__sklearn_is_fitted__() else None
        params = checked_params(self)
        result = partial_fit_model(X, y, classes, sample_weight, groups, params, start=start)
        keep_result(self, result)
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
        logits = fitted_model(self).logits(X, groups)
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
        return softmax(fitted_model(self).logits(X, groups), axis=1)

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
        return log_softmax(fitted_model(self).logits(X, groups), axis=1)

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
        logits = fitted_model(self).logits(X, groups)
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
        return explain(fitted_model(self), X, target, groups, rows=rows, method=method)

    def session(self, state=None, *, keep_texts=False):
        """Begin a live conversation, or go on with one.

        The classifier must have been fitted with groups and ``context="past"``. It can serve any
        number of sessions, which do not change it; a later fit does not change them.

        Parameters
        ----------
        state : dict of str to ndarray, or None, default=None
            What :meth:`ContextSession.state` returned, to go on from there; None for a new
            conversation.

        keep_texts : bool, default=False
            Whether the session keeps the texts, for `history_` and in its state.

        Returns
        -------
        session : ContextSession
            The conversation.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If its rows see later rows or none, or the state is damaged or of another model.
        """
        return open_session(fitted_model(self), state, keep_texts=keep_texts)

    def sessions(self, n_sessions):
        """Begin many live conversations that are advanced together.

        Parameters
        ----------
        n_sessions : int
            Their number.

        Returns
        -------
        sessions : ContextSessions
            The conversations.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If its rows see later rows or none.
        """
        return open_sessions(fitted_model(self), n_sessions)

    def save(self, path):
        """Write the fitted classifier to a file that holds data only.

        Nothing in it is run when it is loaded, whoever wrote it. It is a zip of ``config.json``,
        ``vocabulary.json``, ``weights.safetensors`` and a ``manifest.json`` with their checksums,
        the version of the format, and the versions of what wrote it. An older file of this name
        stays whole until the new one is complete.

        It has all parameters but `checkpoint` and `callbacks`, and neither requests for metadata
        nor what `partial_fit` needs to go on.

        Parameters
        ----------
        path : str or path-like
            The file.

        Raises
        ------
        NotFittedError
            If there is nothing to save yet.
        TypeError
            If something is not plain data, such as a vectorizer of another class or with a
            function as a parameter, or asks for what a file must not; the message names it.
        OSError
            If the file cannot be written.

        See Also
        --------
        load : Reads it.
        """
        check_is_fitted(self)
        write_model(path, type(self).__name__, self.get_params(deep=False), fit_result(self))

    @classmethod
    def load(cls, path):
        """Read a fitted classifier from a file written by `save`.

        Parameters
        ----------
        path : str or path-like
            The file.

        Returns
        -------
        classifier : ContextMemoryClassifier
            It predicts as the one that was saved, on the GPU or CPU that there is.

        Raises
        ------
        ModelFileError
            If the file is damaged, is none of ours, or is of a later format.
        OSError
            If it cannot be opened.
        """
        with model_file_errors(path):
            params, result = read_model(path, cls.__name__, cls._get_param_names())
            classifier = cls(**params)
            check_parameters(classifier, LEGAL_VALUES)
        keep_result(classifier, result)
        return classifier

    def __getstate__(self):
        """Return arrays and plain values, and the objects of classes that are not known here."""
        attributes = {name: value for name, value in vars(self).items() if name not in NOT_KEPT}
        return to_pickle(attributes, getattr(self, "_model", None), type(self).__name__)

    def __setstate__(self, state):
        """Rebuild everything, on the device that there is now."""
        attributes, model = from_pickle(state, type(self).__name__)
        self.__dict__.update(attributes)
        if model is not None:
            self._model = model

    @property
    def net_(self):
        """The trained net of skorch."""
        if "_net" in vars(self):
            return self._net
        reason = "it is not fitted yet; call fit first"
        if self.__sklearn_is_fitted__():
            reason = (
                "a classifier that was loaded, unpickled or copied keeps the network, but not the "
                "net of skorch that trained it; read history_, or fit again"
            )
        raise AttributeError(f"{type(self).__name__} has no net_: {reason}.")

    def __sklearn_is_fitted__(self):
        """Tell check_is_fitted whether there is a network."""
        return "_model" in vars(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.sparse = True
        return tags


def checked_params(classifier):
    """Return the parameters of a classifier, each a legal value.

    Parameters
    ----------
    classifier : ContextMemoryClassifier
        The classifier.

    Returns
    -------
    params : SimpleNamespace
        The parameters by name, and the name of the class as `estimator_name`.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not legal; the message says what is.
    """
    check_parameters(classifier, LEGAL_VALUES)
    params = classifier.get_params(deep=False)
    return SimpleNamespace(**params, estimator_name=type(classifier).__name__)


def fit_result(classifier):
    """Return what a fitted classifier has kept of its fits."""
    history, n_iter, reason = classifier.history_, classifier.n_iter_, classifier.stop_reason_
    return FitResult(classifier._model, history, n_iter, reason, stream=classifier._stream)


def fitted_attributes(result):
    """Return the attributes of a classifier that has this result of a fit."""
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
        "classes_": model.classes,
        "temperature_": model.temperature,
        "n_iter_": result.n_iter,
        "stop_reason_": result.stop_reason,
        "history_": result.history,
        "_model": model,
        "_stream": result.stream,
    }


def keep_result(classifier, result):
    """Give a classifier what a fit has learned: the one place where its state changes."""
    for name in OPTIONAL:
        classifier.__dict__.pop(name, None)
    classifier.__dict__.update(fitted_attributes(result))
