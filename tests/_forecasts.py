"""What the tests of labels of whole sequences share: made-up conversations with a label each."""

import numpy as np
import pandas as pd

from sk_ctxmem import ContextMemoryClassifier

WORDS = np.array("yes no maybe red blue green one two three".split())
SMALL = {"hidden_size": 8, "max_epochs": 2, "random_state": 0, "device": "cpu"}


def make_talks(n_talks=40, seed=0):
    """Return conversations as lists of texts, and whether the word yes is in each."""
    random = np.random.RandomState(seed)
    talks = [
        [" ".join(random.choice(WORDS, random.randint(1, 5))) for _ in range(random.randint(1, 7))]
        for _ in range(n_talks)
    ]
    return talks, np.array(["deal" if any("yes" in t for t in talk) else "lost" for talk in talks])


def make_frames(n_talks=40, seed=0):
    """Return conversations as frames, with speakers and a column of numbers, and labels."""
    talks, labels = make_talks(n_talks, seed)
    random = np.random.RandomState(seed)
    frames = [
        pd.DataFrame(
            {
                "said": talk,
                "who": random.choice(["client", "agent"], len(talk)),
                "price": random.randint(9, size=len(talk)).astype(float),
            }
        )
        for talk in talks
    ]
    return frames, labels


def make_steps(n_sequences=40, seed=0):
    """Return arrays of unequal length, and whether the mean of the first feature is positive."""
    random = np.random.RandomState(seed)
    steps = [random.randn(random.randint(1, 8), 3) for _ in range(n_sequences)]
    return steps, np.array([int(each[:, 0].mean() > 0) for each in steps])


def fit(X, y, **parameters):
    """Return a small classifier of sequences."""
    return ContextMemoryClassifier(**(SMALL | parameters)).fit(X, y)


def prefixes(sequence):
    """Return the first row of a sequence, its first two rows, and so on."""
    take = sequence.iloc if isinstance(sequence, pd.DataFrame) else sequence
    return [take[:end] for end in range(1, len(sequence) + 1)]
