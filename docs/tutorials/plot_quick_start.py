"""
Quick start
===========

Fit a classifier to texts, then to conversations, and compare it with logistic regression.
"""

# %%
# Texts
# -----
#
# :class:`~sk_ctxmem.ContextMemoryClassifier` is a scikit-learn classifier that takes raw text.

# sphinx_gallery_thumbnail_path = '_static/memory_light.svg'
from sk_ctxmem import ContextMemoryClassifier

texts = ["what a lovely film", "a waste of two hours", "lovely music", "what a waste"] * 20
labels = ["good", "bad", "good", "bad"] * 20
clf = ContextMemoryClassifier(random_state=0).fit(texts, labels)
clf.predict(["lovely", "two hours"])

# %%
# It works in a ``Pipeline``, in ``cross_val_score`` and in ``GridSearchCV``. On texts without
# context it is about as accurate as a well-tuned linear model: :doc:`/accuracy`.

# %%
# Conversations
# -------------
#
# These calls are made up. The agent asks or offers something, and the caller says one word.

import numpy as np
import pandas as pd

agent = {
    "question": ["Is this your first visit?", "Do you have an account?", "Did you get our letter?"],
    "offer": ["Shall I book it for you?", "Shall I send the form?", "Should I put you through?"],
}
random = np.random.default_rng(0)
rows = []
for call in range(200):
    for turn in range(0, 8, 2):
        act = random.choice(["question", "offer"])
        reply = {"question": "answer", "offer": "decision"}[act]
        said, back = random.choice(agent[act]), random.choice(["Yes.", "No.", "Right."])
        rows.append([call, turn, "agent", said, act])
        rows.append([call, turn + 1, "caller", back, reply])
calls = pd.DataFrame(rows, columns=["call", "turn", "speaker", "text", "act"])
train, test = calls[calls["call"] < 150], calls[calls["call"] >= 150]
calls.head(4)

# %%
# "Yes." is an answer after a question and a decision after an offer. Logistic regression sees one
# turn at a time and has to guess. Our classifier is told which rows belong together, and reads the
# rows before. Columns without a role, such as ``act``, are not read.

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

lr = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(train["text"], train["act"])

clf = ContextMemoryClassifier(
    text_column="text",
    group_column="call",  # rows with the same value are one conversation
    order_column="turn",  # their order; leave it out if the rows are sorted
    speaker_column="speaker",  # who speaks, if you know
    random_state=0,
)
clf.fit(train, train["act"])

print(f"logistic regression      {lr.score(test['text'], test['act']):.2f}")
print(f"ContextMemoryClassifier  {clf.score(test, test['act']):.2f}")

# %%
# All of the difference is in the turns of the caller:

accuracy = pd.DataFrame(
    {
        "logistic regression": lr.predict(test["text"]) == test["act"],
        "ContextMemoryClassifier": clf.predict(test) == test["act"],
    }
)
accuracy.groupby(test["speaker"]).mean().round(2)

# %%
# One call
# --------
#
# The same "Yes." comes after a question and after an offer.

talk = pd.DataFrame(
    [
        ["new", 0, "agent", "Did you get our letter?"],
        ["new", 1, "caller", "Yes."],
        ["new", 2, "agent", "Shall I book it for you?"],
        ["new", 3, "caller", "Yes."],
    ],
    columns=["call", "turn", "speaker", "text"],
)
talk.assign(logistic_regression=lr.predict(talk["text"]), ours=clf.predict(talk))

# %%
# :class:`~sk_ctxmem.inspection.ConversationDisplay` shows why. Blue words and bars are for the
# predicted class. The bars below "Yes." are the earlier turns that decided it.

from sk_ctxmem.inspection import ConversationDisplay

ConversationDisplay.from_estimator(clf, talk)

# %%
# Cross-validation on a file
# --------------------------
#
# Your own data need one row for each turn. Keep conversations whole in the folds: if rows of one
# conversation are in training and test, scores are too high.

from sklearn.model_selection import StratifiedGroupKFold, cross_val_score

calls.to_csv("calls.csv", index=False)

calls = pd.read_csv("calls.csv")
folds = StratifiedGroupKFold(3)
cross_val_score(clf, calls, calls["act"], groups=calls["call"], cv=folds).round(2)

# %%
# Saving and loading
# ------------------
#
# A file has arrays and JSON, and no code.

clf.save("calls.ctxmem")
clf = ContextMemoryClassifier.load("calls.ctxmem")
clf.predict(talk)

# %%
# Next: :ref:`first_csv`, the :doc:`user guide </user_guide/index>`, and :doc:`/when_memory_pays`,
# which tells whether context helps on your data.
