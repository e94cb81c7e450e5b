"""
Calibration of predicted probabilities
======================================

Of the rows that get 80 %, four in five should be right. Here that can be seen, with
``temperature_``, which ``fit`` measures on rows that the network has not been trained on, and
without it.
"""

# %%
# Fit with and without the temperature
# ------------------------------------
#
# ``decision_function`` returns the logits. They are divided by ``temperature_`` already, so that
# multiplying by it gives what the network alone would say.

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import load_docstring_sections

train = load_docstring_sections(subset="train", packages=("numpy",))
test = load_docstring_sections(subset="test", packages=("numpy",))
few = train.groups.isin(train.groups.drop_duplicates().sample(300, random_state=0))
X, y = train.data[few], train.target[few]

clf = ContextMemoryClassifier(
    text_column="text", group_column="group", order_column="order", random_state=0
).fit(X, y)
regression = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=300)).fit(X["text"], y)

probabilities = {
    "memory": clf.predict_proba(test.data),
    "memory, without temperature": softmax(
        clf.decision_function(test.data) * clf.temperature_, axis=1
    ),
    "logistic regression": regression.predict_proba(test.data["text"]),
}
print(f"temperature_ = {clf.temperature_:.2f}")
for name, values in probabilities.items():
    print(f"{name}: log loss {log_loss(test.target, values, labels=clf.classes_):.3f}")

# %%
# Calibration curves
# ------------------
#
# Rows are sorted by the probability of the class that they were given, and cut into ten parts of
# equal size. A point below the diagonal is a model that is too sure of itself.


def said_and_true(values):
    """Return the mean probability and the accuracy of ten parts of the rows, by probability."""
    sure = values.max(axis=1)
    right = clf.classes_[values.argmax(axis=1)] == test.target.to_numpy()
    parts = np.array_split(np.argsort(sure), 10)
    return np.array([(sure[part].mean(), right[part].mean()) for part in parts]).T


colors = {
    "memory": "#08519c",
    "memory, without temperature": "#6baed6",
    "logistic regression": "#d95f0e",
}
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
left.plot([0.2, 1], [0.2, 1], color="0.7", linestyle="--", label="as it should be")
for name, values in probabilities.items():
    left.plot(*said_and_true(values), "o-", color=colors[name], label=name)
left.set(xlabel="probability of the class given", ylabel="share that is right", title="Calibration")
left.set_aspect("equal")
left.legend(frameon=False)

bins = np.linspace(0.1, 1, 19)
for name in ["logistic regression", "memory"]:
    sure = probabilities[name].max(axis=1)
    right.hist(sure, bins, color=colors[name], alpha=0.65, label=name)
right.set(xlabel="probability of the class given", ylabel="rows", title="How sure they are")
right.legend(frameon=False, loc="upper left")
plt.show()

# %%
# A model can be calibrated and of no use, by saying the same of all rows. The right picture shows
# that this one is sure of most. Here the temperature changes little; :doc:`/accuracy` has corpora
# where it changes much. On fewer than 2,000 rows it stays 1, as there would be too few to
# measure it on.
