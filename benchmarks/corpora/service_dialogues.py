"""Choose the service dialogues that the package contains from a copy of the whole data.

    python -m benchmarks.corpora.service_dialogues FOLDER_OF_THE_REPOSITORY FILE.csv.gz

The description of `load_service_dialogues` names the commit to check out.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pandas as pd

# Files from all over each split, as each holds dialogues with few services; and how many to take.
FILES = {
    "train": (1, 11, 21, 31, 41, 51, 61, 91, 101, 111, 121),
    "test": (1, 5, 9, 13, 17, 21, 25, 33),
}
N_DIALOGUES = {"train": 240, "test": 80}
COLUMNS = ["split", "group", "order", "speaker", "text", "acts", "services"]


def turns_of(dialogue: dict, split: str) -> Iterator[tuple]:
    """Yield a row for each turn: who says what, its acts, and the services of the dialogue."""
    group = f"{dialogue['dialogue_id']}-{split}"
    services = " ".join(sorted({name.rpartition("_")[0] for name in dialogue["services"]}))
    for order, turn in enumerate(dialogue["turns"]):
        acts = {action["act"] for frame in turn["frames"] for action in frame["actions"]}
        speaker = turn["speaker"].lower()
        yield split, group, order, speaker, turn["utterance"], " ".join(sorted(acts)), services


def read_split(folder: Path, split: str) -> list[tuple]:
    """Return the rows of the dialogues of a split whose ids have the smallest sha256."""
    dialogues = [
        dialogue
        for number in FILES[split]
        for dialogue in json.loads((folder / split / f"dialogues_{number:03}.json").read_bytes())
    ]
    dialogues.sort(key=lambda dialogue: sha256(dialogue["dialogue_id"].encode()).hexdigest())
    chosen = sorted(dialogues[: N_DIALOGUES[split]], key=lambda dialogue: dialogue["dialogue_id"])
    return [row for dialogue in chosen for row in turns_of(dialogue, split)]


def build(folder: Path) -> bytes:
    """Return the compressed CSV file, the same bytes on each run."""
    rows = [row for split in FILES for row in read_split(folder, split)]
    text = pd.DataFrame(rows, columns=COLUMNS).to_csv(index=False, lineterminator="\n")
    return gzip.compress(text.encode(), compresslevel=9, mtime=0)


if __name__ == "__main__":
    source, output = map(Path, sys.argv[1:])
    output.write_bytes(build(source))
