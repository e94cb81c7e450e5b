"""What a classifier says of itself before it is checked."""

from dataclasses import dataclass, fields
from numbers import Real

import numpy as np

from .._input._parameters import Choice, Flag, Number

COLUMN_ROLES = ("text", "group", "order", "speaker")


@dataclass(frozen=True, repr=False)
class ContextPromises:
    """What a classifier of texts in their context promises, and how it takes them.

    Parameters
    ----------
    sees : {"past", "both", "none"}, default="past"
        Which other rows of its group may change the probabilities of a row: those before it,
        those before and after it, or none.

    learns_context : bool, default=True
        Whether it can learn, from about a thousand rows, a label that only the row before
        tells. Not asked of one that sees none.

    tolerance : float, default=1e-05
        Largest difference between two probabilities that counts as none.

    text_column : str, default="text"
        Column of the frame that the classifier takes the texts from.

    group_column : str or None, default="group"
        Column that says which conversation a row belongs to. None if the classifier takes texts,
        and the ids of their groups as ``groups=`` of fit, predict and predict_proba.

    order_column : str or None, default=None
        Column of integers that orders the rows of a group. None if they stand in order.

    speaker_column : str or None, default=None
        Column of strings that says who speaks.

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
        """Raise unless the promises can be checked."""
        Choice("past", "both", "none").check("sees", self.sees)
        Flag().check("learns_context", self.learns_context)
        Number(Real, 0, np.inf, 1e-5).check("tolerance", self.tolerance)
        for role in ("order", "speaker"):
            name = getattr(self, f"{role}_column")
            if self.group_column is None and name is not None:
                raise ValueError(
                    f"{role}_column={name!r} needs a frame, but group_column=None says that the "
                    "classifier takes texts and groups=; name the column of the groups too."
                )

    def __repr__(self):
        """Show what differs from the defaults."""
        shown = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)
            if getattr(self, field.name) != field.default
        ]
        return f"ContextPromises({', '.join(shown)})"

    @property
    def columns(self):
        """Names of the columns of the frame by role, or an empty dict without a frame."""
        if self.group_column is None:
            return {}
        named = {role: getattr(self, f"{role}_column") for role in COLUMN_ROLES}
        return {role: name for role, name in named.items() if name is not None}
