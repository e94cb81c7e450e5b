"""What the fetchers of public corpora share: their parts, plain formats and the Bunch."""

import pandas as pd
from sklearn.utils import Bunch

from ._download import data_folder, fetch_file


def check_choice(name, value, choices):
    """Raise an error if a value is not one of the choices, of which the first is the default."""
    if value not in choices:
        raise ValueError(
            f"{name}={value!r} must be one of {choices}; use {choices[0]!r} if unsure."
        )


def choose_splits(subset, files):
    """Return the names of the parts that a subset stands for."""
    check_choice("subset", subset, ("all", *files))
    return list(files) if subset == "all" else [subset]


def read_labelled_lines(path, *, separator, encoding):
    """Read lines that consist of a label, the separator and a text."""
    # Not splitlines(), which would also split at characters such as U+0085 within a text.
    lines = path.read_bytes().decode(encoding).split("\n")
    rows = [line.rstrip("\r").partition(separator) for line in lines if line.strip()]
    return pd.DataFrame({"text": [row[2] for row in rows], "target": [row[0] for row in rows]})


def read_csv(path, columns):
    """Read columns of a CSV file as strings, renamed and in the order given."""
    # Without na_filter=False, a text such as "NA" or "None" would become a missing value.
    frame = pd.read_csv(
        path, usecols=list(columns), dtype=str, na_filter=False, encoding="utf-8"
    ).rename(columns=columns)
    return frame[list(columns.values())]


def _in_part(frame, split):
    """Say in a column which part the rows are from, and make the names of groups unique."""
    if "group" in frame:
        frame = frame.assign(group=[f"{split}:{group}" for group in frame["group"]])
    return frame.assign(split=split)


def fetch_parts(corpus, files, splits, read, *, data_home, download_if_missing, progressbar):
    """Return the rows of some parts of a corpus, one below the other."""
    folder = data_folder(data_home) / corpus
    paths = {
        split: fetch_file(
            files[split],
            folder,
            download_if_missing=download_if_missing,
            progressbar=progressbar,
        )
        for split in splits
    }
    parts = [_in_part(read(path), split) for split, path in paths.items()]
    return pd.concat(parts, ignore_index=True)


def make_bunch(frame, descr):
    """Return the Bunch of a frame whose labels stand in the column target."""
    frame = frame[[name for name in frame if name != "target"] + ["target"]]
    target_names = sorted(frame["target"].unique())
    groups = frame.get("group")
    shown = [name for name in ("text", "group", "order", "speaker") if name in frame]
    return Bunch(
        frame=frame,
        data=frame[shown],
        target=frame["target"],
        target_names=target_names,
        groups=groups,
        DESCR=descr.format(
            splits=", ".join(frame["split"].unique()) if "split" in frame else "all",
            n_rows=len(frame),
            n_groups=0 if groups is None else groups.nunique(),
            n_classes=len(target_names),
            target_names=", ".join(target_names),
        ),
    )
