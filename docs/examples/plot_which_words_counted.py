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
from sk_ctxmem.datasets import load_service_dialogues
from sk_ctxmem.inspection import ConversationDisplay, TokenAttributionDisplay

train = load_service_dialogues(subset="train")
test = load_service_dialogues(subset="test")
clf = ContextMemoryClassifier(
    text_column="text", group_column="group", order_column="order", random_state=0
).fit(train.data, train.target)

# %%
# Words of one row
# ----------------
#
# X is the whole dialogue, because the classifier reads the row in its context. ``row`` is the
# position of the row in X. The bars are the strongest words: blue for the class, orange and
# hatched against it.

rows = test.groups == "1_00046-test"
X = test.data[rows].reset_index(drop=True)
row = X.index[X["text"] == "Yes, that room is good."][0]
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

TokenAttributionDisplay.from_estimator(clf, X, row=row, target="AFFIRM")
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
# Words of the whole dialogue
# ---------------------------
#
# ``ConversationDisplay`` shows each turn with its class, its shaded words and the earlier turns
# that contributed most.

ConversationDisplay.from_estimator(clf, X)
