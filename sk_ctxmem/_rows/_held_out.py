"""Selection of held-out groups for early stopping and calibration."""

import numpy as np

MIN_HELD_OUT_ROWS = 10


def hold_out_groups(group_codes, targets, weights, fraction, random, *, grouped):
    """Select groups to hold out such that every class remains among the other rows.

    Parameters
    ----------
    group_codes : ndarray of shape (n_rows,), int64
        Group index of each row. Without groups, the row index.
    targets : ndarray of shape (n_rows,), int64, or (n_rows, n_labels)
        Class index of each row, or indicators of its labels.
    weights : ndarray of shape (n_rows,)
        Sample weights. Rows of weight 0 are ignored.
    fraction : float
        Approximate fraction of the rows to hold out.
    random : RandomState
        Random number generator.
    grouped : bool
        Whether the user passed groups. If True, raise if no group can be held out.

    Returns
    -------
    held_out : ndarray of shape (n_rows,), bool
        Mask of the held-out rows. All False if there are too few rows.

    Raises
    ------
    ValueError
        If `grouped` is True and no group can be held out.
    """
    n_groups = int(group_codes.max()) + 1
    if grouped and n_groups < 2:
        raise ValueError(
            f"validation_fraction={fraction!r} needs at least 2 groups, because a group is never "
            "split, but there is 1; pass n_iter_no_change=None to train without a validation set."
        )
    held_out = np.zeros(n_groups, dtype=bool)
    wanted = round(fraction * np.count_nonzero(weights))
    if wanted < MIN_HELD_OUT_ROWS:
        return held_out[group_codes]
    counted = weights > 0
    by_group = np.argsort(group_codes[counted], kind="stable")
    ends = np.cumsum(np.bincount(group_codes[counted], minlength=n_groups))
    members = np.split(
        targets[counted][by_group], ends[:-1]
    )  # the classes of the rows of each group
    count = _count_labels if targets.ndim == 2 else _count_classes
    totals = count(targets[counted], 0)
    held_out[_select(members, totals, count, wanted, random)] = True
    if grouped and not held_out.any():
        raise ValueError(
            f"validation_fraction={fraction!r} cannot be held out: each of the {n_groups} groups "
            "has at least a third of the rows, or is the only one with some class; pass "
            "n_iter_no_change=None to train without a validation set."
        )
    return held_out[group_codes]


def _count_classes(targets, n_classes):
    """Return the number of rows of each class."""
    return np.bincount(targets, minlength=n_classes)


def _count_labels(targets, n_labels):
    """Return the number of rows with each label."""
    return targets.sum(axis=0, dtype=np.int64)


def _select(members, totals, count, wanted, random):
    """Select groups in random order until there are enough rows.

    The last group with rows of some class is skipped, and so are groups of more than twice the
    wanted number of rows. If this leaves none, groups of up to a third of all rows are allowed.
    """
    n_rows = sum(map(len, members))
    for longest in (2 * wanted, n_rows // 3):
        left, n_chosen = totals.copy(), 0
        chosen = []
        for group in random.permutation(len(members)):
            if n_chosen >= wanted:
                break
            counts = count(members[group], len(totals))
            if 0 < len(members[group]) <= longest and (left > counts)[counts > 0].all():
                left -= counts
                n_chosen += len(members[group])
                chosen.append(group)
        if chosen:
            return chosen
    return []
