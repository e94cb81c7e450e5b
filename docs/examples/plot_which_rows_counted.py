"""
Explaining a prediction by earlier rows
=======================================

For each row of a conversation, what every row before it added to the decision. Here the
conversation is a docstring, its rows are the lines, and the class is the section.
"""

# %%
# Fit a classifier on earlier rows
# --------------------------------

import matplotlib.pyplot as plt

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import load_docstring_sections
from sk_ctxmem.inspection import ContextAttributionDisplay

train = load_docstring_sections(subset="train", packages=("numpy",))
test = load_docstring_sections(subset="test", packages=("numpy",))
few = train.groups.isin(train.groups.drop_duplicates().sample(300, random_state=0))
clf = ContextMemoryClassifier(
    text_column="text", group_column="group", order_column="order", random_state=0
).fit(train.data[few], train.target[few])

# %%
# One unseen docstring
# --------------------

rows = test.groups == "numpy.ma.core.MaskedArray.tolist"
X, y = test.data[rows].reset_index(drop=True), test.target[rows].to_numpy()
X.assign(section=y, predicted=clf.predict(X))[["text", "section", "predicted"]]

# %%
# Heat map
# --------
#
# A line of the map explains one row, and its cells are the rows before it. A cell is what the
# text of that row added to the log-odds of the predicted class, in brackets: blue is for the
# class, orange against it. Numbers on the right do not come from other rows: the line's own text,
# and its position.

figure, axes = plt.subplots(figsize=(10, 8), layout="constrained")
ContextAttributionDisplay.from_estimator(clf, X, ax=axes)
plt.show()

# %%
# The numbers behind it are in a tidy frame. Of the last row, what counted most:

reasons = clf.explain(X, rows=[len(X) - 1])
reasons.groupby("source")["contribution"].sum().round(2)

# %%
counted = reasons[reasons["source"] == "row"].nlargest(5, "contribution")
counted.assign(text=X["text"].to_numpy()[counted["from_row"]])[["from_row", "text", "contribution"]]

# %%
# ``kind="attention"`` draws the weights of attention instead. They say where it looked, which is
# no reason: :ref:`guide_explanation`.
