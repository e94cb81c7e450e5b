"""Trusted classes of model files, and checks of their parameters.

The parameters in a file may be chosen by an attacker. Parameters that read other files, start
processes or may not terminate are restricted to safe values, both on saving and on loading.
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

from .._features._heavy_columns import HeavyColumnScaler
from .._features._scaler import RowNormScaler
from .._features._vectorizer import NGRAM_CLASSES, TextSequenceVectorizer

TRUSTED_CLASSES = NGRAM_CLASSES | {
    cls.__name__: cls
    for cls in (
        CountVectorizer,
        FeatureUnion,
        HashingVectorizer,
        HeavyColumnScaler,
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
# Other values would read files, unpickle a cache, start processes, or modify the X of the user.
SAFE_VALUES = {"input": "content", "memory": None, "n_jobs": None, "copy": True}
ANALYZERS = ("word", "char", "char_wb")
MAX_NGRAM_LENGTH = 100
MAX_COLUMNS = 2**31 - 1
MAX_PATTERN_LENGTH, MAX_REPEATS = 200, 2


def check_safe_params(value):
    """Raise ValueError if a trusted class has a parameter value that is not allowed in files."""
    if not isinstance(value, BaseEstimator):
        return
    parameters = value.get_params(deep=False)
    for name, safe in SAFE_VALUES.items():
        if parameters.get(name, safe) != safe:
            raise ValueError(
                f"{name}={parameters[name]!r:.60} must be {safe!r}: other values are not allowed "
                "in model files."
            )
    if isinstance(value, CountVectorizer | HashingVectorizer):
        _check_vectorizer(value)
    if isinstance(value, TextSequenceVectorizer):
        _check_pattern(value.token_pattern)
    if isinstance(value, TfidfTransformer) and hasattr(value, "idf_"):
        _check_weights(value.idf_, value.n_features_in_)


def _check_vectorizer(value):
    """Check the parameters that determine the run time of a vectorizer, and its columns."""
    shortest, longest = value.ngram_range
    are_integers = isinstance(shortest, Integral) and isinstance(longest, Integral)
    if not are_integers or not 1 <= shortest <= longest <= MAX_NGRAM_LENGTH:
        raise ValueError(
            f"ngram_range={value.ngram_range!r:.60} must be a pair from 1 to {MAX_NGRAM_LENGTH}."
        )
    if value.analyzer not in ANALYZERS:
        raise ValueError(f"analyzer={value.analyzer!r:.60} must be one of {ANALYZERS}.")
    _check_pattern(value.token_pattern)
    if isinstance(value, HashingVectorizer):
        if not 1 <= value.n_features <= MAX_COLUMNS:
            raise ValueError(
                f"n_features={value.n_features!r:.60} must be from 1 to {MAX_COLUMNS}."
            )
    elif hasattr(value, "vocabulary_"):
        _check_vocabulary(value.vocabulary_)
        if isinstance(value, TfidfVectorizer) and value.use_idf:
            _check_weights(value.idf_, len(value.vocabulary_))


def _check_pattern(pattern):
    """Raise ValueError if a regular expression may take very long on some texts."""
    if pattern is not None and not is_bounded_regex(pattern):
        raise ValueError(
            f"token_pattern={pattern!r:.60} must be a pattern without groups and of "
            f"at most {MAX_REPEATS} repetitions: other patterns may not terminate on some texts."
        )


def is_bounded_regex(pattern):
    """Return whether a regular expression surely takes little time on every text.

    Without groups, repetitions cannot be nested. With two repetitions, the time is at most cubic in
    the length of a text.
    """
    if not isinstance(pattern, str) or len(pattern) > MAX_PATTERN_LENGTH:
        return False
    bare = re.sub(r"\\.", "x", pattern.removeprefix("(?u)"), flags=re.DOTALL)
    bare = re.sub(r"\[\^?\]?[^\]]*\]", "x", bare)
    return "(" not in bare and len(re.findall(r"[*+?{]", bare)) <= MAX_REPEATS


def _check_weights(weights, n_columns):
    """Raise unless there is a weight for each column."""
    if np.shape(weights) != (n_columns,):
        raise ValueError(f"idf_ has shape {np.shape(weights)}, not ({n_columns},).")


def _check_vocabulary(numbers):
    """Raise unless the ids of the words are 0, 1, 2, ... without gaps.

    scipy would write out of bounds for a sparse matrix with other column indices.
    """
    if sorted(numbers.values()) != list(range(len(numbers))):
        raise ValueError("The words of vocabulary_ are not numbered from 0 without gaps.")
