"""
How early is the end of a conversation known?
=============================================

A label of a whole conversation can be forecast while it runs. The plot shows the accuracy by the
share of each conversation that was seen, beside a logistic regression on the text so far.
"""

# %%
# Calls to a support desk
# -----------------------
#
# The desk is made up. In each call, the agent names a step, and the client says whether the device
# works now, which it may cease to do later. Whether the call ends as solved is what the last answer
# says; how likely that is, the device tells from the start. Each call is one frame, with one label.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.inspection import ConversationDisplay, ForecastDisplay

HELPS = {"router": 0.5, "phone": 0.3, "printer": 0.15}  # probability that a step helps
STEPS = ["please restart it", "please update it", "check the cable", "try another room"]
GOOD = ["yes, it works now", "great, it is on", "that helped", "works, thank you"]
BAD = ["no, nothing happens", "it is still off", "that did not help", "no, thank you"]


def make_call(random):
    """Return the turns of a call, and how it ends."""
    device, works = random.choice(list(HELPS)), False
    turns = [("client", f"my {device} is off, what can I do ?")]
    for _ in range(random.randint(2, 7)):
        works = random.rand() < (0.85 if works else HELPS[device])
        turns += [
            ("agent", random.choice(STEPS)),
            ("client", random.choice(GOOD if works else BAD)),
        ]
    return pd.DataFrame(turns, columns=["speaker", "text"]), "solved" if works else "escalated"


random = np.random.RandomState(0)
calls, ends = zip(*(make_call(random) for _ in range(900)), strict=True)
X, X_test, y, y_test = (
    list(calls[:600]),
    list(calls[600:]),
    np.array(ends[:600]),
    np.array(ends[600:]),
)
print(X[0])
print(y[0])

# %%
# Fit once, forecast after every turn
# -----------------------------------
#
# With ``context="past"``, the default, the classifier learns to answer after each turn.

clf = ContextMemoryClassifier(text_column="text", speaker_column="speaker", random_state=0)
clf.fit(X, y)
print(f"accuracy of whole calls: {clf.score(X_test, y_test):.3f}")

# %%
# The logistic regression reads all texts so far as one. Its forecasts are a list of one array for
# each call, with the probabilities after each turn, as those of any other model would be.


def so_far(call):
    """Return the text up to each turn of a call."""
    return [" ".join(call["text"][: turn + 1]) for turn in range(len(call))]


linear = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=10))
linear.fit([so_far(call)[-1] for call in X], y)
forecasts = [linear.predict_proba(so_far(call)) for call in X_test]

figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
for ax, scoring in zip(axes, ["accuracy", "roc_auc"], strict=True):
    options = {"scoring": scoring, "ax": ax}
    ForecastDisplay.from_estimator(clf, X_test, y_test, name="memory", **options)
    ForecastDisplay.from_predictions(y_test, forecasts, name="text so far", **options)
plt.show()

# %%
# Early, both know little more than the device. Later, what counts is which answer came last: the
# memory keeps the order of turns, and words in a bag have none.

# %%
# One call
# --------
#
# Each turn has the forecast after it, and the words are shaded by what they contribute to the label
# of the whole call. Below the last turn are the turns that contributed most.

number = next(
    number
    for number, call in enumerate(X_test)
    if len(call) == 9 and y_test[number] == "solved" and call["text"].iloc[4] in BAD
)
ConversationDisplay.from_estimator(clf, X_test, y_test, group=number)
