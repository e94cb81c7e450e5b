"""The choice of rows to hold out from a stream, in whole groups and in bounded memory."""

import numpy as np
import pandas as pd

STEP, MIXING = 0x9E3779B97F4A7C15, (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)  # of splitmix64


def hash_groups(frame, group_column, seed):
    """Return a number for the group of each row, which looks random and depends on the seed.

    Parameters
    ----------
    frame : DataFrame
        Rows; the index is their number among all rows.
    group_column : str or None
        Which group they belong to; None if each row is its own.
    seed : int
        The seed.

    Returns
    -------
    hashes : ndarray of shape (n_rows,), uint64
        Equal for the rows of a group, wherever they are.
    """
    if group_column is None:
        return _mix(frame.index.to_numpy().astype(np.uint64), seed)
    codes, ids = pd.factorize(frame[group_column])
    return _mix(pd.util.hash_array(np.asarray(ids), categorize=False), seed)[codes]


def _mix(numbers, seed):
    """Return the finaliser of splitmix64 (Steele et al., 2014) of numbers and a seed."""
    numbers = numbers + np.uint64((seed + 1) * STEP % 2**64)
    for shift, factor in zip((30, 27), MIXING, strict=True):
        numbers = (numbers ^ (numbers >> np.uint64(shift))) * np.uint64(factor)
    return numbers ^ (numbers >> np.uint64(31))


class HeldOut:
    """The groups of the smallest hashes, as many as have about the rows that are wanted.

    Which these are depends on the groups and the seed alone, not on the order of the files. Groups
    of more than twice the rows that are wanted are passed over.

    Parameters
    ----------
    n_wanted : int
        Number of rows; 0 holds none out.
    """

    def __init__(self, n_wanted):
        self.n_wanted = n_wanted
        self.limit = np.uint64(2**64 - 1) if n_wanted else np.uint64(0)
        self.frame = None
        self.hashes = np.zeros(0, dtype=np.uint64)

    def __len__(self):
        return len(self.hashes)

    def take(self, frame, hashes):
        """Take the groups of rows that are to be held out as far as is known until now.

        Parameters
        ----------
        frame : DataFrame
            Whole groups.
        hashes : ndarray of shape (n_rows,), uint64
            The hashes of their groups.

        Returns
        -------
        rest : DataFrame
            The other rows, and those held out until now that are not any more.
        """
        near = hashes < self.limit
        if not near.any():
            return frame
        held = [] if self.frame is None else [self.frame]
        pool = pd.concat([*held, frame[near]])
        pooled = np.concatenate([self.hashes, hashes[near]])
        units, sizes = np.unique(pooled, return_counts=True)
        units = units[sizes <= 2 * self.n_wanted]
        n_rows = np.cumsum(sizes[sizes <= 2 * self.n_wanted])
        n_units = int(np.searchsorted(n_rows, self.n_wanted)) + 1
        if n_units < len(units):
            self.limit = units[n_units]
        kept = np.isin(pooled, units[:n_units])
        self.frame, self.hashes = pool[kept], pooled[kept]
        return pd.concat([frame[~near], pool[~kept]])

    def spare_classes(self, target, counts):
        """Give back the groups without which a class would have no rows to learn from.

        Parameters
        ----------
        target : str
            Column of the classes.
        counts : Series
            Number of rows of each class that are not held out.

        Returns
        -------
        rest : DataFrame
            The rows of these groups.
        """
        if self.frame is None:
            return None
        left = counts.to_dict()
        given_back = np.zeros(len(self.hashes), dtype=bool)
        for unit in np.unique(self.hashes)[::-1]:
            rows = self.hashes == unit
            members = self.frame.loc[rows, target].tolist()
            if any(label not in left for label in members):
                given_back |= rows
                left.update(dict.fromkeys(members, 1))
        rest = self.frame[given_back]
        self.frame, self.hashes = self.frame[~given_back], self.hashes[~given_back]
        return rest
