"""Tests of exported models that read groups of one row alone."""

import numpy as np
import pytest
from _exported import load_runtime

from sk_ctxmem import ContextMemoryClassifier

X = ["yes", "no", "well, yes", "oh no"] * 10


@pytest.mark.parametrize("context", ["past", "both"])
def test_groups_of_one_row_are_predicted(context, tmp_path):
    """Check that a group without a second row has the probabilities of the classifier."""
    pytest.importorskip("onnxruntime")
    clf = ContextMemoryClassifier(context=context, max_epochs=1, hidden_size=4, random_state=0)
    clf.fit(X, ["yes", "no"] * 20, groups=np.repeat(np.arange(10), 4))
    clf.export(tmp_path / "model")
    model = load_runtime(tmp_path / "model").Model(tmp_path / "model")
    found = model.predict_proba(X[:2], groups=[0, 1])
    assert found == pytest.approx(clf.predict_proba(X[:2], groups=[0, 1]), abs=1e-6)
