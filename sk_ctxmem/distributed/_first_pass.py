"""The first pass over rows in files: what training needs to know beforehand."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._input._rows import check_texts
from ._held_out import HeldOut, hash_groups

MOST_CLASSES = 10_000  # more values than these are no classes
TEXTS_AT_ONCE = 100_000  # adding counts to those of all texts takes a while, however few they are
MOST_SPEAKERS = 100_000  # that are remembered while counting
MOST_CHECKED_GROUPS = 5_000_000  # of which it is seen that they come back, in 16 bytes each


@dataclass
class Findings:
    """What the first pass has found.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        All values of the target.
    counts : ndarray of shape (n_classes,), int64
        Number of rows of each that are not held out.
    speakers : Series
        Number of groups of each speaker.
    held_out : HeldOut
        The rows to hold out.
    """

    classes: np.ndarray
    counts: np.ndarray
    speakers: pd.Series
    held_out: HeldOut

    def add(self, classes, counts, speakers):
        """Add what was found in other files."""
        ours = _add(pd.Series(self.counts, self.classes), pd.Series(counts, classes))
        self.classes, self.counts = ours.index.to_numpy(), ours.to_numpy()
        self.speakers = _add(self.speakers, speakers)


class FirstPass:
    """One pass over all rows.

    Parameters
    ----------
    rows : ParquetRows
        The rows.
    columns : dict of str to str or None
        Names of the columns by their roles text, group, order and speaker.
    target : str
        Column of the classes.
    texts : TextCounts or None
        What counts the texts that are not held out, if they are to be counted.
    n_held_out, seed : int
        Number of rows to hold out, and the seed of the choice.
    """

    def __init__(self, rows, columns, target, texts, n_held_out, seed):
        self.rows = rows
        self.columns = columns
        self.target = target
        self.texts = texts
        self.seed = seed
        self.held_out = HeldOut(n_held_out)
        self.waiting = []  # texts that are still to be counted
        self.classes = self.speakers = pd.Series(dtype=np.int64)
        self.seen = _SeenGroups()

    def run(self, bar):
        """Read all rows once.

        Parameters
        ----------
        bar : tqdm or None
            Is moved by the rows.

        Returns
        -------
        findings : Findings
            What was found.
        """
        group_column = self.columns["group"]
        for frame, file in self.rows.frames_in_order():
            hashes = hash_groups(frame, group_column, self.seed)
            if group_column is not None:
                self.seen.add(hashes, file)
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
        return Findings(labels, counts, self.speakers, self.held_out)

    def _count_rows(self, frame):
        """Count texts and classes of rows to learn from."""
        if not len(frame):
            return
        column = self.columns["text"]
        texts = check_texts(frame[column], f"column {column!r}")
        if self.texts is not None:
            self.waiting += texts
            if len(self.waiting) >= TEXTS_AT_ONCE:
                self._count_texts()
        self.classes = _add(self.classes, frame[self.target].value_counts())
        if len(self.classes) > MOST_CLASSES:
            raise ValueError(
                f"target={self.target!r} has more than {MOST_CLASSES:,} values, such as "
                f"{self.classes.index[0]!r}; give the name of the column with the classes."
            )

    def _count_texts(self):
        """Count the texts that wait."""
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
        if len(self.speakers) > MOST_SPEAKERS:
            self.speakers = self.speakers.nlargest(MOST_SPEAKERS // 2)


def _add(counts, more):
    """Add counts of the same things; without any, there is no type of things yet."""
    return counts.add(more, fill_value=0).astype(np.int64) if len(counts) else more


class _SeenGroups:
    """The groups that were seen, by their hashes: the first MOST_CHECKED_GROUPS."""

    def __init__(self):
        self.hashes, self.files, self.names = [], [], []
        self.n_groups = 0

    def add(self, hashes, file):
        """Note the groups of rows, of which those of a group are neighbours."""
        if self.n_groups >= MOST_CHECKED_GROUPS:
            return
        if not self.names or self.names[-1] != file:
            self.names.append(file)
        firsts = np.flatnonzero(np.r_[True, hashes[1:] != hashes[:-1]])
        self.hashes.append(hashes[firsts])
        self.files.append(np.full(len(firsts), len(self.names) - 1))
        self.n_groups += len(firsts)

    def of_all(self):
        """Return the hashes of the groups, in any order."""
        return np.concatenate(self.hashes) if self.hashes else np.zeros(0, dtype=np.uint64)

    def check(self, rows, group_column, seed):
        """Raise if a group was seen again after others, in the same file or in another one."""
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
            f"Rows of group {group!r} stand in several places, in {places}, where those of a "
            "group must be next to each other in one file; sort the rows by the group before "
            "they are written to files."
        )


def _find_group(rows, files, wanted, group_column, seed):
    """Return the group of a hash."""
    for row_group in rows.row_groups:
        if row_group.file in files:
            for frame in rows.frames_of(row_group):
                found = hash_groups(frame, group_column, seed) == wanted
                if found.any():
                    return frame[group_column].iloc[int(found.argmax())]
    return None
