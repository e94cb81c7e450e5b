"""
Which words counted?
====================

The words of one row, coloured by what they added to its class, among the rows that stand before
it.
"""

# %%
# A classifier of lines
# ---------------------

import matplotlib.pyplot as plt

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import load_docstring_sections
from sk_ctxmem.inspection import ConversationDisplay, TokenAttributionDisplay

train = load_docstring_sections(subset="train", packages=("numpy",))
test = load_docstring_sections(subset="test", packages=("numpy",))
few = train.groups.isin(train.groups.drop_duplicates().sample(300, random_state=0))
clf = ContextMemoryClassifier(
    text_column="text", group_column="group", order_column="order", random_state=0
).fit(train.data[few], train.target[few])

# %%
# One row
# -------
#
# X is the whole docstring, as the row is read in its context, and ``row`` its position there.

rows = test.groups == "numpy.ma.core.MaskedArray.tolist"
X = test.data[rows].reset_index(drop=True)
row = X.index[X["text"].str.startswith("The value to use")][0]
display = TokenAttributionDisplay.from_estimator(clf, X, row=row)
plt.show()

# %%
# In a notebook, and here, the display is also HTML:

display

# %%
# Why not another class?
# ----------------------
#
# The same words, asked for another class. What speaks for one speaks against the other.

TokenAttributionDisplay.from_estimator(clf, X, row=row, target="Returns")
plt.show()

# %%
# The numbers
# -----------
#
# n-grams of characters and of words share what a word says. ``explain`` has each of them.

reasons = clf.explain(X, rows=[row])
own = reasons[reasons["source"].isin(["ngram", "wide"])]
own.groupby("feature")["contribution"].sum().sort_values(key=abs, ascending=False).head(8).round(3)

# %%
# The whole docstring
# -------------------
#
# Each line with its words, its class, and the lines before it that counted.

ConversationDisplay.from_estimator(clf, X)
