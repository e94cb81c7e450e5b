"""Labels of other shapes: one for each group of rows, and several for each row."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pandas as pd

from benchmarks.corpora.corpus import INDICATOR, sequences, targets

TURNS = ("text", "speaker")  # what a turn of a sequence has


def join_groups(frame: pd.DataFrame, source: str | Path) -> pd.DataFrame:
    """Make one row of each group: its text is that of all turns, for models without memory.

    Parameters
    ----------
    frame : DataFrame
        Rows with the columns "group", "text", "label" and optional ones.

    source : str or Path
        File of the rows, for the messages.

    Returns
    -------
    DataFrame
        The columns "text", "turns", "label" and, if there was one, "split". Turns are written as
        JSON, since strings can be hashed and sent to other processes.
    """
    constant = [name for name in ("label", "split") if name in frame]
    for name in constant:
        _check_constant(frame, name, source)
    columns = [name for name in TURNS if name in frame]
    groups = [frame.iloc[rows] for rows in sequences(frame)]
    joined = {
        "text": ["\n".join(group["text"]) for group in groups],
        "turns": [json.dumps({name: group[name].tolist() for name in columns}) for group in groups],
    }
    return pd.DataFrame(joined | {name: [g[name].iloc[0] for g in groups] for name in constant})


def _check_constant(frame: pd.DataFrame, name: str, source: str | Path) -> None:
    """Raise an error if a group has several values in a column."""
    counts = frame.groupby("group", sort=False)[name].nunique()
    if (counts > 1).any():
        group = counts.index[counts > 1][0]
        values = sorted(set(frame.loc[frame["group"] == group, name].astype(str)))
        raise ValueError(
            f"{source} has group {group!r} with several values in the {name} column "
            f"({', '.join(map(repr, values))}); --per group needs one {name} for each group. Write "
            "it in all rows of the group, or leave out --per."
        )


def read_turns(frame: pd.DataFrame) -> list[list[str]] | list[pd.DataFrame]:
    """Return the turns of each row that `join_groups` has made: texts, or frames with speakers."""
    turns = [json.loads(text) for text in frame["turns"]]
    if all(set(group) == {"text"} for group in turns):
        return [group["text"] for group in turns]
    return [pd.DataFrame(group) for group in turns]


def split_labels(frame: pd.DataFrame, separator: str, source: str | Path) -> pd.DataFrame:
    """Put an indicator column for each label in the place of the column "label".

    Parameters
    ----------
    frame : DataFrame
        Rows whose labels stand in one cell, a str.

    separator : str
        What stands between the labels of a cell. An empty cell has no label.

    source : str or Path
        File of the rows, for the messages.

    Returns
    -------
    DataFrame
        Rows with the columns that `targets` looks for.
    """
    cells = frame["label"]
    if not cells.str.contains(separator, regex=False).any():
        raise ValueError(
            f"{source} has no cell of labels with the separator {separator!r}, such as "
            f"{cells.iloc[0] if len(cells) else ''!r}; pass another --separator, or --label if "
            "each row has one class."
        )
    sets = [{label.strip() for label in cell.split(separator)} - {""} for cell in cells]
    names = sorted(set.union(*sets))
    indicator = {INDICATOR + name: [int(name in labels) for labels in sets] for name in names}
    return pd.concat([frame.drop(columns="label"), pd.DataFrame(indicator)], axis=1)


def drop_constant_labels(frame: pd.DataFrame, source: str | Path) -> pd.DataFrame:
    """Leave out labels that no training row has, or all have; warn of them."""
    train = targets(frame[frame["split"] == "train"])
    constant = [name for name in train if train[name].nunique() < 2]
    if len(constant) == train.shape[1]:
        raise ValueError(f"The training rows of {source} all have the same labels.")
    if constant:
        warnings.warn(
            f"{source} has labels that none or all of its training rows have, which are left out: "
            f"{', '.join(constant)}.",
            stacklevel=2,
        )
    return frame.drop(columns=[INDICATOR + name for name in constant])
