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
from sk_ctxmem.datasets import load_docstring_sections
from sk_ctxmem.inspection import ContextAblationDisplay

train = load_docstring_sections(subset="train", packages=("numpy",))
test = load_docstring_sections(subset="test", packages=("numpy",))
few = train.groups.isin(train.groups.drop_duplicates().sample(300, random_state=0))
clf = ContextMemoryClassifier(
    text_column="text", group_column="group", order_column="order", random_state=0
).fit(train.data[few], train.target[few])

# %%
# Predict with fewer earlier rows
# -------------------------------
#
# Each row is predicted again and again, with 0, 1, 2, ... rows before it; None stands for all. For
# that the conversation is cut: the row and those before it that may be seen are a conversation of
# their own, and the classifier takes each for one that has just begun.

asked = test.groups.isin(test.groups.drop_duplicates().sample(40, random_state=0))
X, y = test.data[asked], test.target[asked]
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
ContextAblationDisplay.from_estimator(clf, X, y, context_sizes=(0, 1, 2, 4, 8, 16, None), ax=axes)
plt.show()

# %%
# That is what *this* classifier makes of cut conversations, not what one would do that was
# trained with less. With no row before it each row stands first, where a docstring has its
# summary: the score at 0 is not that of a model with ``context="none"``, which was trained on rows
# alone. :doc:`/when_memory_pays` trains anew for each length.
