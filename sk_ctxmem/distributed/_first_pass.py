"""First pass over rows in files: counts classes, speakers and texts, and holds out rows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._input._rows import check_texts
from ._held_out import HeldOut, hash_groups

MAX_CLASSES = 10_000  # a column with more values is not a target
TEXT_BATCH_SIZE = 100_000  # merging counts is slow even for few texts
MAX_COUNTED_SPEAKERS = 100_000
MAX_CHECKED_GROUPS = 5_000_000  # checked for rows in several places; 16 bytes each


@dataclass
class Findings:
    """Results of the first pass.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Class labels.
    counts : ndarray of shape (n_classes,), int64
        Number of training rows of each class.
    speakers : Series
        Number of groups of each speaker.
    held_out : HeldOut
        Held-out rows.
    longest_group : int
        Number of rows of the longest group.
    """

    classes: np.ndarray
    counts: np.ndarray
    speakers: pd.Series
    held_out: HeldOut
    longest_group: int

    def add(self, classes, counts, speakers, longest_group):
        """Add the counts of other files."""
        self.longest_group = max(self.longest_group, longest_group)
        merged = _add(pd.Series(self.counts, self.classes), pd.Series(counts, classes))
        self.classes, self.counts = merged.index.to_numpy(), merged.to_numpy()
        self.speakers = _add(self.speakers, speakers)


class FirstPass:
    """First pass over all rows.

    Parameters
    ----------
    rows : ParquetRows
        Rows of the files.
    columns : dict of str to str or None
        Column names by role: text, group, order and speaker.
    target : str
        Column of the class labels.
    texts : TextCounts or None
        Counts of the texts of the training rows. None if they are not needed.
    n_held_out, seed : int
        Number of rows to hold out, and seed of the selection.
    """

    def __init__(self, rows, columns, target, texts, n_held_out, seed):
        self.rows = rows
        self.columns = columns
        self.target = target
        self.texts = texts
        self.seed = seed
        self.held_out = HeldOut(n_held_out)
        self.waiting = []  # texts that are not counted yet
        self.classes = self.speakers = pd.Series(dtype=np.int64)
        self.seen = _SeenGroups()
        self.longest_group = 1

    def run(self, bar):
        """Read all rows once.

        Parameters
        ----------
        bar : tqdm or None
            Progress bar, updated by the number of rows.

        Returns
        -------
        findings : Findings
            Classes, counts, speakers and held-out rows.
        """
        group_column = self.columns["group"]
        for frame, file in self.rows.frames_in_order():
            hashes = hash_groups(frame, group_column, self.seed)
            if group_column is not None:
                self.seen.add(hashes, file)
            self.longest_group = max(self.longest_group, np.bincount(pd.factorize(hashes)[0]).max())
            self._count_speakers(frame, hashes)
            self._count_rows(self.held_out.take(frame, hashes))
            if bar is not None:
                bar.update(len(frame))
        self.seen.check(self.rows, group_column, self.seed)
        rest = self.held_out.spare_classes(self.target, self.classes)
        if rest is not None:
            self._count_rows(rest)
        self._count_texts()
        labels, counts = self.classes.index.to_numpy(), self.classes.to_numpy()
        longest = int(self.longest_group)
        return Findings(labels, counts, self.speakers, self.held_out, longest)

    def _count_rows(self, frame):
        """Count texts and classes of training rows."""
        if not len(frame):
            return
        column = self.columns["text"]
        texts = check_texts(frame[column], f"column {column!r}")
        if self.texts is not None:
            self.waiting += texts
            if len(self.waiting) >= TEXT_BATCH_SIZE:
                self._count_texts()
        self.classes = _add(self.classes, frame[self.target].value_counts())
        if len(self.classes) > MAX_CLASSES:
            raise ValueError(
                f"target={self.target!r} has more than {MAX_CLASSES:,} values, such as "
                f"{self.classes.index[0]!r}; pass the name of the column of class labels."
            )

    def _count_texts(self):
        """Add the waiting texts to the counts."""
        if self.texts is not None:
            self.texts.add(self.waiting)
            self.waiting = []

    def _count_speakers(self, frame, hashes):
        """Count the groups of each speaker."""
        column = self.columns["speaker"]
        if column is None:
            return
        pairs = pd.DataFrame({"speaker": frame[column].to_numpy(), "unit": hashes}).dropna()
        counts = pairs.drop_duplicates()["speaker"].value_counts(sort=False)
        self.speakers = _add(self.speakers, counts)
        if len(self.speakers) > MAX_COUNTED_SPEAKERS:
            self.speakers = self.speakers.nlargest(MAX_COUNTED_SPEAKERS // 2)


def _add(counts, more):
    """Add counts; empty counts have no index dtype and are ignored."""
    return counts.add(more, fill_value=0).astype(np.int64) if len(counts) else more


class _SeenGroups:
    """Hashes and files of the first MAX_CHECKED_GROUPS groups."""

    def __init__(self):
        self.hashes, self.files, self.names = [], [], []
        self.n_groups = 0

    def add(self, hashes, file):
        """Add the groups of rows; the rows of a group are consecutive."""
        if self.n_groups >= MAX_CHECKED_GROUPS:
            return
        if not self.names or self.names[-1] != file:
            self.names.append(file)
        firsts = np.flatnonzero(np.r_[True, hashes[1:] != hashes[:-1]])
        self.hashes.append(hashes[firsts])
        self.files.append(np.full(len(firsts), len(self.names) - 1))
        self.n_groups += len(firsts)

    def of_all(self):
        """Return the hashes of all groups, in any order."""
        return np.concatenate(self.hashes) if self.hashes else np.zeros(0, dtype=np.uint64)

    def check(self, rows, group_column, seed):
        """Raise if the rows of a group are not consecutive, in one file or across files."""
        if not self.n_groups:
            return
        hashes, files = np.concatenate(self.hashes), np.concatenate(self.files)
        order = np.argsort(hashes, kind="stable")
        again = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
        if not len(again):
            return
        first, second = order[again[0]], order[again[0] + 1]
        where = {self.names[files[place]] for place in (first, second)}
        group = _find_group(rows, where, hashes[first], group_column, seed)
        places = " and ".join(repr(str(path)) for path in sorted(where))
        raise ValueError(
            f"Rows of group {group!r} are in several places, in {places}, but the rows of a group "
            "must be consecutive in one file; sort the rows by group before writing the files."
        )


def _find_group(rows, files, wanted, group_column, seed):
    """Return the group with a given hash."""
    for row_group in rows.row_groups:
        if row_group.file in files:
            for frame in rows.frames_of(row_group):
                found = hash_groups(frame, group_column, seed) == wanted
                if found.any():
                    return frame[group_column].iloc[int(found.argmax())]
    return None
