"""Fit a classifier of aeon, in an interpreter that need not have this package.

``python rocket.py FILE MODEL SEED`` reads the arrays "X", "y", "X_test" and "y_test" of an NPZ
file, and prints a line of JSON. X has the shape (n_sequences, n_features, n_steps).
"""

import json
import sys
import time

import numpy as np

# MiniRocket with its default of 10,000 kernels; as many of ROCKET take five times as long.
N_KERNELS = {"minirocket": 10_000, "rocket": 5_000}


def make_model(name, n_kernels, seed):
    """Return a classifier that uses one thread."""
    from aeon.classification.convolution_based import MiniRocketClassifier, RocketClassifier

    kinds = {"minirocket": MiniRocketClassifier, "rocket": RocketClassifier}
    return kinds[name](n_kernels=n_kernels, n_jobs=1, random_state=seed)


def measure(arrays, name, seed):
    """Return accuracy and CPU seconds; compilation by numba is not part of these."""
    few = np.random.RandomState(0).rand(12, *arrays["X"].shape[1:]).astype(np.float32)
    make_model(name, 84, seed).fit(few, np.arange(12) % 2).predict(few)
    start = time.process_time()
    model = make_model(name, N_KERNELS[name], seed).fit(arrays["X"], arrays["y"])
    fitted = time.process_time()
    predicted = model.predict(arrays["X_test"])
    return {
        "accuracy": float(np.mean(predicted == arrays["y_test"])),
        "fit_cpu_seconds": fitted - start,
        "predict_cpu_seconds": time.process_time() - fitted,
    }


if __name__ == "__main__":
    path, name, seed = sys.argv[1:]
    with np.load(path) as arrays:
        print(json.dumps(measure(dict(arrays), name, int(seed))))
