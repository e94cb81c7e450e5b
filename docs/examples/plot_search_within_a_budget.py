"""
What do tuned parameters gain?
==============================

:class:`~sk_ctxmem.ContextMemoryClassifierCV` searches for parameters within a budget that is
counted in fits. The plot shows each candidate against time.
"""

# %%
# Lines of docstrings, and documents that nobody has seen
# -------------------------------------------------------
#
# The class of a line is its section, such as "Parameters". Sixty docstrings are to learn from,
# the others to test on.

import matplotlib.pyplot as plt
import pandas as pd

from sk_ctxmem import ContextMemoryClassifier, ContextMemoryClassifierCV
from sk_ctxmem.datasets import load_docstring_sections
from sk_ctxmem.inspection import TuningDisplay

sections = load_docstring_sections(packages=("numpy",))
lines = sections.data.assign(section=sections.target)
documents = lines["group"].drop_duplicates().sample(frac=1, random_state=0)
known = lines[lines["group"].isin(documents[:60])]
new = lines[lines["group"].isin(documents[60:260])]
columns = ["text", "group", "order"]

# %%
# A search in one line
# --------------------
#
# The budget is eight fits of the classifier as given, the last one on all rows included. Held-out
# rows are whole docstrings. All candidates share the features of a fold, and those that are behind
# after half of their epochs are given up.

clf = ContextMemoryClassifier(
    text_column="text", group_column="group", order_column="order", random_state=0
)
search = ContextMemoryClassifierCV(clf, max_cost=8, random_state=0)
search.fit(known[columns], known["section"])
print(search.best_params_)
print(f"cost: {search.cost_:.1f} fits; {search.stop_reason_}")

TuningDisplay.from_estimator(search)
plt.show()

# %%
# The first candidate is the classifier as given. Then come changes of one parameter at a time, and
# at the end those changes together that were better.

results = pd.DataFrame(search.cv_results_)
names = ["mean_test_score", "mean_test_criterion", "n_splits", "n_epochs", "cost"]
results.sort_values("rank_test_score")[names].head().round(3)

# %%
# Which score can be reported?
# ----------------------------
#
# ``best_score_`` chose the parameters, so it is too good to be reported. The score on documents
# that the search has not seen is honest.

as_given = clf.fit(known[columns], known["section"])
pd.Series(
    {
        "best_score_": search.best_score_,
        "search, on new documents": search.score(new[columns], new["section"]),
        "as given, on new documents": as_given.score(new[columns], new["section"]),
    }
).round(3)
