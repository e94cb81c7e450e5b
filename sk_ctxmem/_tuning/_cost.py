"""The cost of fits, in fits of the estimator as it was given."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from types import SimpleNamespace

# Share of a default fit that reads the texts; the rest trains. Measured on eight corpora.
READING_IN_CONTEXT, READING_WITHOUT = 0.2, 0.35
USUAL_EPOCHS = 4
# Times of an epoch, against the default's.
WORD_MEMORIES = {False: 1.0, True: 3.0, "convolution": 1.35}
MEMORIES = {"gru": 1.0, "elman": 0.8, "lstm": 1.1, "mingru": 0.9}
USUAL_WIDTH, SHARE_OF_WIDTH = 128, 0.4  # of an epoch, the part that grows with the width

ROUNDING = 1e-9


class Cost:
    """Costs of fits, in fits of the estimator as it was given.

    They are computed, not measured, so that a search does the same on any machine.

    Parameters
    ----------
    params : SimpleNamespace
        Parameters of the estimator as it was given.
    in_context : bool
        Whether rows see other rows.
    """

    def __init__(self, params: SimpleNamespace, *, in_context: bool) -> None:
        self.of_reading = READING_IN_CONTEXT if in_context else READING_WITHOUT
        self.unit = 1.0
        self.unit = self.fit(params)

    def reading(self) -> float:
        """Return the cost of reading all rows."""
        return self.of_reading / self.unit

    def epochs(self, params: SimpleNamespace, n_epochs: int) -> float:
        """Return the cost of some epochs on all rows."""
        by_width = 1 - SHARE_OF_WIDTH + SHARE_OF_WIDTH * params.hidden_size / USUAL_WIDTH
        factor = WORD_MEMORIES[params.word_memory] * MEMORIES[params.memory] * by_width
        return n_epochs * (1 - self.of_reading) / USUAL_EPOCHS * factor / self.unit

    def fit(self, params: SimpleNamespace) -> float:
        """Return the cost of a fit on all rows."""
        return self.reading() + self.epochs(params, params.max_epochs)


class Budget:
    """What a search may spend, and has spent.

    Parameters
    ----------
    max_cost : float
        In default fits, with the last fit on all rows.
    time_budget : float or None
        In seconds, with the last fit. If None, there is no limit.
    clock : callable, default=time.perf_counter
        Returns the time in seconds.
    """

    def __init__(
        self,
        max_cost: float,
        time_budget: float | None,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self.max_cost = max_cost
        self.time_budget = time_budget
        self.clock = clock
        self.started = clock()
        self.spent = 0.0
        self.reserved = 1.0  # the last fit

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning of the search."""
        return self.clock() - self.started

    def allows(self, cost: float) -> bool:
        """Return whether this cost, and the last fit, are within the budget."""
        within_cost = self.spent + cost + self.reserved <= self.max_cost + ROUNDING
        return within_cost and self.has_time_for(cost)

    def has_time_for(self, cost: float) -> bool:
        """Return whether there is time for this cost and the last fit, at the speed so far."""
        if self.time_budget is None or not self.spent:
            return True
        whole = self.spent + cost + self.reserved
        return self.elapsed * whole / self.spent <= self.time_budget

    def spend(self, cost: float) -> None:
        """Record a cost."""
        self.spent += cost
