"""
Numbers and categories beside the text
======================================

``feature_columns`` names columns that tell something beside the text. Here a support desk sorts
messages by urgency, which depends on the text, on who writes, on how long they have waited, and on
what was said in the message before.
"""

# %%
# Made-up tickets
# ---------------
#
# A defect is worth two points and a question none, a business customer one, and more than a day of
# waiting one. Three or four points are urgent, and none is low. A reminder has no subject of its
# own: it counts as the message before it. One label in twenty is drawn at random.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sk_ctxmem import ContextMemoryClassifier

MESSAGES = {
    "defect": ["the {} does not start", "my {} crashes", "the {} shows an error", "no {} at all"],
    "question": ["how do I rename the {}", "where is the {}", "can I share the {}", "what is a {}"],
    "reminder": ["any news on this", "I am still waiting", "hello, is somebody there", "and now"],
}
THINGS = ["report", "calendar", "export", "editor", "printer", "mailbox", "archive", "backup"]


def make_ticket(ticket, random):
    """Return the messages of one ticket."""
    tier = random.choice(["basic", "business"], p=[0.6, 0.4])
    rows, subject = [], "question"
    for turn in range(random.randint(3, 9)):
        kind = random.choice(list(MESSAGES) if turn else ["defect", "question"])
        subject = subject if kind == "reminder" else kind
        text = random.choice(MESSAGES[kind]).format(random.choice(THINGS))
        hours = random.uniform(0, 48)
        points = 2 * (subject == "defect") + (tier == "business") + (hours > 24)
        urgency = ["low", "normal", "normal", "urgent", "urgent"][points]
        if random.rand() < 0.05:
            urgency = random.choice(["low", "normal", "urgent"])
        rows.append((ticket, text, tier, hours, kind, urgency))
    return rows


def make_tickets(n_tickets, seed):
    """Return the messages of tickets, one row each."""
    random = np.random.RandomState(seed)
    rows = [row for ticket in range(n_tickets) for row in make_ticket(ticket, random)]
    return pd.DataFrame(rows, columns=["ticket", "text", "tier", "hours", "kind", "urgency"])


train, test = make_tickets(400, seed=0), make_tickets(200, seed=1)
columns = ["ticket", "text", "tier", "hours"]
test[[*columns, "urgency"]].head(6).round(1)

# %%
# Three classifiers
# -----------------
#
# Logistic regression gets all columns of the row. The classifier with memory reads the text in its
# ticket, once without the two columns, which it then ignores, and once with them.

regression = make_pipeline(
    make_column_transformer(
        (TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)), "text"),
        (StandardScaler(), ["hours"]),
        (OneHotEncoder(), ["tier"]),
    ),
    LogisticRegression(C=10, max_iter=500),
)
roles = {"text_column": "text", "group_column": "ticket", "random_state": 0}
classifiers = {
    "logistic regression, all columns of the row": regression,
    "memory, text alone": ContextMemoryClassifier(**roles),
    "memory, feature_columns": ContextMemoryClassifier(**roles, feature_columns=["tier", "hours"]),
}
is_right = {
    name: clf.fit(train[columns], train["urgency"]).predict(test[columns]) == test["urgency"]
    for name, clf in classifiers.items()
}
is_reminder = test["kind"] == "reminder"
table = pd.DataFrame(
    {
        name: {
            "defects and questions": right[~is_reminder].mean(),
            "reminders": right[is_reminder].mean(),
        }
        for name, right in is_right.items()
    }
)
table.round(3)

# %%
# Neither the columns nor the ticket are enough alone. Logistic regression does not know what a
# reminder is about, and without the columns nobody knows who waits, and for how long. More than
# 97 % cannot be had, as some labels are random.

figure, axes = plt.subplots(figsize=(8, 3.2), layout="constrained")
table.T.plot.barh(ax=axes, color=["#9ecae1", "#08519c"], width=0.7)
for bars in axes.containers:
    axes.bar_label(bars, fmt="{:.0%}", padding=3)
axes.set(xlim=(0, 1.1), xlabel="accuracy on other tickets")
axes.invert_yaxis()
axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
plt.show()

# %%
# Why is this reminder urgent?
# ----------------------------
#
# ``explain`` has a line for each column, beside those of the words and of the rows before. X is the
# whole ticket. Its last message is urgent because the one before is a defect, and because it came
# after 41 hours; that the customer is no business speaks against it.

clf = classifiers["memory, feature_columns"]
ticket = test[test["ticket"] == 14].reset_index(drop=True)
ticket[[*columns, "urgency"]].round(1)

# %%
# Lines are summed by where they come from: a column, the words of a message, or neither. The sum of
# all is the log-odds of the class, less those of an empty text alone with average columns.

reasons = clf.explain(ticket[columns], rows=[2], target="urgent")
messages = {row: f'"{text}"' for row, text in ticket["text"].items()}
source = reasons["from_row"].map(messages).fillna("place in the ticket")
source = source.mask(reasons["source"] == "column", reasons["feature"])
sums = reasons.groupby(source)["contribution"].sum().sort_values()

figure, axes = plt.subplots(figsize=(8, 2.8), layout="constrained")
bars = axes.barh(sums.index, sums, color=np.where(sums > 0, "#08519c", "#d95f0e"))
axes.bar_label(bars, fmt="{:+.1f}", padding=3)
axes.axvline(0, color="0.3", linewidth=0.8)
axes.margins(x=0.12)
axes.set(xlabel='contribution to "urgent"', title="The third message of the ticket")
plt.show()
