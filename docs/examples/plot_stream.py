"""
Incremental learning on chunks
==============================

``partial_fit`` needs one chunk in memory at a time, and the classifier can be used and saved after
each chunk.
"""

# %%
# Chunks of whole conversations
# -----------------------------
#
# Batches of a file end where they like. :func:`~sk_ctxmem.whole_groups` keeps the beginning of a
# cut group for the next chunk.

from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np

from sk_ctxmem import ContextMemoryClassifier, whole_groups
from sk_ctxmem.datasets import load_docstring_sections

train = load_docstring_sections(subset="train", packages=("numpy",))
test = load_docstring_sections(subset="test", packages=("numpy",))
some = test.groups.isin(test.groups.drop_duplicates().sample(100, random_state=0))
X_test, y_test = test.data[some], test.target[some]

shuffled = train.groups.drop_duplicates().sample(400, random_state=0)  # else module after module
rows = train.frame.set_index("group", drop=False).loc[shuffled].reset_index(drop=True)
batches = [rows[start : start + 1500] for start in range(0, len(rows), 1500)]
print(len(rows), "rows in", len(batches), "batches")

# %%
# Two passes over the chunks
# --------------------------
#
# The classes are named in the first call, as a chunk may lack some. The n-grams are those of the
# first chunk: make it a large one.

roles = {"text_column": "text", "group_column": "group", "order_column": "order"}
learner = ContextMemoryClassifier(**roles, random_state=0)
columns = ["text", "group", "order"]
scores = []
for _ in range(2):
    for chunk in whole_groups(batches, "group"):
        learner.partial_fit(chunk[columns], chunk["target"], classes=train.target_names)
        scores.append(learner.score(X_test, y_test))

# %%
# For comparison, one fit of all rows at once:

at_once = ContextMemoryClassifier(**roles, random_state=0).fit(rows[columns], rows["target"])
limit = at_once.score(X_test, y_test)

figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
axes.plot(np.arange(1, len(scores) + 1), scores, "o-", color="#08519c", label="partial_fit")
axes.axhline(limit, color="#d95f0e", linestyle="--", label="fit, all rows at once")
axes.axvline(len(scores) / 2 + 0.5, color="0.7", linewidth=1)
axes.text(len(scores) / 2 + 0.7, min(scores), "second pass", color="0.4")
axes.set(xlabel="chunks seen", ylabel="accuracy on other docstrings")
axes.set_xticks(range(2, len(scores) + 1, 2))
axes.legend(loc="lower right", frameon=False)
plt.show()

# %%
# Saving and loading
# ------------------
#
# ``save`` writes a file without code. What was loaded predicts the same, and can learn on.

with TemporaryDirectory() as folder:
    path = Path(folder) / "sections.ctxmem"
    learner.save(path)
    loaded = ContextMemoryClassifier.load(path)
    print(f"{path.stat().st_size / 1e6:.1f} MB")
print(np.array_equal(loaded.predict(X_test), learner.predict(X_test)))
