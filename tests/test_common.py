"""scikit-learn's own checks of estimators."""

import pytest
from sklearn.exceptions import SkipTestWarning
from sklearn.utils.estimator_checks import (
    check_estimator,
    check_estimator_cloneable,
    check_estimator_repr,
    check_get_params_invariance,
    check_mixin_order,
    check_no_attributes_set_in_init,
    check_parameters_default_constructible,
    check_set_params,
    check_valid_tag_types,
    parametrize_with_checks,
)

from sk_ctxmem import (
    ContextMemoryClassifier,
    ContextMemoryClassifierCV,
    TextSequenceVectorizer,
)

WEIGHT_REASON = (
    "a mini-batch that holds a row twice is not one that holds it once with weight 2: dropout "
    "and shuffling draw other numbers"
)
EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": WEIGHT_REASON,
    "check_sample_weight_equivalence_on_sparse_data": WEIGHT_REASON,
}
CLASSIFIERS = [
    ContextMemoryClassifier(),
    ContextMemoryClassifier(memory="elman", hidden_size=16),
    ContextMemoryClassifier(
        memory="mingru", context="both", hidden_size=16, max_epochs=3, n_iter_no_change=None
    ),
]
CHECKS_WITHOUT_DATA = [
    check_mixin_order,
    check_estimator_cloneable,
    check_estimator_repr,
    check_get_params_invariance,
    check_no_attributes_set_in_init,
    check_parameters_default_constructible,
    check_set_params,
    check_valid_tag_types,
]


# As a list, because scikit-learn 1.6 gives a generator, of which pytest 9 warns.
SKLEARN_CHECKS = parametrize_with_checks(
    CLASSIFIERS, expected_failed_checks=lambda classifier: EXPECTED_FAILURES
)
NAMES, PAIRS = SKLEARN_CHECKS.args


@pytest.mark.parametrize(NAMES, list(PAIRS), **SKLEARN_CHECKS.kwargs)
def test_classifier_passes_the_checks_of_sklearn(estimator, check, monkeypatch):
    """Check that the classifier keeps the promises of scikit-learn, for each kind of memory."""
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # without it, scikit-learn 1.9 skips a check
    check(estimator)


SEARCH = ContextMemoryClassifierCV(
    ContextMemoryClassifier(hidden_size=4, max_epochs=2),
    max_cost=3,
    param_distributions={"dropout": [0.0, 0.5]},
)
CHECKS_OF_SEARCH = parametrize_with_checks(
    [SEARCH], expected_failed_checks=lambda search: EXPECTED_FAILURES
)
SEARCH_NAMES, SEARCH_PAIRS = CHECKS_OF_SEARCH.args


@pytest.mark.slow
@pytest.mark.parametrize(SEARCH_NAMES, list(SEARCH_PAIRS), **CHECKS_OF_SEARCH.kwargs)
def test_search_passes_the_checks_of_sklearn(estimator, check):
    """Check that the search for parameters keeps the promises of scikit-learn."""
    check(estimator)


def test_vectorizer_passes_the_checks_of_sklearn():
    """Check that the vectorizer passes what scikit-learn checks of one that takes texts alone."""
    with pytest.warns(SkipTestWarning, match="requires input"):
        check_estimator(TextSequenceVectorizer())


@pytest.mark.parametrize("check", CHECKS_WITHOUT_DATA, ids=lambda check: check.__name__)
def test_vectorizer_passes_checks_that_need_no_data(check):
    """Check that parameters, clones and tags of the vectorizer are as scikit-learn wants them."""
    check("TextSequenceVectorizer", TextSequenceVectorizer())
