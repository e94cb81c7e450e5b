"""Training pieces that are placed far from the beginning of their group."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from .._network._batch import RowBatch
from .._rows._packing import concatenated_ranges
from .._rows._positions import describe_far_places
from .._rows._row_set import TRAINING_PIECE, RowSet

# The gates of a minGRU do not see the memory. Therefore it finds an earlier row by attention to
# its position, which fails where all positions look the same: trained on talks of 8 to 15 turns,
# its accuracy in talks of 1,500 was .96, .75 and .97 (three seeds) where it was .98 in talks of 15.
# With a tenth of the pieces far from the beginning it is .97, .98 and .99; a quarter costs one seed
# four points in talks of 15. Other memories do not need it.
NEEDS_FAR_PLACES = ("mingru",)
FAR_SHARE = 0.1
FEWEST_WHOLE = 0.75  # with more groups longer than a piece, most pieces are far already


@dataclass
class FarPlaces:
    """Places a random share of the pieces of a batch in the middle of a long group.

    Parameters
    ----------
    longest : int
        Number of rows of the longest group of the fit.
    both : bool
        Whether rows know the number of later rows, too.
    """

    longest: int
    both: bool

    def move(self, batch: RowBatch, random: np.random.RandomState) -> RowBatch:
        """Return a batch with other positions of some pieces."""
        assert batch.packing is not None
        assert batch.extras is not None
        sizes = batch.packing.step_sizes.numpy()
        pieces = concatenated_ranges(np.zeros_like(sizes), sizes)  # of each row
        relative = random.random_sample(sizes[0])[pieces] if self.both else None
        places = torch.from_numpy(describe_far_places(len(pieces), self.longest, relative))
        moved = torch.from_numpy(random.random_sample(sizes[0])[pieces] < FAR_SHARE)
        extras, n_places = batch.extras.clone(), places.shape[1]
        extras[:, :n_places] = torch.where(moved[:, None], places, extras[:, :n_places])
        return replace(batch, extras=extras)


def choose_far_places(rows: RowSet, memory: str, longest: int | None) -> FarPlaces | None:
    """Return what moves pieces of these rows, or None if none need to be moved."""
    if memory not in NEEDS_FAR_PLACES or longest is None or rows.context == "none":
        return None
    n_pieces = (-(-rows.lengths // TRAINING_PIECE)).sum()
    if len(rows.lengths) < FEWEST_WHOLE * n_pieces:
        return None
    return FarPlaces(longest, rows.context == "both")
