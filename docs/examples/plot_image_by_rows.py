"""
How much of an image has to be seen?
====================================

An image is a sequence of rows of pixels. A classifier that reads it from the top says after each
row which digit it will be, and how sure it is.
"""

# %%
# Images as sequences
# -------------------
#
# An array of shape (n_images, n_rows, n_columns) is a sequence of rows for each image, with one
# label for the whole.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sk_ctxmem import ContextMemoryClassifier

digits = load_digits()
X, X_test, y, y_test = train_test_split(
    digits.images, digits.target, test_size=0.3, stratify=digits.target, random_state=0
)
clf = ContextMemoryClassifier(random_state=0).fit(X, y)
print(f"{X.shape}, accuracy on other images: {clf.score(X_test, y_test):.3f}")

# %%
# Accuracy after each row
# -----------------------
#
# The memory runs from the top down (``context="past"``, the default), so that an image of which
# only the first rows are there is an X like any other.

n_rows = X.shape[1]
so_far = np.stack([clf.predict_proba(X_test[:, :n]) for n in range(1, n_rows + 1)], axis=1)
guess = clf.classes_[so_far.argmax(axis=2)]
accuracy = (guess == y_test[:, np.newaxis]).mean(axis=0)

figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
rows = np.arange(1, n_rows + 1)
axes.plot(rows, 100 * accuracy, "o-", label="accuracy")
axes.plot(rows, 100 * so_far.max(axis=2).mean(axis=0), "s--", label="mean probability of the guess")
axes.set(xlabel="rows seen", ylabel="%", ylim=(0, 102))
axes.legend()
plt.show()

# %%
# Where the model decided
# -----------------------
#
# Beside each image are the probabilities of the ten digits after each of its rows. The line is
# where the guess becomes the last one, and stays: the first image is told early, the last one late.

is_other = guess != guess[:, [-1]]
decided = n_rows - np.argmax(is_other[:, ::-1], axis=1)  # rows before the decision
decided[~is_other.any(axis=1)] = 0
is_right = guess[:, -1] == y_test
by_time = np.flatnonzero(is_right)[np.argsort(decided[is_right], kind="stable")]
shown = by_time[np.linspace(0, len(by_time) - 1, 6).astype(int)]

figure, axes = plt.subplots(3, 4, figsize=(9, 8), layout="constrained", sharey=True)
for number, (left, right) in zip(shown, axes.reshape(-1, 2), strict=True):
    left.imshow(X_test[number], cmap="gray_r")
    right.imshow(so_far[number], cmap="Blues", vmin=0, vmax=1, aspect="auto")
    right.set_box_aspect(1)
    right.set_xticks(range(10))
    right.set_title(f"a {y_test[number]}, decided in row {decided[number] + 1}", fontsize=9)
    for panel in (left, right):
        panel.axhline(decided[number] - 0.5, color="C3")
        panel.set_yticks(range(n_rows), rows)
    left.set_xticks([])
plt.show()

# %%
# ``python -m benchmarks.sequences`` compares the accuracy with that of other classifiers.
