"""
Explaining a prediction by words
================================

``TokenAttributionDisplay`` shows how much each word of a row contributed to its predicted class,
given the rows before it.
"""

# %%
# Fit a classifier
# ----------------

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
# Words of one row
# ----------------
#
# X is the whole docstring, because the classifier reads the row in its context. ``row`` is the
# position of the row in X. The bars are the strongest words: blue for the class, orange and
# hatched against it.

rows = test.groups == "numpy.ma.core.MaskedArray.tolist"
X = test.data[rows].reset_index(drop=True)
row = X.index[X["text"].str.startswith("The value to use")][0]
display = TokenAttributionDisplay.from_estimator(clf, X, row=row)
plt.show()

# %%
# In a notebook, the display is the text as HTML, with its words shaded:

display

# %%
# Explain another class
# ---------------------
#
# With ``target``, the words are explained for another class. Words that are for one class are
# often against the other.

TokenAttributionDisplay.from_estimator(clf, X, row=row, target="Returns")
plt.show()

# %%
# Contributions as numbers
# ------------------------
#
# The contribution of a word is a sum over its n-grams of characters and words. ``explain`` returns
# each n-gram.

reasons = clf.explain(X, rows=[row])
own = reasons[reasons["source"].isin(["ngram", "wide"])]
own.groupby("feature")["contribution"].sum().sort_values(key=abs, ascending=False).head(8).round(3)

# %%
# Words of the whole docstring
# ----------------------------
#
# ``ConversationDisplay`` shows each line with its class, its shaded words and the earlier lines
# that contributed most.

ConversationDisplay.from_estimator(clf, X)
