"""
Early stopping
==============

By default, training stops after ``max_epochs``, which are four. With ``n_iter_no_change``, a part
of the groups is held out, training stops when their score no longer improves, and the best epoch
is kept.
"""

# %%
# Fits with and without early stopping
# ------------------------------------
#
# The rates of the optimiser fall over ``max_epochs``, so a fit of 20 epochs is not four epochs
# and then sixteen more.

import matplotlib.pyplot as plt
import pandas as pd

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import load_docstring_sections

train = load_docstring_sections(subset="train", packages=("numpy",))
test = load_docstring_sections(subset="test", packages=("numpy",))
few = train.groups.isin(train.groups.drop_duplicates().sample(150, random_state=0))
X, y = train.data[few], train.target[few]

roles = {"text_column": "text", "group_column": "group", "order_column": "order"}
plain = ContextMemoryClassifier(**roles, random_state=0).fit(X, y)
stopped = ContextMemoryClassifier(
    **roles, max_epochs=20, n_iter_no_change=3, validation_fraction=0.2, random_state=0
).fit(X, y)
print(stopped.stop_reason_)

# %%
# ``history_`` is a DataFrame, one line for each epoch.

stopped.history_.round(3)

# %%
# :class:`~sk_ctxmem.inspection.TrainingHistoryDisplay` draws it.

from sk_ctxmem.inspection import TrainingHistoryDisplay

display = TrainingHistoryDisplay.from_estimator(stopped)
plt.show()

# %%
# Learning curves and scores
# --------------------------

pd.DataFrame(
    {
        "epochs run": [plain.n_iter_, stopped.n_iter_],
        "rows trained on": ["all", "80 %"],
        "accuracy on other docstrings": [
            plain.score(test.data, test.target),
            stopped.score(test.data, test.target),
        ],
    },
    index=["default", "early stopping"],
).round(3)

# %%
# The price of early stopping is the fifth of the rows not trained on. It is for corpora that
# are learned by heart in an epoch or two, and for more epochs than the default:
# :ref:`guide_early_stopping`.
