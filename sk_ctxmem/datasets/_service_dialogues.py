"""Service dialogues: turns of a user and an assistant, labelled with their dialogue acts."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.utils import Bunch

from ._bunch import check_choice, make_bunch

PATH = Path(__file__).parent / "data" / "service_dialogues.csv.gz"
COMMIT = "e852981ae34990f4358979625854259302feaa78"
SUBSETS = ("all", "train", "test")
TARGETS = ("act_set", "acts")

DESCR = """\
Service dialogues
=================

Each row is a turn of a dialogue in which a user asks a virtual assistant for a service, such as a
table in a restaurant or a bus. Its label is the set of its dialogue acts: "INFORM REQUEST_ALTS" is
one class, or two labels if target="acts". Each group is a dialogue.

    subset       {subset}
    turns        {n_rows}
    dialogues    {n_groups}
    sets         {n_classes}
    acts         {acts}

320 dialogues are chosen from the Schema-Guided Dialogue data of Google Research: 240 of its train
split and 80 of its test split, where some services are new. A program drew up what happens in
them, and people put it into words. Slots, values and the states of the dialogues are left out.

Source: github.com/google-research-datasets/dstc8-schema-guided-dialogue, commit
{commit}.
Reference: A. Rastogi, X. Zang, S. Sunkara, R. Gupta and P. Khaitan, "Towards scalable multi-domain
conversational agents: the schema-guided dialogue dataset", AAAI 2020.
Licence: CC BY-SA 4.0 (https://creativecommons.org/licenses/by-sa/4.0/), as that of the source. It
holds for the file beside this package's code, not for the code.
"""


def _wrap(acts):
    """Return the names in lines that stand below one another in the description."""
    indent = " " * 17
    return textwrap.fill(
        ", ".join(acts), 97, initial_indent=indent, subsequent_indent=indent
    ).strip()


def load_service_dialogues(*, subset: str = "all", target: Any = "act_set") -> Bunch:
    """Load turns of service dialogues, labelled with their dialogue acts.

    The dialogues come with the package; nothing is downloaded. What a turn such as "Yes, please."
    does depends on the turns before it.

    Parameters
    ----------
    subset : {"all", "train", "test"}, default="all"
        The split to return: 240 dialogues of the train split of the source, or 80 of its test
        split.

    target : {"act_set", "acts"}, default="act_set"
        Whether `target` has one class for each set of acts, or several labels for each turn.

    Returns
    -------
    dialogues : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the following attributes.

        frame : DataFrame of shape (n_turns, 7)
            The columns text, group, order, speaker, services (of the whole dialogue, separated by
            spaces), split and target (the acts of the turn, sorted and separated by spaces).
        data : DataFrame of shape (n_turns, 4)
            The columns text, group (the dialogue), order (0, 1, ... within the dialogue) and
            speaker ("user" or "system").
        target : Series of shape (n_turns,) or DataFrame of shape (n_turns, n_acts)
            The set of acts of each turn, or a column of zeros and ones for each act.
        target_names : list of str
            The sets in the returned rows or the 18 acts of the data, sorted.
        groups : Series of shape (n_turns,)
            The column group.
        DESCR : str
            Description with sizes, source and licence.

    Notes
    -----
    The licence of the data is CC BY-SA 4.0; that of the package does not hold for them.

    References
    ----------
    .. [1] A. Rastogi, X. Zang, S. Sunkara, R. Gupta and P. Khaitan, "Towards scalable multi-domain
       conversational agents: the schema-guided dialogue dataset", AAAI 2020.

    Examples
    --------
    >>> from sk_ctxmem.datasets import load_service_dialogues
    >>> dialogues = load_service_dialogues(subset="train")
    >>> dialogues.data.columns.tolist()
    ['text', 'group', 'order', 'speaker']
    >>> dialogues.target[4]
    'INFORM_INTENT SELECT'
    """
    check_choice("subset", subset, SUBSETS)
    check_choice("target", target, TARGETS)
    frame = pd.read_csv(PATH, dtype={"order": int}, keep_default_na=False)
    frame = frame.rename(columns={"acts": "target"})
    names = ["text", "group", "order", "speaker", "services", "split", "target"]
    indicators = frame["target"].str.get_dummies(" ")
    if subset != "all":
        is_wanted = frame["split"] == subset
        frame = frame[is_wanted].reset_index(drop=True)
        indicators = indicators[is_wanted].reset_index(drop=True)
    acts = indicators.columns.tolist()
    bunch = make_bunch(frame[names], DESCR, subset=subset, acts=_wrap(acts), commit=COMMIT)
    if target == "acts":
        bunch.update(target=indicators, target_names=acts)
    return bunch
