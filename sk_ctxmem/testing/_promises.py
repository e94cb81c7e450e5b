"""The promises of a classifier, against which it is checked."""

from __future__ import annotations

from dataclasses import dataclass, fields
from numbers import Real

import numpy as np

from .._input._parameters import Choice, Flag, Number

COLUMN_ROLES = ("text", "group", "order", "speaker")


@dataclass(frozen=True, repr=False)
class ContextPromises:
    """The behaviour that a classifier of texts in context promises, and its columns.

    Parameters
    ----------
    sees : {"past", "both", "none"}, default="past"
        Which other rows of its group the probabilities of a row may depend on: the earlier rows,
        the earlier and later rows, or none.

    learns_context : bool, default=True
        Whether it learns, from about a thousand rows, a label that depends only on the row
        before. Ignored if `sees` is "none".

    tolerance : float, default=1e-05
        Largest difference between two probabilities that counts as equal.

    text_column : str, default="text"
        Column of the texts.

    group_column : str or None, default="group"
        Column of the group ids, for example the conversations. None if the classifier takes
        texts, and group ids as the argument ``groups`` of fit, predict and predict_proba.

    order_column : str or None, default=None
        Column of integers that sorts the rows of a group. None if the rows of X are sorted.

    speaker_column : str or None, default=None
        Column of the speakers, as strings.

    Examples
    --------
    >>> from sk_ctxmem.testing import CONTEXT_CHECKS, ContextPromises
    >>> from sk_ctxmem import ContextMemoryClassifier
    >>> promises = ContextPromises(group_column=None)
    >>> CONTEXT_CHECKS["check_unfitted"](ContextMemoryClassifier(), promises)
    """

    sees: str = "past"
    learns_context: bool = True
    tolerance: float = 1e-5
    text_column: str = "text"
    group_column: str | None = "group"
    order_column: str | None = None
    speaker_column: str | None = None

    def __post_init__(self):
        """Raise an error if a promise is not valid."""
        Choice("past", "both", "none").check("sees", self.sees)
        Flag().check("learns_context", self.learns_context)
        Number(Real, 0, np.inf, 1e-5).check("tolerance", self.tolerance)
        for role in ("order", "speaker"):
            name = getattr(self, f"{role}_column")
            if self.group_column is None and name is not None:
                raise ValueError(
                    f"{role}_column={name!r} needs a frame, but group_column=None means that the "
                    "classifier takes texts and groups; set group_column as well."
                )

    def __repr__(self):
        """Show the values that differ from the defaults."""
        shown = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)
            if getattr(self, field.name) != field.default
        ]
        return f"ContextPromises({', '.join(shown)})"

    @property
    def columns(self) -> dict[str, str]:
        """Map the role of each column to its name; empty if the classifier takes no frame."""
        if self.group_column is None:
            return {}
        named = {role: getattr(self, f"{role}_column") for role in COLUMN_ROLES}
        return {role: name for role, name in named.items() if name is not None}
