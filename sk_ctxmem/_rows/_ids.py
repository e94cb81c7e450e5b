"""Warnings about group ids that may merge or split conversations."""

from datetime import date, time, timedelta

import numpy as np
import pandas as pd

from .._messages import doc_link, warn_caller
from ..exceptions import MergedGroupsWarning, MissingGroupsWarning
from ._arrange import encode_groups, order_numbers

N_EXAMPLES = 3
# what str() makes of missing values, and what databases write
NAMES_OF_MISSING = {"", "nan", "NaN", "None", "NaT", "<NA>", "NULL", "null"}


def warn_of_ids(inputs, columns, *, is_fit=False):
    """Warn of ids that may merge or split conversations.

    Parameters
    ----------
    inputs : InputRows
        Validated rows.
    columns : dict of str to str or None
        Column names by role.
    is_fit : bool, default=False
        Whether to warn of an order without groups, too.
    """
    if inputs.groups is None:
        if is_fit and inputs.order is not None:
            warn_caller(
                f"order_column={columns['order']!r} is not used, because there are no groups: each "
                "row is classified by itself. Set group_column or pass groups= to read the rows "
                "of a conversation in this order, or set order_column=None."
                + doc_link("group-ids"),
                MissingGroupsWarning,
            )
        return
    where = "groups" if columns["group"] is None else f"column {columns['group']!r}"
    codes, names = pd.factorize(inputs.groups)
    findings = [
        _find_coarse_floats(inputs.groups),
        _find_names_of_missing(codes, names),
        _find_equal_bools(inputs.groups),
        _find_split(names),
    ]
    if inputs.order is not None:
        findings.append(_find_repeated(inputs, columns["order"]))
    for finding in filter(None, findings):
        warn_caller(f"{where} {finding}" + doc_link("group-ids"), MergedGroupsWarning)


def _find_coarse_floats(groups):
    """Describe floats so large that integers next to each other are the same float."""
    for kind, values in _floats_by_type(groups):
        first_merged = 2 ** (np.finfo(kind).nmant + 1)
        large = np.unique(values[(np.abs(values) >= first_merged) & np.isfinite(values)])
        if len(large):
            return (
                f"has ids of type {np.dtype(kind).name} from {first_merged:,} on, such as "
                f"{_show(large)}, which several integers are rounded to: different conversations "
                "may have become one. Read the ids as int64 or str, such as with "
                "dtype=str in pandas.read_csv."
            )
    return None


def _floats_by_type(groups):
    """Yield the types of floats in an array, and their values."""
    if groups.dtype.kind == "f":
        yield groups.dtype, groups
    elif groups.dtype == object:
        for kind in set(map(type, groups)):
            if issubclass(kind, float | np.floating):
                yield kind, np.array([each for each in groups if type(each) is kind])


def _find_names_of_missing(codes, names):
    """Describe rows that share an id that stands for a missing one."""
    counts = np.bincount(codes).tolist()
    found = [n for n, name in enumerate(names) if counts[n] > 1 and _is_name_of_missing(name)]
    if not found:
        return None
    n_rows = int(np.isin(codes, found).sum())
    row = int(np.isin(codes, found).argmax())
    return (
        f"has the id {_show([names[codes[row]]])} in row {row}, and {n_rows} such rows: an "
        "id that stands for a missing one makes one conversation of them. Give each "
        "conversation its own id; a row that belongs to none needs an id of its own."
    )


def _is_name_of_missing(name):
    return isinstance(name, str) and name.strip() in NAMES_OF_MISSING


def _find_equal_bools(groups):
    """Describe bools beside numbers that are equal to them."""
    if groups.dtype != object:
        return None
    kinds = set(map(type, groups))
    bools = {bool(each) for each in groups if isinstance(each, bool | np.bool_)}
    if len(kinds) < 2 or not bools:
        return None
    numbers = {each for each in groups if not isinstance(each, bool | np.bool_ | str)}
    equal = sorted(bools & numbers)
    if not equal:
        return None
    return (
        f"has the ids {_show(equal)} and {_show(map(int, equal))}, which are equal: they are one "
        "conversation. Convert the ids to str."
    )


def _find_split(names):
    """Describe ids that differ in their type or in white space at their ends only."""
    if names.dtype.kind not in "OUT":
        return None
    by_text: dict = {}
    for name in names.tolist():
        by_text.setdefault(_as_text(name), []).append(name)
    pairs = [alike[:2] for alike in by_text.values() if len(alike) > 1]
    if not pairs:
        return None
    shown = "; ".join(_show(pair) for pair in pairs[:N_EXAMPLES])
    return (
        f"has {len(pairs)} pair(s) of ids that differ in type or white space alone, such as "
        f"{shown}: they are read as different conversations. Convert the ids to one type, such as "
        "with .astype(str).str.strip()."
    )


def _as_text(name):
    if isinstance(name, bytes):
        return name.decode(errors="replace").strip()
    if isinstance(name, float) and name.is_integer():
        return str(int(name))
    return str(name).strip() if isinstance(name, str | int | np.number) else name


def _find_repeated(inputs, order_column):
    """Describe rows with the group and order value of another row."""
    pairs = np.stack([encode_groups(inputs), order_numbers(inputs)], axis=1)
    _, firsts, codes = np.unique(pairs, axis=0, return_index=True, return_inverse=True)
    codes = codes.ravel()
    is_repeated = ~_follow_at_same_time(inputs, pairs)
    is_repeated[firsts] = False
    n_rows = int(is_repeated.sum())
    if not n_rows:
        return None
    code = np.bincount(codes[is_repeated]).argmax()
    rows = int(firsts[code]), int((is_repeated & (codes == code)).argmax())
    group, place = inputs.groups[rows[0]], inputs.order[rows[0]]
    return (
        f"and column {order_column!r} have the same values in {n_rows} row(s) as in others, such "
        f"as {_show([group])} and {_show([place])} in rows {rows[0]} and {rows[1]}: ids may be "
        "reused in several files, or rows may be duplicates. Make ids unique, for example by the "
        "name of the file, drop the duplicates, or use an order without ties; rows of equal order "
        "are read in the order of X."
    )


def _follow_at_same_time(inputs, pairs):
    """Return which rows have another text than the row of the same time before them in the group.

    Clocks of chats have seconds or minutes, so that such rows are no duplicates. Rows of another
    file with the same ids do not follow directly, and rows drawn twice have the same text.
    """
    follow = np.zeros(inputs.n_rows, dtype=bool)
    if inputs.kind != "text" or not _are_times(inputs.order):
        return follow
    by_group = np.argsort(pairs[:, 0], kind="stable")
    texts = np.fromiter(inputs.values, dtype=object, count=inputs.n_rows)[by_group]
    same_time = (pairs[by_group][1:] == pairs[by_group][:-1]).all(axis=1)
    follow[by_group[1:]] = same_time & (texts[1:] != texts[:-1]).astype(bool)
    return follow


def _are_times(order):
    """Return whether order values are dates, times or durations."""
    is_time = order.dtype == object and isinstance(order[0], date | time | timedelta)
    return order.dtype.kind in "mM" or is_time


def _show(values):
    """Return a few values for a message."""
    values = list(values)
    shown = [value.item() if hasattr(value, "item") else value for value in values[:N_EXAMPLES]]
    return " and ".join(f"{value!r:.40}" for value in shown)
