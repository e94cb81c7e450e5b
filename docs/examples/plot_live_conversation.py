"""
Predicting a live conversation turn by turn
===========================================

A session predicts each turn when it comes, knowing the turns before it. ``fork`` tries what could
come next without changing what was.
"""

# %%
# Classifier and session
# ----------------------
#
# The lines of a docstring that the model has not seen stand for the turns.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import load_docstring_sections

train = load_docstring_sections(subset="train", packages=("numpy",))
test = load_docstring_sections(subset="test", packages=("numpy",))
few = train.groups.isin(train.groups.drop_duplicates().sample(300, random_state=0))
clf = ContextMemoryClassifier(text_column="text", group_column="group", random_state=0)
clf.fit(train.data[few][["text", "group"]], train.target[few])

turns = list(test.data["text"][test.groups == "numpy.ma.core.MaskedArray.tolist"])
session = clf.session()
session.top_k_one(turns[0], k=3)

# %%
# Predict one turn at a time
# --------------------------

said = [session.predict_proba_one(turn) for turn in turns[1:6]]
session.history_

# %%
# Fork a session
# --------------
#
# Lines that could come next, each in a session of its own with the same past, and the same lines
# without a past:

lines = ["list of scalars", "result : list", ">>> x.tolist()"]
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
# The session itself goes on. At its end it has said what ``predict_proba`` says of the whole.

said += [session.predict_proba_one(turn) for turn in turns[6:]]
whole = clf.predict_proba(pd.DataFrame({"text": turns, "group": "one"}))
print(f"largest difference: {np.abs(whole[1:] - said).max():.0e}")

table = pd.DataFrame(said, columns=clf.classes_, index=turns[1:])
table = table[table.max().index[table.max() > 0.1]]
order = table.to_numpy().argmax(axis=0).argsort()  # classes by the turn at which they are surest
table = table.iloc[:, order]

figure, axes = plt.subplots(figsize=(9, 5), layout="constrained")
axes.imshow(table, cmap="Blues", vmin=0, vmax=1, aspect="auto")
axes.set_xticks(range(table.shape[1]), table.columns)
axes.set_yticks(range(len(table)), [turn[:56] for turn in table.index])
axes.xaxis.tick_top()
for turn, column in enumerate(table.to_numpy().argmax(axis=1)):
    value = table.iloc[turn, column]
    color = "white" if value > 0.5 else "black"
    axes.text(column, turn, f"{value:.2f}", ha="center", va="center", color=color)
plt.show()

# %%
# :ref:`guide_sessions` tells how to store a session, and how to run many of them.
