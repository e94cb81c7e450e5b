"""What the tests of exported models share."""

import numpy as np
import pandas as pd
from _hostile import small

from sk_ctxmem._export.runtime import Model

WORDS = "hello goodbye refund invoice yes no please thanks when where price café".split()
LABELS = ["ask", "greet", "tell"]


def make_talks(sizes=(5, 3, 8, 1, 6, 4, 7, 2), seed=0):
    """Return turns of conversations of these sizes, with speakers and columns."""
    random = np.random.default_rng(seed)
    n_rows = sum(sizes)
    texts = [" ".join(random.choice(WORDS, random.integers(1, 6))) for _ in range(n_rows)]
    return pd.DataFrame(
        {
            "text": texts,
            "group": np.repeat([f"talk {number}" for number in range(len(sizes))], sizes),
            "speaker": random.choice(["agent", "customer", "bot"], n_rows),
            "price": random.lognormal(3, 1, n_rows),
            "label": np.resize(LABELS, n_rows),
        }
    )


def fit_talks(target="label", frame=None, **parameters):
    """Return a classifier that was fitted with the turns of make_talks."""
    frame = make_talks() if frame is None else frame
    settings = {"text_column": "text", "group_column": "group", "max_epochs": 2}
    labels = frame[target] if isinstance(target, str) else target
    return small(**(settings | parameters)).fit(frame, labels)


def export(classifier, folder, **parameters):
    """Return the model of an export."""
    folder = folder / "export"
    return Model(folder, digest=classifier.export(folder, **parameters))


def agree(found, expected):
    """Check that probabilities are equal within 1e-5, and the largest ones but for ties."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    top = np.sort(expected, axis=1)
    is_clear = top[:, -1] - top[:, -2] > 2e-5
    assert np.array_equal(found.argmax(1)[is_clear], expected.argmax(1)[is_clear])


def as_rows(features):
    """Return the rows of a sparse matrix as pairs of ids and values."""
    features = features.tocsr()
    return [
        (features.indices[first:end], features.data[first:end])
        for first, end in zip(features.indptr[:-1], features.indptr[1:], strict=True)
    ]
