"""The progress bar of a search."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .._training._progress import open_bar
from ._trial import Trial

MOST_CHARACTERS = 40  # of a candidate


class SearchProgress:
    """Shows what is tried, the best score, and the part of the budget that is used.

    Parameters
    ----------
    bar : tqdm or None
        The bar; None shows nothing.
    """

    def __init__(self, bar: Any) -> None:
        self.bar = bar
        self.best: float | None = None

    def show(self, trial: Trial) -> None:
        """Show the candidate that is fitted now."""
        if self.bar is not None:
            changes = trial.candidate.changes.items()
            described = ", ".join(f"{name}={value}" for name, value in changes) or "as given"
            self.bar.set_description(described[:MOST_CHARACTERS])

    def update(self, trial: Trial, cost: float) -> None:
        """Move the bar by the cost of a stage, and show the best score so far."""
        if self.bar is None:
            return
        if trial.is_complete and not trial.score < (self.best or trial.score):
            self.best = trial.score
            self.bar.set_postfix(best=f"{self.best:.3f}", refresh=False)
        self.bar.update(round(cost, 3))

    def refit(self) -> None:
        """Show that the best candidate is fitted on all rows."""
        if self.bar is not None:
            self.bar.set_description("fitting the best one on all rows")


@contextmanager
def search_progress(verbose: int, max_cost: float) -> Iterator[SearchProgress]:
    """Show a bar on standard error inside of a `with` block, and close it at the end."""
    with open_bar(verbose, desc="reading", total=max_cost, unit=" fits") as bar:
        yield SearchProgress(bar)
