"""
Grid search without leakage between groups
==========================================

A split that separates the rows of a conversation gives scores that are too high, because training
and test rows share words and neighbours.
:class:`~sklearn.model_selection.StratifiedGroupKFold` keeps the rows of a group together.
"""

# %%
# Documents for cross-validation and for testing
# ----------------------------------------------
#
# A row is a line of a NumPy docstring, its class is the part of NumPy that it is from. Nothing
# but its words can tell, and the lines of one docstring share many.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_validate

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import load_docstring_sections

lines = load_docstring_sections(packages=("numpy",)).data
lines["part"] = lines["group"].str.split(".").str[1]
lines = lines[lines["part"].isin(["_core", "lib", "linalg", "ma", "polynomial"])]
documents = lines["group"].drop_duplicates().sample(frac=1, random_state=0)
known = lines[lines["group"].isin(documents[:150])]
new = lines[lines["group"].isin(documents[150:350])]
known["part"].value_counts()

# %%
# Cross-validated and test scores
# -------------------------------
#
# ``group_column`` tells the classifier what belongs together, ``groups=`` tells the split. Each
# of the models is then scored on documents that nobody has seen. ``GridSearchCV`` and
# ``cross_val_score`` take the same ``cv`` and ``groups``.

splits = {
    "StratifiedKFold": StratifiedKFold(3, shuffle=True, random_state=0),
    "StratifiedGroupKFold": StratifiedGroupKFold(3, shuffle=True, random_state=0),
}
columns = ["text", "group", "order"]
results = []
for context in ["none", "past"]:
    clf = ContextMemoryClassifier(
        context=context,
        text_column="text",
        group_column="group",
        order_column="order",
        random_state=0,
    )
    clf.set_params(vectorizer__char_ngram_range=None)  # words alone, which is faster
    for name, split in splits.items():
        groups = known["group"] if name == "StratifiedGroupKFold" else None
        folds = cross_validate(
            clf, known[columns], known["part"], groups=groups, cv=split, return_estimator=True
        )
        for claimed, model in zip(folds["test_score"], folds["estimator"], strict=True):
            results.append((context, name, claimed, model.score(new[columns], new["part"])))

results = pd.DataFrame(results, columns=["context", "split", "claimed", "on new documents"])
means = results.groupby(["context", "split"]).mean()
means.assign(gap=means["claimed"] - means["on new documents"]).round(3)

# %%
figure, axes = plt.subplots(1, 2, sharey=True, figsize=(9, 4), layout="constrained")
colors = {"StratifiedKFold": "#d95f0e", "StratifiedGroupKFold": "#08519c"}
for ax, (context, rows) in zip(axes, results.groupby("context"), strict=True):
    for place, (name, color) in enumerate(colors.items()):
        folds = rows[rows["split"] == name]
        ends = folds[["claimed", "on new documents"]].mean()
        ax.plot([place, place], ends, color=color, linewidth=3, alpha=0.4, zorder=0)
        ax.scatter([place] * 3, folds["claimed"], marker="_", s=400, color=color)
        ax.scatter(place, ends["claimed"], s=110, color=color)
        ax.scatter(place, ends["on new documents"], s=110, facecolor="white", edgecolor=color, lw=2)
        ax.text(place + 0.12, ends.mean(), f"{ends['claimed'] - ends['on new documents']:+.2f}")
    ax.set_xticks(
        range(2), ["StratifiedKFold\n(cuts groups)", "StratifiedGroupKFold\n(keeps them)"]
    )
    ax.set(xlim=(-0.6, 1.6), title=f'context="{context}"')
axes[0].set_ylabel("accuracy")
axes[1].scatter([], [], s=110, color="0.3", label="claimed (mean of three folds)")
axes[1].scatter([], [], s=110, facecolor="white", edgecolor="0.3", lw=2, label="on new documents")
axes[1].legend(loc="lower right", frameon=False)
plt.show()

# %%
# With groups cut, each model claims far more than it can do, with memory or without. With groups
# whole the claim is still too high here, but much nearer.
#
# :ref:`guide_score` names other reasons for scores that do not hold, :ref:`guide_search` shows
# the search.
