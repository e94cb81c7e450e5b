"""The choice of the rows that early stopping is judged by."""

import numpy as np

MIN_HELD_OUT_ROWS = 10


def hold_out_groups(group_codes, targets, weights, fraction, random, *, grouped):
    """Choose groups to hold out, so that every class stays in the rest.

    Parameters
    ----------
    group_codes : ndarray of shape (n_rows,), int64
        Number of the group of each row, from 0; of the row itself if there are no groups.
    targets : ndarray of shape (n_rows,), int64
        Class numbers.
    weights : ndarray of shape (n_rows,)
        Weights of the rows; those of weight 0 do not count.
    fraction : float
        Share of the rows to hold out, about.
    random : RandomState
        Chooses.
    grouped : bool
        Whether there are groups; then a choice that cannot be made is an error.

    Returns
    -------
    held_out : ndarray of shape (n_rows,), bool
        Which rows are held out; none of them if the rows are too few.

    Raises
    ------
    ValueError
        If there are groups, but too few to hold one out.
    """
    n_units = int(group_codes.max()) + 1
    if grouped and n_units < 2:
        raise ValueError(
            f"validation_fraction={fraction!r} needs at least 2 groups, because a group is never "
            "cut, but there is 1; pass n_iter_no_change=None to train without a validation part."
        )
    held_out = np.zeros(n_units, dtype=bool)
    wanted = round(fraction * np.count_nonzero(weights))
    if wanted < MIN_HELD_OUT_ROWS:
        return held_out[group_codes]
    counted = weights > 0
    by_unit = np.argsort(group_codes[counted], kind="stable")
    ends = np.cumsum(np.bincount(group_codes[counted], minlength=n_units))
    members = np.split(targets[counted][by_unit], ends[:-1])  # the classes in each unit
    held_out[_choose(members, wanted, random)] = True
    if grouped and not held_out.any():
        raise ValueError(
            f"validation_fraction={fraction!r} cannot be held out: each of the {n_units} groups "
            "has a third of the rows or more, or is the only one with some class; pass "
            "n_iter_no_change=None to train without a validation part."
        )
    return held_out[group_codes]


def _choose(members, wanted, random):
    """Choose units in random order until there are enough rows, sparing the last of a class.

    Units of more than twice the rows wanted are passed over. If there is no other, one is taken
    that has less than a third of all rows.
    """
    totals = np.bincount(np.concatenate(members))
    for longest in (2 * wanted, totals.sum() // 3):
        left = totals.copy()
        chosen = []
        for unit in random.permutation(len(members)):
            if totals.sum() - left.sum() >= wanted:
                break
            counts = np.bincount(members[unit], minlength=len(totals))
            if 0 < counts.sum() <= longest and (left > counts)[counts > 0].all():
                left -= counts
                chosen.append(unit)
        if chosen:
            return chosen
    return []
