"""
Effect of the number of earlier rows
====================================

The plot shows the score by the number of earlier rows that the classifier sees. Where the curve
becomes flat, more earlier rows do not improve the score.
"""

# %%
# Fit with all earlier rows
# -------------------------

import matplotlib.pyplot as plt

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import load_service_dialogues
from sk_ctxmem.inspection import ContextAblationDisplay

train = load_service_dialogues(subset="train")
test = load_service_dialogues(subset="test")
clf = ContextMemoryClassifier(
    text_column="text", group_column="group", order_column="order", random_state=0
).fit(train.data, train.target)

# %%
# Predict with fewer earlier rows
# -------------------------------
#
# Each row is predicted with 0, 1, 2, ... earlier rows; None stands for all. The row and these
# earlier rows are cut out as a conversation of their own.

X, y = test.data, test.target
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
ContextAblationDisplay.from_estimator(clf, X, y, context_sizes=(0, 1, 2, 4, 8, 16, None), ax=axes)
plt.show()

# %%
# This classifier was trained on whole conversations. With 0 earlier rows, it takes each row for the
# first one of a conversation, so the score is below that of a classifier with ``context="none"``.
# :doc:`/when_memory_pays` trains a classifier for each length.
