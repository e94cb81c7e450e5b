"""What the tests of live conversations share: small classifiers, and reading turn by turn."""

import numpy as np

from sk_ctxmem import ContextMemoryClassifier

SMALL = {"hidden_size": 8, "max_epochs": 2, "random_state": 0, "device": "cpu"}
ROLES = {"text_column": "text", "group_column": "group", "order_column": "order"}
TOLERANCE = 1e-6


def fit(frame, target=None, **parameters):
    """Return a small classifier fitted on conversations."""
    target = frame["target"] if target is None else target
    return ContextMemoryClassifier(**(SMALL | ROLES | parameters)).fit(frame, target)


def read_turn_by_turn(classifier, frame, speaker=None):
    """Return the probabilities of all rows, each conversation in a session of its own."""
    probabilities = np.full((len(frame), len(classifier.classes_)), np.nan)
    positions = np.arange(len(frame))
    for group in frame["group"].unique():
        session = classifier.session()
        of_group = positions[frame["group"] == group]
        for row in of_group[np.argsort(frame["order"].iloc[of_group], kind="stable")]:
            who = None if speaker is None else frame[speaker].iloc[row]
            probabilities[row] = session.predict_proba_one(frame["text"].iloc[row], who)
    return probabilities
