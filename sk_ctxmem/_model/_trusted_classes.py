"""The classes whose objects a model file may hold, and what they may be set to in one.

Whoever makes a file chooses every parameter in it. Those that read other files, start processes
or may never come to an end are held to what is harmless, when a file is written and when it is
read.
"""

import re
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import MaxAbsScaler, Normalizer, StandardScaler

from .._features._scaler import RowNormScaler
from .._features._vectorizer import NGRAM_CLASSES, TextSequenceVectorizer

TRUSTED_CLASSES = NGRAM_CLASSES | {
    cls.__name__: cls
    for cls in (
        CountVectorizer,
        FeatureUnion,
        HashingVectorizer,
        MaxAbsScaler,
        Normalizer,
        Pipeline,
        RowNormScaler,
        StandardScaler,
        TextSequenceVectorizer,
        TfidfTransformer,
        TfidfVectorizer,
    )
}
# Reading files, pickles in a cache, processes, and changes of the X that is passed are nothing that
# a file should bring about.
FIXED = {"input": "content", "memory": None, "n_jobs": None, "copy": True}
ANALYZERS = ("word", "char", "char_wb")
LONGEST_NGRAM = 100
MOST_COLUMNS = 2**31 - 1
LONGEST_PATTERN, MOST_REPEATS = 200, 2


def check_safe_params(value):
    """Raise ValueError if an object of a known class is set to what no file may ask for."""
    if not isinstance(value, BaseEstimator):
        return
    parameters = value.get_params(deep=False)
    for name, harmless in FIXED.items():
        if parameters.get(name, harmless) != harmless:
            raise ValueError(
                f"{name}={parameters[name]!r:.60} must be {harmless!r}: files that others read "
                "must not have another value."
            )
    if isinstance(value, CountVectorizer | HashingVectorizer):
        _check_vectorizer(value)
    if isinstance(value, TfidfTransformer) and hasattr(value, "idf_"):
        _check_weights(value.idf_, value.n_features_in_)


def _check_vectorizer(value):
    """Check what decides how long a vectorizer works, and which columns it makes."""
    shortest, longest = value.ngram_range
    are_integers = isinstance(shortest, Integral) and isinstance(longest, Integral)
    if not are_integers or not 1 <= shortest <= longest <= LONGEST_NGRAM:
        raise ValueError(
            f"ngram_range={value.ngram_range!r:.60} must be a pair from 1 to {LONGEST_NGRAM}."
        )
    if value.analyzer not in ANALYZERS:
        raise ValueError(f"analyzer={value.analyzer!r:.60} must be one of {ANALYZERS}.")
    if value.token_pattern is not None and not is_bounded_regex(value.token_pattern):
        raise ValueError(
            f"token_pattern={value.token_pattern!r:.60} must be a pattern without groups and of "
            f"at most {MOST_REPEATS} repetitions: others may take for ever on some texts."
        )
    if isinstance(value, HashingVectorizer):
        if not 1 <= value.n_features <= MOST_COLUMNS:
            raise ValueError(f"n_features={value.n_features!r:.60} is no number of columns.")
    elif hasattr(value, "vocabulary_"):
        _check_vocabulary(value.vocabulary_)
        if isinstance(value, TfidfVectorizer) and value.use_idf:
            _check_weights(value.idf_, len(value.vocabulary_))


def is_bounded_regex(pattern):
    """Tell whether a regular expression is seen to take little time on every text.

    Without groups nothing can be repeated that is repeated inside, and with two repetitions the
    time is at most the cube of the length of a text.
    """
    if not isinstance(pattern, str) or len(pattern) > LONGEST_PATTERN:
        return False
    bare = re.sub(r"\\.", "x", pattern.removeprefix("(?u)"), flags=re.DOTALL)
    bare = re.sub(r"\[\^?\]?[^\]]*\]", "x", bare)
    return "(" not in bare and len(re.findall(r"[*+?{]", bare)) <= MOST_REPEATS


def _check_weights(weights, n_columns):
    """Raise unless there is a weight for each column."""
    if np.shape(weights) != (n_columns,):
        raise ValueError(f"idf_ has the shape {np.shape(weights)}, not ({n_columns},).")


def _check_vocabulary(numbers):
    """Raise unless words are numbered from 0 without gaps.

    Sparse matrices with entries outside of them have scipy write where it should not.
    """
    if sorted(numbers.values()) != list(range(len(numbers))):
        raise ValueError("The words of vocabulary_ are not numbered from 0 without gaps.")
