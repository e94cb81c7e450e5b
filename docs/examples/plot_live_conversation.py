"""
Predicting a live conversation turn by turn
===========================================

A session predicts each turn when it comes, from the turns before it. ``fork`` tries a next turn
without changing the session.
"""

# %%
# Classifier and session
# ----------------------
#
# The turns are those of a dialogue with a virtual assistant that the classifier has not seen.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import load_service_dialogues

train = load_service_dialogues(subset="train")
test = load_service_dialogues(subset="test")
clf = ContextMemoryClassifier(text_column="text", group_column="group", random_state=0)
clf.fit(train.data[["text", "group"]], train.target)

turns = list(test.data["text"][test.groups == "1_00018-test"])
session = clf.session()
session.top_k_one(turns[0], k=3)

# %%
# Predict one turn at a time
# --------------------------

said = [session.predict_proba_one(turn) for turn in turns[1:4]]
session.history_

# %%
# Fork a session
# --------------
#
# Three turns that could come next, each in a fork of the session and in a new session:

lines = ["Yes.", "No, at 8 pm.", "What is the address?"]
pd.DataFrame(
    {
        "after these turns": [session.fork().predict_one(line) for line in lines],
        "without a past": [clf.session().predict_one(line) for line in lines],
    },
    index=lines,
)

# %%
# Probabilities of each turn
# --------------------------
#
# The session goes on. Its probabilities are those of ``predict_proba`` for the whole dialogue.

said += [session.predict_proba_one(turn) for turn in turns[4:]]
whole = clf.predict_proba(pd.DataFrame({"text": turns, "group": "one"}))
print(f"largest difference: {np.abs(whole[1:] - said).max():.0e}")

table = pd.DataFrame(said, columns=clf.classes_, index=turns[1:])
table = table[table.max().index[table.max() > 0.1]]
order = table.to_numpy().argmax(axis=0).argsort()  # classes by the turn at which they are surest
table = table.iloc[:, order]

figure, axes = plt.subplots(figsize=(9, 5), layout="constrained")
axes.imshow(table, cmap="Blues", vmin=0, vmax=1, aspect="auto")
axes.set_xticks(range(table.shape[1]), table.columns, rotation=20, ha="left")
axes.set_yticks(range(len(table)), [turn[:56] for turn in table.index])
axes.xaxis.tick_top()
for turn, column in enumerate(table.to_numpy().argmax(axis=1)):
    value = table.iloc[turn, column]
    color = "white" if value > 0.5 else "black"
    axes.text(column, turn, f"{value:.2f}", ha="center", va="center", color=color)
plt.show()

# %%
# :ref:`guide_sessions` tells how to store a session, and how to run many of them.
