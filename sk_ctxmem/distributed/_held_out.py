"""Selection of held-out groups from a stream, in bounded memory."""

import numpy as np
import pandas as pd

STEP, MIXING = 0x9E3779B97F4A7C15, (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)  # of splitmix64


def hash_groups(frame, group_column, seed):
    """Return a hash of the group of each row, given a seed.

    Parameters
    ----------
    frame : DataFrame
        Rows. The index is their row number in all files.
    group_column : str or None
        Column of the groups. If None, each row is a group.
    seed : int
        Seed of the hashes.

    Returns
    -------
    hashes : ndarray of shape (n_rows,), uint64
        Hashes, equal for all rows of a group in any file.
    """
    if group_column is None:
        return _mix(frame.index.to_numpy().astype(np.uint64), seed)
    codes, ids = pd.factorize(frame[group_column])
    return _mix(pd.util.hash_array(np.asarray(ids), categorize=False), seed)[codes]


def _mix(numbers, seed):
    """Return the finalizer of splitmix64 (Steele et al., 2014) of numbers and a seed."""
    numbers = numbers + np.uint64((seed + 1) * STEP % 2**64)
    for shift, factor in zip((30, 27), MIXING, strict=True):
        numbers = (numbers ^ (numbers >> np.uint64(shift))) * np.uint64(factor)
    return numbers ^ (numbers >> np.uint64(31))


class HeldOut:
    """Held-out rows: the groups with the smallest hashes, up to about `n_wanted` rows.

    The selection depends only on the groups and the seed, not on the order of the files. Groups
    of more than twice `n_wanted` rows are skipped.

    Parameters
    ----------
    n_wanted : int
        Number of rows to hold out. If 0, none.
    """

    def __init__(self, n_wanted):
        self.n_wanted = n_wanted
        self.limit = np.uint64(2**64 - 1) if n_wanted else np.uint64(0)
        self.frame = None
        self.hashes = np.zeros(0, dtype=np.uint64)

    def __len__(self):
        return len(self.hashes)

    def take(self, frame, hashes):
        """Add the groups of a frame that belong to the selection so far.

        Parameters
        ----------
        frame : DataFrame
            Whole groups.
        hashes : ndarray of shape (n_rows,), uint64
            Hash of the group of each row.

        Returns
        -------
        rest : DataFrame
            The other rows, and rows that no longer belong to the selection.
        """
        near = hashes < self.limit
        if not near.any():
            return frame
        held = [] if self.frame is None else [self.frame]
        pool = pd.concat([*held, frame[near]])
        pooled = np.concatenate([self.hashes, hashes[near]])
        groups, sizes = np.unique(pooled, return_counts=True)
        groups = groups[sizes <= 2 * self.n_wanted]
        n_rows = np.cumsum(sizes[sizes <= 2 * self.n_wanted])
        n_groups = int(np.searchsorted(n_rows, self.n_wanted)) + 1
        if n_groups < len(groups):
            self.limit = groups[n_groups]
        kept = np.isin(pooled, groups[:n_groups])
        self.frame, self.hashes = pool[kept], pooled[kept]
        return pd.concat([frame[~near], pool[~kept]])

    def spare_classes(self, target, counts):
        """Return groups to the training rows so that no class is without training rows.

        Parameters
        ----------
        target : str
            Column of the class labels.
        counts : Series
            Number of training rows of each class.

        Returns
        -------
        rest : DataFrame
            Rows of the returned groups.
        """
        if self.frame is None:
            return None
        left = counts.to_dict()
        returned = np.zeros(len(self.hashes), dtype=bool)
        for group in np.unique(self.hashes)[::-1]:
            rows = self.hashes == group
            members = self.frame.loc[rows, target].tolist()
            if any(label not in left for label in members):
                returned |= rows
                left.update(dict.fromkeys(members, 1))
        rest = self.frame[returned]
        self.frame, self.hashes = self.frame[~returned], self.hashes[~returned]
        return rest
