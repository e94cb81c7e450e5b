"""Labels of numpy's StringDType, and targets with several labels in each row."""

from enum import Enum

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.inspection import suspect_labels

TEXTS = ["yes please", "no thanks", "yes thanks", "no please"] * 15
Y = np.array(["yes", "no"] * 30)
N_ROWS = len(Y)
SMALL = {"hidden_size": 8, "max_epochs": 4, "random_state": 0}
SEVERAL = {
    "lists": [["a", "b"], ["a"]] * 30,
    "lists of the same length": [["a", "b"]] * N_ROWS,
    "tuples": [("a", "b"), ()] * 30,
    "sets": [{"a"}, {"b"}] * 30,
    "frozensets": np.array([frozenset("a"), frozenset("ab")] * 30, dtype=object),
    "dicts": [{"a": 1}] * N_ROWS,
    "object array of lists": pd.Series([["a"], ["b", "c"]] * 30).to_numpy(),
    "Series of lists": pd.Series([["a", "b"], []] * 30),
    "numbers": 2 * np.eye(3, dtype=int)[[0, 1, 2] * 20],
    "sparse numbers": sparse.csr_array(2 * np.eye(N_ROWS, dtype=int)),
    "frame": pd.DataFrame({"first": Y, "second": Y}),
    "two columns of str": np.stack([Y, Y], axis=1),
}


def string_dtype(values):
    """Return an array of numpy's StringDType."""
    if not hasattr(np.dtypes, "StringDType"):
        pytest.skip("numpy 1 has no StringDType")
    return np.asarray(values).astype(np.dtypes.StringDType())


@pytest.mark.parametrize("weights", [None, np.ones(N_ROWS)], ids=["equal", "weighted"])
def test_labels_of_string_dtype_are_scored(weights):
    """Check that score reads the labels that fit reads."""
    clf = ContextMemoryClassifier(**SMALL).fit(TEXTS, string_dtype(Y))
    assert clf.classes_.tolist() == ["no", "yes"]
    assert clf.score(TEXTS, string_dtype(Y), sample_weight=weights) == 1


def test_classes_and_keys_of_string_dtype_are_read():
    """Check partial_fit, class_weight and explain with values of StringDType."""
    classes = np.unique(string_dtype(Y))
    clf = ContextMemoryClassifier(**SMALL, class_weight=dict.fromkeys(classes, 2))
    clf.partial_fit(TEXTS, string_dtype(Y), classes=classes)
    assert clf.classes_.tolist() == ["no", "yes"]
    targets = clf.explain(TEXTS[:2], target=string_dtype(Y[:2]))["target"]
    assert set(targets) == {"no", "yes"}


def test_suspect_labels_take_string_dtype():
    """Check that the table equals that of the same labels as objects."""
    pytest.importorskip("cleanlab")
    clf = ContextMemoryClassifier(**SMALL)
    expected = suspect_labels(clf, TEXTS, Y.astype(object), cv=2)
    pd.testing.assert_frame_equal(suspect_labels(clf, TEXTS, string_dtype(Y), cv=2), expected)


@pytest.mark.parametrize("y", SEVERAL.values(), ids=SEVERAL)
@pytest.mark.parametrize("method", ["fit", "score", "partial_fit", "suspect_labels"])
def test_several_labels_in_a_row_name_what_takes_them(method, y):
    """Check that the message is about y, and names MultiLabelBinarizer and its sibling."""
    message = (
        r"y.*; y must have one class label for each row.*MultiLabelBinarizer\(\).*"
        r"MultiOutputClassifier\(clf\).*#several-labels"
    )
    clf = ContextMemoryClassifier(**SMALL)
    calls = {
        "fit": lambda: clf.fit(TEXTS, y),
        "score": lambda: ContextMemoryClassifier(**SMALL).fit(TEXTS, Y).score(TEXTS, y),
        "partial_fit": lambda: clf.partial_fit(TEXTS, y, classes=["a", "b"]),
        "suspect_labels": lambda: suspect_labels(clf, TEXTS, y),
    }
    if method == "suspect_labels":
        pytest.importorskip("cleanlab")
        message += r"|judges one class for each row, but y has several columns.*#several-labels"
    if method == "score":
        clf.set_params(max_epochs=1)
    with pytest.raises((TypeError, ValueError), match=message):
        calls[method]()


@pytest.mark.slow
def test_the_named_classifiers_take_several_labels(talks):
    """Check that MultiOutputClassifier and OneVsRestClassifier work with a group column."""
    X = talks[["text", "group", "order"]]
    indicators = np.stack([talks["target"] == "red", talks["target"] == "blue"], axis=1)
    roles = {"text_column": "text", "group_column": "group", "order_column": "order"}
    clf = ContextMemoryClassifier(**roles, hidden_size=32, random_state=0)
    for several in (MultiOutputClassifier(clf), OneVsRestClassifier(clf)):
        predicted = several.fit(X[:400], indicators[:400]).predict(X[400:])
        assert (predicted == indicators[400:]).mean() > 0.9


def test_columns_are_outputs_of_the_named_classifiers():
    """Check that both remedies work on texts alone, for str and for indicators."""
    both = np.stack([Y, np.array(["please", "thanks", "thanks", "please"] * 15)], axis=1)
    clf = MultiOutputClassifier(ContextMemoryClassifier(**SMALL)).fit(TEXTS, both)
    assert_array_equal(clf.predict(TEXTS), both)
    indicators = (both == ["yes", "please"]).astype(int)
    clf = OneVsRestClassifier(ContextMemoryClassifier(**SMALL)).fit(TEXTS, indicators)
    assert_array_equal(clf.predict(TEXTS), indicators)


class Act(str, Enum):
    """Acts, of whose names numpy keeps the first three characters."""

    ASK = "ask"
    SAY = "say"


def test_classes_that_numpy_would_merge_are_named():
    """Check members of an enumeration in a list; in an array of objects they are classes."""
    y = [Act.ASK, Act.SAY] * 30
    clf = ContextMemoryClassifier(**SMALL)
    with pytest.raises(ValueError, match="<Act.ASK: 'ask'>, of which numpy makes .*'Act'.*label.v"):
        clf.fit(TEXTS, y)
    assert clf.fit(TEXTS, np.array(y, dtype=object)).classes_.tolist() == ["ask", "say"]


@pytest.mark.parametrize(
    ("labels", "kinds"),
    [([True, False], "bool"), ([1, 2], "int"), ([1, 2.0], "float and int")],
    ids=str,
)
def test_labels_in_arrays_of_objects_are_named(labels, kinds):
    """Check that the message says which types labels have, where scikit-learn says "unknown"."""
    y = np.array(labels * 30, dtype=object)
    message = (
        f"Unknown label type: (y|classes) has dtype object and labels of type .*{kinds}.*such as "
    )
    with pytest.raises(ValueError, match=message + r".*numpy.asarray\(y\).astype\(str\)"):
        ContextMemoryClassifier(**SMALL).fit(TEXTS, y)
    with pytest.raises(ValueError, match=message):
        ContextMemoryClassifier(**SMALL).partial_fit(TEXTS, y, classes=y[:2])


def test_one_label_in_a_list_of_lists_is_a_column():
    """Check that a column vector stays legal, with the warning of scikit-learn."""
    clf = ContextMemoryClassifier(**SMALL)
    with pytest.warns(UserWarning, match="A column-vector y was passed"):
        clf.fit(TEXTS, [[label] for label in Y])
    assert clf.classes_.tolist() == ["no", "yes"]
