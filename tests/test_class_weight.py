"""Class weights in folds and subsets that lack a class."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_score
from sklearn.utils.class_weight import compute_class_weight

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem._input._targets import check_sample_weight, weigh_counted_classes

TEXTS = ["yes please", "no thanks"] * 20 + ["well maybe"] * 5
Y = np.array(["yes", "no"] * 20 + ["maybe"] * 5)
SMALL = {"hidden_size": 8, "max_epochs": 1, "random_state": 0}


def weigh(class_weight, y):
    """Return the weight of each class of y, relative to the first."""
    classes, targets = np.unique(y, return_inverse=True)
    weights = check_sample_weight(None, class_weight, classes, targets)
    by_class = weights[np.unique(targets, return_index=True)[1]]
    return by_class / by_class[0]


@pytest.mark.parametrize(
    "class_weight",
    [
        {"no": 1, "yes": 2, "maybe": 5},
        {"no": 3, "yes": 2, 7: 5},
        {"yes": 2},
        {"no": 4},
        {},
    ],
    ids=str,
)
def test_weights_of_a_fold_without_a_class_are_those_of_scikit_learn(class_weight):
    """Check that keys without rows are ignored, and classes without a key have weight 1."""
    expected = compute_class_weight(class_weight, classes=np.array(["no", "yes"]), y=Y[:40])
    assert_allclose(weigh(class_weight, Y[:40]), expected / expected[0], rtol=1e-6)


def test_all_folds_have_a_score_if_one_lacks_a_weighted_class():
    """Check that a cross-validation scores each fold, as logistic regression does."""
    folds = list(KFold(9).split(TEXTS))  # the last fold has all rows of "maybe"
    weights = {"yes": 1, "no": 1, "maybe": 4}
    clf = ContextMemoryClassifier(**SMALL, class_weight=weights)
    scores = cross_val_score(clf, np.array(TEXTS, dtype=object), Y, cv=folds, error_score="raise")
    X = np.array([[text[0] == "y", text[0] == "n"] for text in TEXTS], dtype=float)
    of_sklearn = cross_val_score(LogisticRegression(class_weight=weights), X, Y, cv=folds)
    assert scores.shape == of_sklearn.shape == (9,)
    assert scores[-1] == of_sklearn[-1] == 0


def test_an_unknown_key_beside_classes_without_a_weight_is_named_and_ignored():
    """Check that a fold without a class of a dict of some classes has a result, and a warning."""
    message = (
        r"class_weight has keys that are not classes of y, \['maybe'\], and are ignored; classes "
        r"without a weight, \['no'\], have weight 1"
    )
    with pytest.warns(UserWarning, match=message):
        assert_array_equal(weigh({"yes": 2, "maybe": 5}, Y[:40]), [1, 2])


def test_keys_of_which_none_is_a_class_are_refused():
    """Check that a dict without any class of y is an error that names both remedies."""
    with pytest.raises(ValueError, match=r"the key 'maybe', which is not a class of y; .* 'no': 1"):
        weigh({"maybe": 5}, Y[:40])


def test_weights_of_absent_classes_are_validated():
    """Check that a weight must be a number whether or not the class has rows."""
    with pytest.raises(ValueError, match="class_weight has 'x' for class 'maybe'"):
        weigh({"yes": 2, "no": 1, "maybe": "x"}, Y[:40])


def test_counted_classes_ignore_absent_classes_too():
    """Check the weights of a fit from files, where only the counts of classes are known."""
    weights = weigh_counted_classes(
        {"a": 1, "b": 3, "c": 9}, np.array(["a", "b"]), np.array([2, 2])
    )
    assert_array_equal(weights, np.array([0.5, 1.5], dtype=np.float32))


def test_partial_fit_takes_weights_of_classes_that_no_chunk_has():
    """Check that a chunk is trained with a dict that names more classes."""
    clf = ContextMemoryClassifier(**SMALL, class_weight={"yes": 1, "no": 1, "maybe": 4})
    clf.partial_fit(TEXTS[:40], Y[:40], classes=["yes", "no"])
    assert clf.classes_.tolist() == ["no", "yes"]
