"""
How many earlier rows are needed?
=================================

The score by the number of earlier rows that may be seen. Where the curve gets flat, more context
is of no use, and a live system need not keep more.
"""

# %%
# A classifier that was trained with the whole past
# -------------------------------------------------

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
# Cut the past
# ------------
#
# Each row is predicted again and again, with 0, 1, 2, ... rows before it; None stands for all.

asked = test.groups.isin(test.groups.drop_duplicates().sample(40, random_state=0))
X, y = test.data[asked], test.target[asked]
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
ContextAblationDisplay.from_estimator(clf, X, y, n_rows=(0, 1, 2, 4, 8, 16, None), ax=axes)
plt.show()

# %%
# That is what *this* classifier can do with less context, not what one would do that was trained
# with less: it has learned to rely on the rows before. :doc:`/when_memory_pays` trains anew for
# each length.
