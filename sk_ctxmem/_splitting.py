"""The choice of the rows that early stopping is judged by."""

import numpy as np

MIN_HELD_OUT_ROWS = 10


def hold_out_groups(unit_codes, targets, fraction, random, *, grouped):
    """Choose groups to hold out, so that every class stays in the rest.

    Parameters
    ----------
    unit_codes : ndarray of shape (n_rows,), int64
        Number of the group of each row, from 0; of the row itself if there are no groups.
    targets : ndarray of shape (n_rows,), int64
        Class numbers.
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
    n_units = int(unit_codes.max()) + 1
    if grouped and n_units < 2:
        raise ValueError(
            f"validation_fraction={fraction!r} needs at least 2 groups, because a group is never "
            "cut, but there is 1; pass n_iter_no_change=None to train without a validation part."
        )
    held_out = np.zeros(n_units, dtype=bool)
    wanted = round(fraction * len(targets))
    if wanted < MIN_HELD_OUT_ROWS:
        return held_out[unit_codes]
    for unit in _choose(unit_codes, targets, wanted, random):
        held_out[unit] = True
    if grouped and not held_out.any():
        raise ValueError(
            f"validation_fraction={fraction!r} cannot be held out: each of the {n_units} groups "
            "is longer than twice that, or the only one with some class; pass a larger fraction, "
            "or n_iter_no_change=None to train without a validation part."
        )
    return held_out[unit_codes]


def _choose(unit_codes, targets, wanted, random):
    """Yield units in random order until there are enough rows, sparing the last of a class."""
    n_classes = int(targets.max()) + 1
    by_unit = np.argsort(unit_codes, kind="stable")
    lengths = np.bincount(unit_codes)
    ends = np.cumsum(lengths)
    left = np.bincount(targets, minlength=n_classes)
    n_chosen = 0
    for unit in random.permutation(len(lengths)):
        if n_chosen >= wanted:
            return
        members = targets[by_unit[ends[unit] - lengths[unit] : ends[unit]]]
        counts = np.bincount(members, minlength=n_classes)
        if len(members) <= 2 * wanted and (left > counts)[counts > 0].all():
            left = left - counts
            n_chosen += len(members)
            yield unit
