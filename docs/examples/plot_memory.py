"""
Does the row before matter?
===========================

In these made-up conversations "Yes." says nothing by itself: its class is told by the turn before.
"""

# %%
# The conversations, and the same classifier with and without memory.

import matplotlib.pyplot as plt

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import make_conversations

train, test = make_conversations(60, random_state=0), make_conversations(30, random_state=1)
train.data.head(6).assign(target=train.target[:6])

# %%
scores = {}
for context in ["none", "past"]:
    clf = ContextMemoryClassifier(
        context=context, text_column="text", group_column="group", random_state=0
    )
    scores[context] = clf.fit(train.data, train.target).score(test.data, test.target)

# %%
figure, ax = plt.subplots(figsize=(5, 2), layout="constrained")
ax.barh(list(scores), list(scores.values()))
ax.set(xlim=(0, 1), xlabel="accuracy on other conversations", ylabel="context")
plt.show()
