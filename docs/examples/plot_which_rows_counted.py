"""
Explaining a prediction by earlier rows
=======================================

For each turn of a dialogue, this shows what every turn before it contributes to the predicted
dialogue acts.
"""

# %%
# Fit a classifier on earlier rows
# --------------------------------

import matplotlib.pyplot as plt

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import load_service_dialogues
from sk_ctxmem.inspection import ContextAttributionDisplay

train = load_service_dialogues(subset="train")
test = load_service_dialogues(subset="test")
clf = ContextMemoryClassifier(
    text_column="text", group_column="group", order_column="order", random_state=0
).fit(train.data, train.target)

# %%
# One unseen dialogue
# -------------------

rows = test.groups == "5_00006-test"
X, y = test.data[rows].reset_index(drop=True), test.target[rows].to_numpy()
X.assign(acts=y, predicted=clf.predict(X))[["text", "acts", "predicted"]]

# %%
# Heat map
# --------
#
# Each line of the map explains one turn, and its cells are the turns before it. A cell is what the
# text of that turn adds to the log-odds of the predicted class, in brackets: blue is for the class,
# orange against it. The numbers on the right do not come from other turns: the turn's own text, and
# its position.

figure, axes = plt.subplots(figsize=(10, 5), layout="constrained")
ContextAttributionDisplay.from_estimator(clf, X, ax=axes)
plt.show()

# %%
# ``explain`` returns the numbers. For the last turn:

reasons = clf.explain(X, rows=[len(X) - 1])
reasons.groupby("source")["contribution"].sum().round(2)

# %%
counted = reasons[reasons["source"] == "row"].nlargest(5, "contribution")
counted.assign(text=X["text"].to_numpy()[counted["from_row"]])[["from_row", "text", "contribution"]]

# %%
# ``kind="attention"`` draws the weights of attention instead. They say where it looked, which is
# no reason: :ref:`guide_explanation`.
