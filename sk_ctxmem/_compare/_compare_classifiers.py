"""compare_classifiers: context memory against tuned linear baselines, and models of the user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd


def compare_classifiers(
    X: Any,
    y: Any,
    *,
    text_column: Any = None,
    group_column: Any = None,
    order_column: Any = None,
    speaker_column: Any = None,
    models: Sequence[str] | None = None,
    estimators: Mapping[str, Any] | None = None,
    cv: Any = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    random_state: Any = None,
) -> pd.DataFrame:
    """Compare context memory with tuned linear baselines on your data.

    All models are fitted and tested on the same folds: whole groups if there are groups, samples
    with the same share of each class if not. Baselines are tuned within the training rows of each
    fold: a fifth of them, in whole groups, decides between five values of C, and the best one is
    fitted on all training rows.

    Parameters
    ----------
    X : {list, ndarray, Series, DataFrame} of n_rows
        Texts, or rows with a column of texts.

    y : array-like of shape (n_rows,)
        Class of each row.

    text_column : str or None, default=None
        Column of the texts. None if it is the only one without a role, or if X consists of texts.

    group_column : str or None, default=None
        Column of the groups, such as the id of a conversation or document.

    order_column : str or None, default=None
        Column of the order of rows within their group. If None, they are in the order of X.

    speaker_column : str or None, default=None
        Column of the speakers, which context memory reads.

    models : list of str or None, default=None
        Some of

        - "lr": logistic regression on TF-IDF of words and pairs of words. Where it would take
          minutes, it is trained by SGD, with seven values of alpha.
        - "lr-window": the same on the features of two rows before and after a row too, see
          :class:`WindowTfidfVectorizer`. It needs groups.
        - "svm": a linear SVM on words, pairs of words and n-grams of characters.
        - "context-memory": :class:`ContextMemoryClassifier` with its defaults. With groups, this
          stands for three models with different contexts, "context-memory (past)",
          "context-memory (both)" and "context-memory (none)", each of which may be named itself.
        - "context-memory (tuned)": :class:`ContextMemoryClassifierCV`, with the context on both
          sides if there are groups. It takes ten times as long as the one with the defaults.

        None for all that suit the data.

    estimators : dict of str to classifier or None, default=None
        Classifiers of your own, by the name that they have in the table. They are cloned, and read
        X as it is: for a DataFrame, begin a Pipeline with a
        :class:`~sklearn.compose.ColumnTransformer` or a :class:`WindowTfidfVectorizer`.

    cv : int, splitter, iterable or None, default=None
        Folds. If None or an integer, 5 or this number of folds, but no more than there are groups.

    n_jobs : int or None, default=None
        Number of models to fit at a time, as in joblib. Times are those of a busy machine then.

    verbose : int, default=0
        Whether to show a progress bar on standard error.

    random_state : int, RandomState instance or None, default=None
        Seed of the folds and models. The same seed gives the same table but for the times.

    Returns
    -------
    table : DataFrame
        A row for each model, with the columns

        - model: the name.
        - accuracy: share of right predictions on all test rows, each of which is in the test part
          of one fold; std: standard deviation over the folds.
        - macro_f1: F1 averaged over classes, then over folds.
        - ece: expected calibration error of the largest probability on all test rows. NaN for
          models without probabilities.
        - difference, low, high: accuracy minus that of the best baseline, and its 95 % interval by
          a paired bootstrap over whole groups. NaN for the best baseline itself. It is the most
          accurate one on the same rows, which slightly favors the baselines.
        - fit_seconds, search_seconds: mean time of a fit, and of the search before it.
        - predict_rows_per_second: speed of `predict`.

        ``table.attrs["conclusion"]`` says in words whether context pays;
        `attrs` also has baseline (its name), n_rows, n_groups and n_folds.

    Raises
    ------
    TypeError, ValueError
        If a parameter is invalid, X does not consist of texts, or the rows cannot be split.
    KeyboardInterrupt
        If Ctrl-C comes before any model was tested.

    Warns
    -----
    TrainingInterruptedWarning
        If Ctrl-C ended the comparison: the table is that of the folds so far.
    FitFailedWarning
        If an estimator of yours failed. It is left out of the table.

    See Also
    --------
    sk_ctxmem.inspection.ComparisonDisplay : Draws the table.
    WindowTfidfVectorizer : Features for linear models that read neighbours.

    Examples
    --------
    >>> from sk_ctxmem import compare_classifiers
    >>> texts = ["good film", "bad film", "good", "bad"] * 10
    >>> table = compare_classifiers(texts, ["+", "-"] * 20, models=["lr", "svm"], cv=2)
    >>> table[["model", "accuracy"]]
      model  accuracy
    0    lr       1.0
    1   svm       1.0
    """
    from ._run import run_comparison  # imports skorch and scipy.stats, which take long

    columns = {
        "text": text_column,
        "group": group_column,
        "order": order_column,
        "speaker": speaker_column,
    }
    estimators = {} if estimators is None else estimators
    options = {"models": models, "estimators": estimators, "cv": cv, "n_jobs": n_jobs}
    return run_comparison(X, y, columns, **options, verbose=verbose, random_state=random_state)
