"""
Comparing classifiers with and without context
==============================================

Fit the same rows with and without their context, beside logistic regression, and compare on groups
that no model has seen. Here a row is a turn of a service dialogue, and the class is its set of
dialogue acts.
"""

# %%
# Split by dialogue
# -----------------
#
# A dialogue is in one set or the other, never in both.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.pipeline import make_pipeline

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import load_service_dialogues

train = load_service_dialogues(subset="train")
test = load_service_dialogues(subset="test")
X_train, y_train = train.data, train.target
X_test, y_test = test.data, test.target
X_train.assign(acts=y_train).head(12)

# %%
# Classifiers to compare
# ----------------------
#
# ``context`` says which other rows of its group a row sees. Logistic regression sees no others.

regression = make_pipeline(
    TfidfVectorizer(sublinear_tf=True), LogisticRegression(C=10, max_iter=300)
)
predicted = {
    "logistic regression": regression.fit(X_train["text"], y_train).predict(X_test["text"])
}
for context in ["none", "past", "both"]:
    clf = ContextMemoryClassifier(
        text_column="text",
        group_column="group",
        order_column="order",
        context=context,
        random_state=0,
    )
    predicted[f'context="{context}"'] = clf.fit(X_train, y_train).predict(X_test)

accuracy = pd.Series({name: (labels == y_test).mean() for name, labels in predicted.items()})
accuracy.round(3)

# %%
# Logistic regression has one setting here, not a search; ``python -m benchmarks`` tunes it. Most
# of the gain comes from the rows, not from the rest of the model: that is the difference between
# ``"none"`` and ``"past"``.
#
# Scores by class
# ---------------
#
# The recall of each class tells more than one number. Turns that read alike in different dialogues
# gain most.

acts = y_test.value_counts().loc[lambda counts: counts >= 40].index
recall = pd.DataFrame(
    {
        name: recall_score(y_test, labels, labels=acts, average=None)
        for name, labels in predicted.items()
    },
    index=acts,
).sort_values("logistic regression", ascending=False)

colors = ["0.65", "#9ecae1", "#3182bd", "#08306b"]
figure, (left, right) = plt.subplots(
    1, 2, figsize=(10, 4.2), layout="constrained", width_ratios=[1, 1.7]
)
bars = left.barh(accuracy.index, accuracy, color=colors)
left.bar_label(bars, fmt="{:.1%}", padding=-40, color="white", weight="bold")
left.set(xlim=(0, 1), xlabel="accuracy on other dialogues", title="All turns")
left.invert_yaxis()

for color, name in zip(colors, recall, strict=True):
    right.plot(recall[name], recall.index, "o", color=color, label=name, markersize=9)
right.hlines(recall.index, recall.min(axis=1), recall.max(axis=1), color="0.85", zorder=0)
right.set(xlim=(0, 1.02), xlabel="recall", title="By class")
right.invert_yaxis()
right.legend(loc="upper left", frameon=False)
plt.show()
