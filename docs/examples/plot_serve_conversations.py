"""
Serving conversations from several workers
==========================================

The turns of a conversation may reach any worker of a service. Its state lies in a database, so each
worker can continue where another one stopped. No server is needed to try that: two copies of a
model stand for two workers here, and a dict for Redis.
"""

# %%
# Two workers
# -----------
#
# ``conversations.py`` is the part of the service in :ref:`guide_serving` that knows neither HTTP
# nor Redis.

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import load_service_dialogues

sys.path.append("../serving")  # where conversations.py lies in docs; or put it beside this file
from conversations import Refusal, name_models, take_turn

train = load_service_dialogues(subset="train")
test = load_service_dialogues(subset="test")
rows, target = train.data[["text", "group"]], train.target
clf = ContextMemoryClassifier(text_column="text", group_column="group", random_state=0)
clf.fit(rows, target)

with TemporaryDirectory() as folder:
    path = Path(folder) / "dialogues.ctxmem"
    clf.save(path)
    workers = [name_models([ContextMemoryClassifier.load(path)]) for _ in range(2)]

# %%
# A request reads the record of its conversation, adds a turn, and stores the new record.

records = {}  # in the place of Redis


def send(worker, conversation, turn, text):
    """Return the answer of a worker to a turn."""
    record = records.get(conversation)
    answer, new_record = take_turn(workers[worker], record, conversation, turn, text)
    if new_record is not None:  # a repeated turn changes nothing
        records[conversation] = new_record
    return answer


# %%
# Three conversations at once
# ---------------------------
#
# Their turns alternate, and the worker of each turn is random.

names = ["1_00018-test", "1_00046-test", "5_00006-test"]
talks = {name: list(test.data["text"][test.groups == name]) for name in names}
coming = [(turn, name) for name in names for turn in range(len(talks[name]))]
chance = np.random.default_rng(0)
requests = [(int(chance.integers(2)), name, turn) for turn, name in sorted(coming)]
answers = pd.DataFrame(
    [
        {"worker": worker, "conversation": name} | send(worker, name, turn, talks[name][turn])
        for worker, name, turn in requests
    ]
)
answers.drop(columns="model").head(6)

# %%
# The points are the probabilities of the answers, with the label above wherever it changes. The
# lines are what ``predict_proba`` says of the whole conversations, read at once: the points lie on
# them, whoever answered.

figure, axes = plt.subplots(3, figsize=(10, 6.5), sharex=True, layout="constrained")
largest = 0
for ax, name in zip(axes, names, strict=True):
    of_one = answers[answers["conversation"] == name]
    whole = clf.predict_proba(pd.DataFrame({"text": talks[name], "group": name})).max(axis=1)
    largest = max(largest, np.abs(whole - of_one["probability"]).max())
    ax.plot(whole, color="0.75", linewidth=3, label="predict_proba of the whole")
    for worker, color in enumerate(["#08519c", "#d95f0e"]):
        mine = of_one[of_one["worker"] == worker]
        ax.plot(mine["turn"], mine["probability"], "o", color=color, label=f"worker {worker}")
    for _, first in of_one[of_one["label"] != of_one["label"].shift()].iterrows():
        ax.text(first["turn"], 1.06, first["label"].replace(" ", "\n"), color="0.3", fontsize=6)
    ax.set_title(name, loc="left", fontsize=10)
    ax.set(xlim=(-0.3, 10), ylim=(0, 1.4), yticks=[0, 0.5, 1], ylabel="probability")
axes[-1].set(xlabel="turn", xticks=range(max(map(len, talks.values()))))
axes[-1].legend(loc="lower left", ncols=3, frameon=False)
print(f"largest difference: {largest:.0e}")
plt.show()

# %%
# The same request again
# ----------------------
#
# A client that got no answer sends the turn again. The other worker gives the answer that was
# stored, and the turn counts once: the record stays as it was.

name, turns = names[0], talks[names[0]]
last = len(turns) - 1
before, given = records[name], answers[answers["conversation"] == name].iloc[-1]
again = send(1 - given["worker"], name, last, turns[last])
print(again == given[list(again)].to_dict(), records[name] == before)

# %%
# A turn that comes too early
# ---------------------------
#
# It is refused, with the number of the turn that is expected.


def try_to_send(*request):
    """Print why a turn is refused."""
    try:
        send(*request)
    except Refusal as refusal:
        print(f"{refusal.reason}, expected {refusal.expected}: {refusal}")


try_to_send(0, name, last + 3, "Goodbye.")

# %%
# A damaged record
# ----------------
#
# One bit is enough. The record is refused by name, and turn 0 begins the conversation anew.

damaged = bytearray(records[name])
damaged[-100] ^= 1
records[name] = bytes(damaged)
try_to_send(1, name, last + 1, "Goodbye.")
send(1, name, 0, turns[0])

# %%
# A record of another model
# -------------------------
#
# A worker that has only a newer model leaves the conversation as it is. One that has both goes on
# with the model that the conversation began with.

newer = ContextMemoryClassifier(text_column="text", group_column="group", random_state=1)
newer.set_params(max_epochs=2).fit(rows, target)
workers += [name_models([newer]), name_models([newer, clf])]
try_to_send(2, name, 1, turns[1])
print(send(3, name, 1, turns[1])["model"] in workers[0])

# %%
# :ref:`guide_serving` has the whole service, with Redis and worker processes, and says what it
# promises when they fail.
