"""
.. _first_csv:

From a CSV file to a live session
=================================

You have a file of conversations with a label for each turn. This tutorial reads and cleans it, fits
a classifier, compares it with logistic regression, explains predictions and labels turns as they
come.
"""

# %%
# The result
# ----------
#
# The classifier labels each turn with its dialogue acts, and shows why: words and earlier turns for
# the class are blue, those against it orange. The data are dialogues between a user and a virtual
# assistant, which come with the package.

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import load_service_dialogues
from sk_ctxmem.inspection import ConversationDisplay

dialogues = load_service_dialogues(subset="train")
first = ContextMemoryClassifier(
    text_column="text",
    group_column="group",
    order_column="order",
    speaker_column="speaker",
    random_state=0,
).fit(dialogues.data, dialogues.target)

unseen = load_service_dialogues(subset="test")
shown = unseen.groups == "1_00046-test"
ConversationDisplay.from_estimator(first, unseen.data[shown], unseen.target[shown])

# %%
# CSV file
# --------
#
# The file needs a row for each turn, with columns of any names for text, conversation, place and
# label. This cell writes one from 160 dialogues, with faults that real files have: empty cells, a
# misspelt label and doubled rows. A second file has conversations without labels.

import pandas as pd

lines = dialogues.frame[["text", "group", "order", "speaker", "target"]].astype(str)
lines.columns = ["utterance", "call", "turn", "speaker", "act"]
names = lines["call"].drop_duplicates().sample(160, random_state=0)
new = lines[lines["call"].isin(names[:20])].drop(columns="act")
new.to_csv("new_calls.csv", index=False)

messy = lines[lines["call"].isin(names[20:])].reset_index(drop=True)
empty = {"utterance": [7, 50], "call": [90], "turn": [21], "act": [33, 34]}
for column, rows in empty.items():
    messy.loc[rows, column] = ""
messy.loc[messy.index[messy["act"] == "REQUEST"][3], "act"] = "REQEUST"
pd.concat([messy, messy[:2]]).to_csv("calls.csv", index=False)

# %%
# With a file of your own, begin here. Read all columns as strings. ``keep_default_na=False`` keeps
# texts such as "NA" and "None".

calls = pd.read_csv("calls.csv", dtype=str, keep_default_na=False)
calls.head()

# %%
# A single column or a ``ParserError`` means another separator, often ``sep=";"``. Odd letters or a
# ``UnicodeDecodeError`` mean another encoding, often ``encoding="cp1252"``. Count the empty cells:

(calls == "").sum()

# %%
# .. _first_csv_clean:
#
# Clean
# -----
#
# An empty id would join all rows without an id into one conversation. A place is a number or a
# date, and each row needs one. A text may be empty. This function is for all files, those to
# predict too:


def clean(rows):
    """Give each row a conversation and a place."""
    rows = rows.apply(lambda column: column.str.strip()).drop_duplicates()
    alone = "alone " + rows.index.astype(str)  # or the id above: .replace("", None).ffill()
    rows["call"] = rows["call"].mask(rows["call"] == "", alone)
    rows["turn"] = pd.to_numeric(rows["turn"], errors="coerce")
    before = rows.groupby("call")["turn"].ffill().fillna(-1)
    rows["turn"] = rows["turn"].fillna(before + 0.5)  # after the row above it
    return rows


print(len(calls), "rows before")
calls = clean(calls)
print(len(calls), "rows after")
print(calls.duplicated(["call", "turn"]).sum(), "places taken twice")

# %%
# - *Dates as places*: ``pd.to_datetime(rows["turn"], format="%d.%m.%Y %H:%M", errors="coerce")``.
#   Name the format, as "05/01/2026" is two dates. With UTC offsets, add ``utc=True``. Fill dates by
#   ``rows.groupby("call")["turn"].transform(lambda dates: dates.ffill().bfill())``: rows of the
#   same time stay in the order of the file.
# - *Places taken twice*: an id stands for two conversations, or a row is there twice with different
#   labels. ``calls[calls.duplicated(["call", "turn"], keep=False)]`` shows the rows.
# - *Ids such as "7" and "007"* are two conversations as strings and one as numbers.
#
# A row without a label cannot be learned from, and a class of a few rows can be neither learned nor
# tested. Look at the rare classes before you drop them:

counts = calls["act"].value_counts()
counts[counts < 10]

# %%
# Correct the misspelt label, and drop the rest:

calls["act"] = calls["act"].replace({"REQEUST": "REQUEST"})
is_known = (calls["act"] != "") & (calls["act"].map(calls["act"].value_counts()) >= 10)
calls = calls[is_known]
calls.to_csv("clean.csv", index=False)
print(f"{len(calls)} turns, {calls['call'].nunique()} calls, {calls['act'].nunique()} classes")

# %%
# A dropped turn is missing as context too. To keep it, give it any class and pass
# ``sample_weight=is_known.astype(float)`` to ``fit``: rows of weight 0 are not learned from.

# %%
# Split by conversation
# ---------------------

from sklearn.model_selection import GroupShuffleSplit

split = GroupShuffleSplit(1, test_size=0.25, random_state=0)
train, test = next(split.split(calls, groups=calls["call"]))
train, test = calls.iloc[train], calls.iloc[test]
print(f"{train['call'].nunique()} calls in training, {test['call'].nunique()} in test")

# %%
# Fit
# ---
#
# For finished transcripts, ``context="both"`` also reads later turns.

columns = ["utterance", "call", "turn", "speaker"]
clf = ContextMemoryClassifier(
    text_column="utterance",
    group_column="call",
    order_column="turn",
    speaker_column="speaker",  # leave it out if you have none
    random_state=0,
)
clf.fit(train[columns], train["act"])
print(f"accuracy {clf.score(test[columns], test['act']):.3f}")

# %%
# Comparison with logistic regression
# -----------------------------------

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import make_pipeline

regression = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10, max_iter=300))
regression.fit(train["utterance"], train["act"])
alone = ContextMemoryClassifier(text_column="utterance", random_state=0)
alone.fit(train[columns], train["act"])

predicted = {
    "logistic regression": regression.predict(test["utterance"]),
    "ours, rows alone": alone.predict(test[columns]),
    "ours, with memory": clf.predict(test[columns]),
}
table = pd.DataFrame(
    {
        name: {
            "accuracy": accuracy_score(test["act"], labels),
            "macro F1": f1_score(test["act"], labels, average="macro"),
        }
        for name, labels in predicted.items()
    }
).T
table.round(3)

# %%
# The third line adds memory and speakers to the second. The command ``compare`` cross-validates,
# with a tuned baseline and intervals (:ref:`guide_comparing`). ``run`` stands for a terminal here:

import shlex
import subprocess
import sys


def run(command, **options):
    """Run a command and print its output."""
    command = [sys.executable, *shlex.split(command)[1:]]
    print(subprocess.run(command, capture_output=True, text=True, **options).stdout)


run(
    "python -m sk_ctxmem compare clean.csv --text utterance --label act"
    " --group call --order turn --models lr,context-memory --rows 600 --folds 2"
    " --output compared.csv"
)

# %%
# :class:`~sk_ctxmem.inspection.ComparisonDisplay` draws the table, with the intervals of the
# differences from the baseline:

import matplotlib.pyplot as plt

from sk_ctxmem.inspection import ComparisonDisplay

ComparisonDisplay.from_table(pd.read_csv("compared.csv"))
plt.show()

# %%
# Lower than you thought? :ref:`guide_score`.

# %%
# Explaining a prediction
# -----------------------
#
# Take a turn that memory gets right and logistic regression gets wrong. ``explain`` needs the whole
# conversation and the position of the turn in it:

right = predicted["ours, with memory"] == test["act"]
gained = test[right & (predicted["logistic regression"] != test["act"])]
turn = gained[gained["turn"] >= 3].iloc[0]

call = test[test["call"] == turn["call"]].sort_values("turn").reset_index(drop=True)
row = int(call.index[call["turn"] == turn["turn"]][0])
call.loc[: row + 1, ["speaker", "utterance", "act"]]

# %%
reasons = clf.explain(call[columns], rows=[row])
print(f"turn {row}: {reasons['target'].iloc[0]}")
reasons.groupby("source")["contribution"].sum().round(2)

# %%
# ``"row"`` is what other turns add to the log-odds of the class, ``"ngram"`` and ``"wide"`` what
# the words of the turn add, and ``"structure"`` what is not text, such as the speaker.
# :class:`~sk_ctxmem.inspection.ContextAttributionDisplay` draws the turns:

from sk_ctxmem.inspection import ContextAttributionDisplay, TokenAttributionDisplay

figure, axes = plt.subplots(figsize=(10, 7), layout="constrained")
ContextAttributionDisplay.from_estimator(clf, call[columns], ax=axes)
plt.show()

# %%
# :class:`~sk_ctxmem.inspection.TokenAttributionDisplay` draws the words of the turn:

TokenAttributionDisplay.from_estimator(clf, call[columns], row=row)
plt.show()

# %%
# ``ConversationDisplay``, at the top of this page, shows both. Save it as a page for colleagues:

from pathlib import Path

page = ConversationDisplay.from_estimator(clf, call[columns], call["act"]).to_html()
Path("conversation.html").write_text(page, encoding="utf-8")

# %%
# Live session
# ------------
#
# A session labels turns as they come, and remembers them (:ref:`guide_sessions`).

session = clf.session()
for utterance, speaker in zip(call["utterance"][:6], call["speaker"][:6], strict=True):
    print(f"{session.predict_one(utterance, speaker=speaker):22}{utterance}")

# %%
# Saving and loading
# ------------------

clf.save("calls.ctxmem")
clf = ContextMemoryClassifier.load("calls.ctxmem")
clf

# %%
# New file
# --------
#
# Read and clean it in the same way. ``predict_proba`` needs whole conversations, in any order.

new = clean(pd.read_csv("new_calls.csv", dtype=str, keep_default_na=False))
probabilities = clf.predict_proba(new[columns])
new["act"] = clf.classes_[probabilities.argmax(axis=1)]
new["probability"] = probabilities.max(axis=1).round(3)
new.to_csv("predicted.csv", index=False)  # encoding="utf-8-sig" for spreadsheets
new.head()

# %%
# Files larger than memory: :doc:`/user_guide/large_fits`, :doc:`/user_guide/scoring_on_clusters`.

# %%
# Chat
# ----
#
# The command ``chat`` labels what you type (extra ``chat``). ``input=`` stands for the keyboard:

run(
    "python -m sk_ctxmem chat calls.ctxmem --speakers user system",
    input="I want a table for two.\nIn which city?\nSan Jose, please.\n",
)
