"""The search: successive halving over epochs on one fold, then the best on further folds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from .._classifier import validated_params
from ._runner import Runner, TimeIsUp
from ._space import Candidate, DefaultSpace, GivenSpace
from ._trial import Trial, describe_error

WAVE = 6  # candidates of a race; the states of all are on the disk between its stages
SURVIVORS = 0.5  # share of the candidates of a race that train on after half of their epochs
HOPELESS = 2.0  # standard errors behind the estimator as it is, after half of the epochs
N_FINALISTS = 2  # beside the estimator as it is, on the second fold; one on the others
# Of the best of many candidates, a part of what it is ahead by is luck. It is chosen only if it is
# ahead of the estimator as it is by this many standard errors. With none, nine corpora gain as
# much on average, but lose .1 points in the place of .02 in the worst case.
CAUTION = 1.0


class Search:
    """A search for the parameters of an estimator.

    Parameters
    ----------
    runner : Runner
        Runs trials.
    space : DefaultSpace or GivenSpace
        Proposes candidates.
    n_members : int, default=1
        Largest number of candidates to fit on all rows in the end.

    Attributes
    ----------
    trials : list of Trial
        All trials; the first one is the estimator as it was given.
    stop_reason : str
        Why the search ended.
    interrupted : bool
        Whether Ctrl-C ended it.
    """

    def __init__(
        self, runner: Runner, space: DefaultSpace | GivenSpace, n_members: int = 1
    ) -> None:
        self.runner = runner
        self.n_members = n_members
        self.space = space
        self.trials: list[Trial] = []
        self.stop_reason = "all candidates were tried"
        self.interrupted = False

    def run(self) -> None:
        """Search until there are no more candidates, the budget ends, or Ctrl-C comes."""
        try:
            self._run()
        except TimeIsUp:
            self.stop_reason = "the time budget is used up"
        except KeyboardInterrupt:
            self.stop_reason = "interrupted by Ctrl-C"
            self.interrupted = True
        # the others of a race that ended early, which are the last ones
        self.trials = [t for t in self.trials if t.results or t.error or not t.number]

    def best(self) -> Trial:
        """Return the best trial: the first one, unless another one is better by some margin.

        It is the best of those that have been compared with the first one on most folds.
        """
        base, others = self.trials[0], self._complete[1:]
        if not base.is_complete or not others:
            return base
        most = max(len(trial.results) for trial in others)
        compared = [
            (*self.runner.scores.difference(trial, base), trial)
            for trial in others
            if len(trial.results) == most
        ]
        ahead, error, best = max(compared, key=lambda each: (each[0], -each[2].number))
        return best if ahead > 0 and not ahead < CAUTION * error else base

    def members(self) -> list[Trial]:
        """Return the best trial, and others whose mean with it is better by some margin.

        They are added one by one, each time the one that makes the mean best, as far as the budget
        allows to fit them all.
        """
        members = [self.best()]
        others = [trial for trial in self._complete if trial is not members[0]]
        while members[0].is_complete and others and len(members) < self.n_members:
            added = max(others, key=lambda trial: self._gain([*members, trial], members)[0])
            gain, error = self._gain([*members, added], members)
            cost = sum(self.runner.cost.fit(trial.params) for trial in [*members[1:], added])
            if not gain > CAUTION * error or not self.runner.allows(cost, members[:1]):
                break
            members.append(added)
            others.remove(added)
        return members

    def _gain(self, members: list[Trial], others: list[Trial]) -> tuple[float, float]:
        """Return by how much the mean of trials is better than that of others, and its error."""
        scores = self.runner.scores
        return scores.difference(scores.mean_of(members), scores.mean_of(others))

    @property
    def _complete(self) -> list[Trial]:
        """Trials that were trained to the end, and scored by a number."""
        return [trial for trial in self.trials if trial.is_complete and is_number(trial)]

    def _run(self) -> None:
        base = self._start(Candidate({}))
        self._train([base])
        proposed = self.space.first()
        while self._race(proposed):
            pass
        gains = [
            (trial.criterion - base.criterion, trial.candidate) for trial in self._complete[1:]
        ]
        self._race(iter(self.space.join(gains)))
        for fold in range(1, len(self.runner.data.splits)):
            self.runner.forget([])  # the rows of the fold before
            self._compare(fold)

    def _start(self, candidate: Candidate) -> Trial:
        estimator, error = self.runner.estimator, None
        try:
            params = validated_params(candidate.estimator(estimator))
        except (TypeError, ValueError) as found:
            params, error = validated_params(estimator), describe_error(found)
        self.trials.append(Trial(len(self.trials), candidate, params, error=error))
        return self.trials[-1]

    def _race(self, proposed: Iterator[Candidate]) -> bool:
        """Train the next candidates on the first fold; return whether there may be others."""
        trials = self._enter(proposed)
        self._train(trials)
        self.runner.forget(self._leaders(N_FINALISTS))
        return len(trials) > 0

    def _enter(self, proposed: Iterator[Candidate]) -> list[Trial]:
        """Return trials of the next candidates, as many as the budget allows to train."""
        trials: list[Trial] = []
        for candidate in islice(proposed, WAVE):
            trial = self._start(candidate)
            if trial.error:
                continue
            trials.append(trial)
            possible = [*self._complete, *trials]
            cost = self._cost_of_race(trials) + self._cost_of_finals(possible)
            if not self._allows(cost, possible):
                self.trials.remove(trials.pop())
                self.stop_reason = "the budget is used up"
        return trials

    def _cost_of_race(self, trials: list[Trial]) -> float:
        """Return the cost of a race if the most expensive candidates survive."""
        cost_of = self.runner.cost_of
        halves = [cost_of(trial, 0, half_of(trial)) for trial in trials]
        wholes = [cost_of(trial, 0, trial.params.max_epochs) for trial in trials]
        rest = sorted(whole - half for whole, half in zip(wholes, halves, strict=True))
        return sum(halves) + sum(rest[-count_survivors(trials) :])

    def _cost_of_finals(self, possible: list[Trial]) -> float:
        """Return the cost of the estimator as it is and of another one on a second fold."""
        if len(self.runner.data.splits) == 1:
            return 0.0
        costs = [self.runner.cost_of(trial, 1, trial.params.max_epochs) for trial in possible]
        return costs[0] + max(costs)

    def _train(self, trials: list[Trial]) -> None:
        """Train on the first fold: all for half of their epochs, the better ones to the end."""
        self.runner.run(trials, 0, [half_of(trial) for trial in trials])
        for trial in trials:
            trial.halfway = trial.results.get(0)
        survivors = [
            trial
            for trial in sort_trials(trials)[: count_survivors(trials)]
            if not (trial.is_complete or trial.error or self._is_hopeless(trial))
        ]
        self.runner.run(survivors, 0, [trial.params.max_epochs for trial in survivors])

    def _allows(self, cost: float, possible: list[Trial]) -> bool:
        """Return whether the budget allows a cost, and then the fits of the members."""
        largest = max(self.runner.cost.fit(trial.params) for trial in possible)
        return self.runner.allows(cost + (self.n_members - 1) * largest, possible)

    def _is_hopeless(self, trial: Trial) -> bool:
        """Return whether a trial is far behind the estimator as it is, after half of the epochs."""
        base = self.trials[0]
        if trial is base:
            return False
        ahead, error = self.runner.scores.difference_halfway(trial, base)
        return ahead < -HOPELESS * error

    def _leaders(self, n_others: int) -> list[Trial]:
        """Return the estimator as it is, and the best of the others that are ahead of it."""
        base, others = self.trials[0], self._complete[1:]
        most = max((len(trial.results) for trial in others), default=0)
        ahead = [t for t in others if len(t.results) == most and t.criterion > base.criterion]
        return [base, *sort_trials(ahead)[:n_others]]

    def _compare(self, fold: int) -> None:
        """Train the best candidates and the estimator as it is on another fold."""
        for n_others in range(N_FINALISTS if fold == 1 else 1, 0, -1):
            trials = self._leaders(n_others)
            epochs = [trial.params.max_epochs for trial in trials]
            pairs = list(zip(trials, epochs, strict=True))
            cost = sum(self.runner.costs_together(pairs, fold))
            if len(trials) > 1 and self._allows(cost, trials):
                self.runner.run(trials, fold, epochs)
                return


def half_of(trial: Trial) -> int:
    """Return half of the epochs of a trial, rounded up."""
    return -(-int(trial.params.max_epochs) // 2)


def count_survivors(trials: list[Trial]) -> int:
    """Return how many candidates of a race train to the end."""
    return int(np.ceil(SURVIVORS * len(trials)))


def is_number(trial: Trial) -> bool:
    """Return whether a trial can be compared with others."""
    return not np.isnan(trial.criterion)


def sort_trials(trials: list[Trial]) -> list[Trial]:
    """Return trials from the best to the worst; of equal ones, the first one comes first."""
    return sorted(trials, key=lambda trial: -trial.criterion if is_number(trial) else np.inf)
