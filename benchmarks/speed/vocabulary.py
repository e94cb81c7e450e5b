"""Table "vocabulary": time of a training step by the number of features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from benchmarks.corpora.corpus import Corpus
from benchmarks.speed import processes
from benchmarks.speed.tasks import Row, Settings, Task

N_FEATURES = (20_000, 200_000, 2_000_000)
QUICK_N_FEATURES = (6_000, 20_000)
N_ROWS = 400_000
QUICK_N_ROWS = 400

# Common n-grams occur in every batch for any vocabulary, rare ones make it large. At each size, the
# rows are enough for every rare n-gram to occur twice: n-grams of a single row cost less.
N_COMMON = 5_000
COMMON_PER_ROW = 20
RARE_PER_ROW = 10

N_CLASSES = 5
BATCH_SIZE = 400
QUICK_BATCH_SIZE = 20


def plan_vocabulary(corpora: Sequence[Corpus], settings: Settings) -> list[Task]:
    """List one task, on synthetic features."""
    return [Task("synthetic features", lambda: measure_vocabulary(settings))]


def measure_vocabulary(settings: Settings) -> list[Row]:
    """Time steps at each size in one child process."""
    sizes = settings.choose(N_FEATURES, QUICK_N_FEATURES)
    n_rows = settings.choose(N_ROWS, QUICK_N_ROWS)
    batch_size = settings.choose(BATCH_SIZE, QUICK_BATCH_SIZE)
    with processes.Child(time_step, sizes, n_rows, batch_size, settings.repeats) as child:
        frame = pd.DataFrame(list(child), columns=["n_features", "seconds"])
    medians = frame.groupby("n_features")["seconds"].median()
    return [
        {
            "n_features": size,
            **describe_features(make_features(size, n_rows), batch_size),
            "milliseconds_per_step": 1000 * medians[size],
            "ratio_to_smallest": medians[size] / medians[sizes[0]],
        }
        for size in sizes
    ]


def time_step(
    sizes: Sequence[int], n_rows: int, batch_size: int, repeats: int
) -> Iterator[tuple[int, float]]:
    """Yield numbers of features and the seconds of a step, in rounds over the sizes."""
    from sk_ctxmem import ContextMemoryClassifier

    y = np.random.default_rng(0).integers(N_CLASSES, size=n_rows)
    features = {size: make_features(size, n_rows) for size in sizes}
    n_steps = n_rows // batch_size
    for seed in range(repeats):
        for size in sizes:
            classifier = ContextMemoryClassifier(
                max_epochs=1, n_iter_no_change=None, batch_size=batch_size, random_state=seed
            ).fit(features[size], y)
            yield size, classifier.history_["seconds"].sum() / n_steps


def make_features(n_features: int, n_rows: int) -> sparse.csr_matrix:
    """Make rows of common features, with frequencies like Zipf's law, and uniform rare features.

    Parameters
    ----------
    n_features : int
        Number of columns, above `N_COMMON`. The common features are the same for any number.

    n_rows : int
        Number of rows.

    Returns
    -------
    csr_matrix of shape (n_rows, n_features)
        Rows of Euclidean norm 1, like those of TF-IDF.
    """
    random = np.random.default_rng(0)
    # If the frequency is proportional to 1 / rank, the logarithm of the rank is uniform.
    logarithms = random.uniform(0, np.log(N_COMMON), size=(n_rows, COMMON_PER_ROW))
    common = np.exp(logarithms).astype(np.int64)
    draws = random.permutation(n_rows * RARE_PER_ROW) % (n_features - N_COMMON)
    rare = N_COMMON + draws.reshape(n_rows, RARE_PER_ROW)
    columns = np.hstack([common, rare])
    rows = np.repeat(np.arange(n_rows), columns.shape[1])
    values = np.ones(columns.size, dtype=np.float32)
    features = sparse.csr_matrix((values, (rows, columns.ravel())), shape=(n_rows, n_features))
    n_values = np.diff(features.indptr)
    features.data[:] = 1 / np.sqrt(np.repeat(n_values, n_values))
    return features


def describe_features(features: sparse.csr_matrix, batch_size: int) -> Row:
    """Describe the features, which should be alike at all sizes."""
    batch = features[:batch_size]
    counts = np.bincount(features.indices, minlength=features.shape[1])
    return {
        "values_per_row": features.nnz / features.shape[0],
        "columns_per_batch": len(np.unique(batch.indices)),
        "share_in_several_rows": float((counts[features.indices] > 1).mean()),
    }
