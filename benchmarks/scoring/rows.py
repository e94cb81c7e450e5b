"""A fitted model, and files of the rows to predict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.corpora.corpus import Corpus, group_keys
from benchmarks.models.context_memory import column_parameters
from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.comparison import take_whole_groups

TRAIN_ROWS = 5_000
ROWS_OF_A_FILE = 50_000
FILES_OF_A_PART = 8  # files over which a conversation is spread


def fit_model(corpus: Corpus, path: Path) -> None:
    """Fit a classifier on part of the training rows, and save it."""
    train = add_order(take_whole_groups(corpus.part("train"), TRAIN_ROWS))
    clf = ContextMemoryClassifier(max_epochs=2, random_state=0, **column_parameters(train))
    clf.fit(train, train["label"]).save(path)


def write_rows(corpus: Corpus, n_rows: int, folder: Path) -> None:
    """Write copies of a corpus, with the rows of a conversation spread over the files of a part."""
    folder.mkdir(parents=True)
    rows = add_order(corpus.frame.drop(columns=["label", "split"]).reset_index(drop=True))
    rng = np.random.default_rng(0)
    part_rows = ROWS_OF_A_FILE * FILES_OF_A_PART
    copies = -(-min(part_rows, n_rows) // len(rows))
    for part in range(-(-n_rows // (copies * len(rows)))):
        numbers = range(part * copies, (part + 1) * copies)
        whole = pd.concat([copy_of(rows, number) for number in numbers], ignore_index=True)
        whole = whole[: n_rows - part * len(whole)]
        places = np.array_split(rng.permutation(len(whole)), FILES_OF_A_PART)
        for number, chosen in enumerate(places):
            whole.iloc[chosen].to_parquet(folder / f"{part:05}-{number}.parquet", index=False)


def add_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the position of each row in its conversation, and convert groups to strings."""
    keys = pd.Series(group_keys(frame), index=frame.index)
    order = frame["order"] if "order" in frame else keys.groupby(keys).cumcount()
    return frame.assign(order=order, group=frame["group"].astype(str))


def copy_of(rows: pd.DataFrame, number: int) -> pd.DataFrame:
    """Return a copy with new group names."""
    return rows.assign(group=rows["group"] + f" {number}")
