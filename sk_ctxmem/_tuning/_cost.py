"""The cost of fits, in fits of the estimator as it was given."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from types import SimpleNamespace
from typing import NamedTuple

USUAL_EPOCHS, USUAL_WIDTH = 4, 128
MEMORIES = {"gru": 1.0, "elman": 0.8, "lstm": 1.45, "mingru": 0.9}  # times of an epoch


class Times(NamedTuple):
    """Measured times of a default fit with or without context, medians of four to six corpora.

    Parameters
    ----------
    reading : float
        Share that reads the texts; the rest trains.
    of_width : float
        Share of an epoch that grows with the width.
    word_memories : dict
        Times of an epoch with each `word_memory`, against the default's.
    """

    reading: float
    of_width: float
    word_memories: dict[bool | str, float]


IN_CONTEXT = Times(0.12, 0.9, {False: 1.0, True: 3.0, "convolution": 1.35})
WITHOUT_CONTEXT = Times(0.32, 0.25, {False: 1.0, True: 5.0, "convolution": 2.3})
PAUSING = 0.05  # of a default fit: the state of a fit is written and read
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
        self.times = IN_CONTEXT if in_context else WITHOUT_CONTEXT
        self.unit = 1.0
        self.unit = self.fit(params)

    def reading(self) -> float:
        """Return the cost of reading all rows."""
        return self.times.reading / self.unit

    def epochs(self, params: SimpleNamespace, n_epochs: int) -> float:
        """Return the cost of some epochs on all rows."""
        times = self.times
        by_width = 1 - times.of_width + times.of_width * params.hidden_size / USUAL_WIDTH
        factor = times.word_memories[params.word_memory] * MEMORIES[params.memory] * by_width
        return n_epochs * (1 - times.reading) / USUAL_EPOCHS * factor / self.unit

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
