"""Tests of the checks for classifiers of texts in context, with correct and broken classifiers."""

import random
import re

import numpy as np
import pytest
import torch
from _context_classifiers import BROKEN, IgnoresOtherRows, LooksAhead, WithFiles, WordsOfTwoRows
from sklearn.compose import make_column_transformer
from sklearn.exceptions import EstimatorCheckFailedWarning, SkipTestWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.testing import (
    CONTEXT_CHECKS,
    ContextPromises,
    check_context_classifier,
    parametrize_with_context_checks,
)

COLUMNS = {"text_column": "text", "group_column": "group"}
ALL_COLUMNS = COLUMNS | {"order_column": "order", "speaker_column": "speaker"}
RENAMED = {
    "text_column": "utterance",
    "group_column": "call",
    "order_column": "turn",
    "speaker_column": "who",
}
PIPELINE_REASONS = {
    "check_failed_fit": "a pipeline fits its first steps in place before the last step fails",
    "check_missing_texts": "the message of TfidfVectorizer has no row",
}
TFIDF_PIPELINE = make_pipeline(
    make_column_transformer((TfidfVectorizer(), "text")), LogisticRegression()
)


def _small(**parameters):
    return ContextMemoryClassifier(hidden_size=16, device="cpu", **parameters)


def _names(results, status):
    return {result["check_name"] for result in results if result["status"] == status}


@parametrize_with_context_checks([_small(max_epochs=2, **COLUMNS)])
def test_our_classifier_keeps_the_promises(estimator, check):
    """Check that ContextMemoryClassifier passes each check."""
    check(estimator)


@pytest.mark.slow
def test_our_classifier_keeps_the_promises_without_context():
    """Check context="none", with groups as an argument."""
    classifier = _small(max_epochs=1, context="none")
    check_context_classifier(classifier, sees="none", group_column=None)


@pytest.mark.parametrize(
    "parameters",
    [
        {"context": "both"},
        {"memory": "elman", "max_epochs": 15},
        {"memory": "lstm"},
        {"memory": "mingru"},
        {"word_memory": True},
    ],
)
def test_our_classifier_learns_from_the_row_before_with_each_memory(parameters):
    """Check that the synthetic turns suffice for each memory; elman needs more epochs."""
    classifier = _small(**COLUMNS, **parameters)
    promises = ContextPromises(sees=classifier.context)
    CONTEXT_CHECKS["check_context_is_learned"](classifier, promises)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parameters", "promises"),
    [
        ({"context": "both"} | ALL_COLUMNS, {"sees": "both"} | ALL_COLUMNS),
        ({"context": "none"} | COLUMNS, {"sees": "none"}),
        ({"memory": "elman"} | COLUMNS, {}),
        ({"memory": "lstm"} | RENAMED, RENAMED),
        ({"memory": "mingru"} | ALL_COLUMNS, ALL_COLUMNS),
        ({"word_memory": True} | COLUMNS, {}),
        ({"n_iter_no_change": 1} | COLUMNS, {}),
        ({}, {"group_column": None}),
    ],
    ids=["both", "none", "elman", "lstm", "mingru", "words", "early stopping", "groups="],
)
def test_our_classifier_keeps_the_promises_with_other_parameters(parameters, promises):
    """Check that it passes all other checks with each memory and kind of input."""
    classifier = _small(max_epochs=1, **parameters)
    check_context_classifier(classifier, learns_context=False, **promises)


def test_a_scikit_learn_pipeline_without_context_fails_two_checks():
    """Check that TF-IDF and logistic regression fail only the two checks that they cannot pass."""
    results = check_context_classifier(
        TFIDF_PIPELINE, sees="none", expected_failed_checks=PIPELINE_REASONS
    )
    reasons = {
        result["check_name"]: result["expected_to_fail_reason"]
        for result in results
        if result["expected_to_fail"]
    }
    assert reasons == PIPELINE_REASONS
    assert _names(results, "xfail") == set(PIPELINE_REASONS)
    assert _names(results, "skipped") == {
        "check_context_is_learned",
        "check_missing_groups",
        "check_order_column",
        "check_save_and_load",
    }


@pytest.mark.parametrize(
    ("classifier", "promises", "skipped"),
    [
        (WithFiles(order_column="order"), {"order_column": "order"}, {"check_no_other_row"}),
        (
            LooksAhead(order_column="order"),
            {"sees": "both", "order_column": "order"},
            {"check_only_the_past", "check_no_other_row", "check_save_and_load"},
        ),
        (
            IgnoresOtherRows(),
            {"learns_context": False},
            {
                "check_context_is_learned",
                "check_no_other_row",
                "check_order_column",
                "check_save_and_load",
            },
        ),
    ],
)
def test_a_correct_classifier_of_another_kind_passes(classifier, promises, skipped):
    """Check that a small scikit-learn classifier passes all checks that apply to it."""
    results = check_context_classifier(classifier, **promises)
    assert [result["check_name"] for result in results] == list(CONTEXT_CHECKS)
    assert _names(results, "skipped") == skipped
    assert _names(results, "passed") == set(CONTEXT_CHECKS) - skipped


@pytest.fixture
def _threads():
    """Restore torch's number of threads."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


broken_classifiers = pytest.mark.parametrize(
    ("name", "classifier", "promises", "others"),
    BROKEN,
    ids=[f"{type(classifier).__name__}-{name}" for name, classifier, _, _ in BROKEN],
)


def test_every_check_has_a_broken_classifier():
    """Check that the tests below cover each check."""
    assert {name for name, *_ in BROKEN} == set(CONTEXT_CHECKS)


@pytest.mark.usefixtures("_threads")
@broken_classifiers
def test_a_check_fails_for_a_classifier_that_breaks_its_promise(name, classifier, promises, others):
    """Check that the message has the promise, the result and the code that reproduces it."""
    promises = ContextPromises(**promises)
    with pytest.raises(AssertionError, match=f"fails {name}.\nPromised: .+\nSeen: .+") as caught:
        CONTEXT_CHECKS[name](classifier, promises)
    assert f"CONTEXT_CHECKS[{name!r}](estimator, {promises!r})" in str(caught.value)


@pytest.mark.slow
@pytest.mark.usefixtures("_threads")
@broken_classifiers
def test_a_broken_promise_fails_no_other_check(name, classifier, promises, others):
    """Check that the checks are independent: each broken classifier fails only its own."""
    results = check_context_classifier(classifier, on_fail=None, **promises)
    assert _names(results, "failed") == {name, *others}


def test_a_message_has_the_row_and_the_code_that_reproduces_it():
    """Check that the message has the difference and its row, and that its code fails again."""
    estimator = LooksAhead()
    with pytest.raises(AssertionError, match="fails check_only_the_past") as caught:
        check_context_classifier(estimator)
    message = str(caught.value)
    assert re.search(
        r"Promised: later rows do not change the probabilities of earlier ones\.\n"
        r"Seen: Without the rows after the first 1 of each group, the largest difference is "
        r"(1|0\.\d+), above the tolerance 1e-05, in row \d+: \[.+\] became \[.+\]\.\n",
        message,
    )
    (code,) = re.findall(r"To reproduce: (.*), where estimator is LooksAhead\(\)", message)
    with pytest.raises(AssertionError, match="fails check_only_the_past"):
        exec(code, {"estimator": estimator})


def test_a_difference_below_the_tolerance_passes():
    """Check one classifier with two values of tolerance."""
    check = CONTEXT_CHECKS["check_only_the_past"]
    check(LooksAhead(), ContextPromises(tolerance=1.0))
    with pytest.raises(AssertionError, match="above the tolerance 0.1"):
        check(LooksAhead(), ContextPromises(tolerance=0.1))


def _random_states():
    return np.random.get_state()[1].tolist(), random.getstate(), torch.get_rng_state().tolist()


def test_the_checks_change_no_global_state_and_not_the_estimator():
    """Check that the random states are unchanged, and the classifier is not fitted."""
    before = _random_states()
    classifier = WordsOfTwoRows()
    check_context_classifier(classifier)
    assert _random_states() == before
    assert vars(classifier) == vars(WordsOfTwoRows())


def test_on_skip_warns():
    """Check that on_skip="warn" warns about each check that does not apply."""
    with pytest.warns(SkipTestWarning, match="Skipping check_") as caught:
        check_context_classifier(WordsOfTwoRows(), on_skip="warn")
    assert [str(warning.message) for warning in caught] == [
        "Skipping check_order_column: the classifier has no order column.",
        "Skipping check_no_other_row: the classifier sees other rows.",
        "Skipping check_save_and_load: WordsOfTwoRows has no methods save and load.",
    ]


def test_on_fail_warns_and_the_callback_gets_every_result():
    """Check that on_fail="warn" uses scikit-learn's warning, and that results have its fields."""
    seen = []
    with pytest.warns(EstimatorCheckFailedWarning, match="check_only_the_past"):
        results = check_context_classifier(
            LooksAhead(), on_fail="warn", callback=lambda **result: seen.append(result)
        )
    assert seen == results
    (failed,) = [result for result in results if result["status"] == "failed"]
    assert isinstance(failed.pop("exception"), AssertionError)
    assert isinstance(failed.pop("estimator"), LooksAhead)
    assert failed == {
        "check_name": "check_only_the_past",
        "status": "failed",
        "expected_to_fail": False,
        "expected_to_fail_reason": "Check is not expected to fail",
    }


def test_pytest_gets_marks_and_ids():
    """Check that expected failures are marked, and that tests have readable ids."""
    mark = parametrize_with_context_checks(
        [WordsOfTwoRows(C=2.0)],
        expected_failed_checks=lambda estimator: {"check_index": f"C={estimator.C}"},
        xfail_strict=True,
    ).mark
    names, parameters = mark.args
    assert names == ("estimator", "check")
    by_id = {parameter.id: parameter for parameter in parameters}
    assert list(by_id) == [f"WordsOfTwoRows(C=2.0)-{name}" for name in CONTEXT_CHECKS]
    marked = [parameter for parameter in parameters if parameter.marks]
    assert marked == [by_id["WordsOfTwoRows(C=2.0)-check_index"]]
    assert marked[0].marks[0].kwargs == {"reason": "C=2.0", "strict": True}


@pytest.mark.parametrize(
    ("keywords", "kind", "message"),
    [
        ({"sees": "future"}, ValueError, "sees='future' must be 'past' or 'both' or 'none'"),
        ({"tolerance": -1}, ValueError, "tolerance=-1 must be a number of at least 0"),
        ({"learns_context": "yes"}, TypeError, "learns_context='yes' must be True or False"),
        ({"on_fail": "ignore"}, ValueError, "on_fail='ignore' must be 'raise' or 'warn' or None"),
        ({"on_skip": "raise"}, ValueError, "on_skip='raise' must be 'warn' or None"),
        ({"callback": print}, ValueError, "callback is not called with on_fail='raise'"),
        (
            {"expected_failed_checks": {"check_all": "?"}},
            ValueError,
            r"expected_failed_checks names \['check_all'\], but the checks are",
        ),
        (
            {"group_column": None, "order_column": "turn"},
            ValueError,
            "order_column='turn' needs a frame, but group_column=None",
        ),
    ],
)
def test_illegal_keywords_are_refused(keywords, kind, message):
    """Check that the message has the name, the value and the legal values."""
    with pytest.raises(kind, match=message):
        check_context_classifier(WordsOfTwoRows(), **keywords)


def test_classes_are_refused():
    """Check that a class instead of an instance raises an error with the remedy."""
    message = r"estimator=WordsOfTwoRows is a class; pass an instance, WordsOfTwoRows\(\)"
    with pytest.raises(TypeError, match=message):
        check_context_classifier(WordsOfTwoRows)
    with pytest.raises(TypeError, match=message):
        parametrize_with_context_checks([WordsOfTwoRows])
