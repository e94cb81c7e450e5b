"""
Finding wrong labels
====================

:func:`~sk_ctxmem.inspection.suspect_labels` sorts rows by how little their label fits what a
model says that was fitted without them. To see whether it finds wrong labels, some are made wrong
here.
"""

# %%
# Change one label in twenty
# --------------------------

import matplotlib.pyplot as plt
import numpy as np

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import load_docstring_sections
from sk_ctxmem.inspection import suspect_labels

train = load_docstring_sections(subset="train", packages=("numpy",))
few = train.groups.isin(train.groups.drop_duplicates().sample(250, random_state=0))
X, y = train.data[few].reset_index(drop=True), train.target[few].to_numpy()

rng = np.random.default_rng(0)
flipped = rng.random(len(y)) < 0.05
given = y.copy()
given[flipped] = [rng.choice(np.setdiff1d(train.target_names, [label])) for label in y[flipped]]
print(f"{flipped.sum()} of {len(y)} labels are wrong")

# %%
# Rank the rows
# -------------
#
# Each row is judged by a model that was fitted on other docstrings: the folds keep groups whole.

clf = ContextMemoryClassifier(
    context="past", text_column="text", group_column="group", order_column="order", random_state=0
)
suspects = suspect_labels(clf, X, given, cv=3)
first = suspects.head(8)
first.assign(text=X["text"].to_numpy()[first["row"]], was=y[first["row"]])

# %%
# Wrong labels by rank
# --------------------

found = np.cumsum(flipped[suspects["row"]]) / flipped.sum()
read = np.arange(1, len(found) + 1) / len(y)
share = found[np.searchsorted(read, 0.1) - 1]

figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
axes.plot(read, found, color="#08519c", linewidth=2.5, label="suspect_labels")
axes.plot([0, 0.05, 1], [0, 1, 1], color="0.6", linestyle=":", label="the best there could be")
axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", label="by chance")
axes.plot(0.1, share, "o", color="#d95f0e", markersize=9)
axes.annotate(
    f"the first 10 % of the rows\nhold {share:.0%} of the wrong labels",
    (0.1, share),
    (0.2, share - 0.25),
    arrowprops={"arrowstyle": "-", "color": "0.4"},
)
axes.set(xlim=(0, 0.6), ylim=(0, 1.03), xlabel="share of the rows read, worst first")
axes.set(ylabel="share of the wrong labels found")
axes.legend(loc="lower right", frameon=False)
plt.show()

# %%
# It is an order to read in, not a verdict: some rows are hard, and right. The column
# ``is_suspect``, where cleanlab would draw the line, is no verdict either:

listed = suspects["is_suspect"].to_numpy()
wrong = flipped[suspects["row"][listed]].mean()
print(f"{listed.sum()} rows are listed as suspect, {wrong:.0%} of them are wrong")

# %%
# The ranking is `cleanlab <https://docs.cleanlab.ai>`__'s, which comes with the extra ``labels``.
# What to look at: :ref:`guide_labels`.
