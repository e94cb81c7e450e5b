"""Pieces of `compare_classifiers`, for benchmarks of your own."""

from ._compare._linear import (
    GRIDS,
    LOGISTIC_REGRESSION,
    MAX_LBFGS_WORK,
    SGD,
    SVM,
    LinearChoice,
    choose_solver,
    fit_linear,
    make_features,
    make_linear_model,
    one_blas_thread,
    search_linear,
)
from ._compare._metrics import expected_calibration_error, paired_interval
from ._compare._tables import SUFFIXES, check_no_gaps, read_table, take_whole_groups
from ._compare._window import make_tfidf
from ._features._scripts import lacks_spaces

__all__ = [
    "GRIDS",
    "LOGISTIC_REGRESSION",
    "MAX_LBFGS_WORK",
    "SGD",
    "SUFFIXES",
    "SVM",
    "LinearChoice",
    "check_no_gaps",
    "choose_solver",
    "expected_calibration_error",
    "fit_linear",
    "lacks_spaces",
    "make_features",
    "make_linear_model",
    "make_tfidf",
    "one_blas_thread",
    "paired_interval",
    "read_table",
    "search_linear",
    "take_whole_groups",
]
