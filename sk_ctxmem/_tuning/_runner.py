"""Runs stages of trials, one after another or in several processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend

from .._classifier import ContextMemoryClassifier
from .._training._stages import Fold, read_fold
from ._cost import PAUSING, Budget, Cost
from ._progress import SearchProgress
from ._splits import SearchData
from ._trial import Scores, StageResult, Trial, describe_error, run_stage

# Processes of these backends read the files of one another.
LOCAL = ("SequentialBackend", "LokyBackend", "ThreadingBackend", "MultiprocessingBackend")


class TimeIsUp(Exception):  # noqa: N818  # no error: the search ends
    """The time of the budget does not suffice for the next stage."""


class Runner:
    """Runs stages of trials, scores them, and counts their cost.

    Parameters
    ----------
    estimator : ContextMemoryClassifier
        The estimator as it was given.
    data : SearchData
        The data and their splits.
    scores : Scores
        Scores held-out samples.
    cost : Cost
        Costs of fits.
    budget : Budget
        What the search may spend.
    n_jobs : int or None
        Number of processes, as in joblib.
    folder : str
        Folder for paused fits.
    progress : SearchProgress
        Shows what is tried.
    """

    def __init__(
        self,
        estimator: ContextMemoryClassifier,
        data: SearchData,
        scores: Scores,
        cost: Cost,
        budget: Budget,
        *,
        n_jobs: Any,
        folder: str,
        progress: SearchProgress,
    ) -> None:
        self.estimator = estimator
        self.data = data
        self.scores = scores
        self.cost = cost
        self.budget = budget
        self.n_jobs = n_jobs
        self.progress = progress
        self.folder = folder if _is_local() else None
        self.folds: dict[tuple[int, str], Fold] = {}

    def cost_of(self, trial: Trial, fold: int, epoch: int) -> float:
        """Return the cost of a trial on a fold until an epoch, from where it has paused."""
        n_done = trial.results[fold].n_epochs if fold in trial.results else 0
        if not self._pauses(trial):
            n_done = 0
        cost = self.cost.epochs(trial.params, max(0, epoch - n_done))
        cost *= self.data.training_share(fold)
        if epoch < trial.params.max_epochs and self._pauses(trial):
            cost += PAUSING
        if (fold, trial.candidate.reading) not in self.folds:  # which reads the held-out rows too
            cost += self.cost.reading()
        return cost

    def run(self, trials: list[Trial], fold: int, epochs: list[int]) -> None:
        """Run a stage of each trial on a fold, until its epoch.

        Raises
        ------
        TimeIsUp
            If there is no time for the next one.
        KeyboardInterrupt
            If Ctrl-C comes.
        """
        if effective_n_jobs(self.n_jobs) == 1:
            for trial, epoch in zip(trials, epochs, strict=True):
                self._run_here(trial, fold, epoch)
        else:
            self._run_elsewhere(trials, fold, epochs)

    def _run_here(self, trial: Trial, fold: int, epoch: int) -> None:
        cost = self.cost_of(trial, fold, epoch)
        if not self.budget.has_time_for(cost):
            raise TimeIsUp
        self.progress.show(trial)
        task = self._task(trial, fold, epoch)
        if task is not None:
            self._record(trial, fold, run_stage(*task), cost)

    def _run_elsewhere(self, trials: list[Trial], fold: int, epochs: list[int]) -> None:
        pairs = list(zip(trials, epochs, strict=True))
        costs = self.costs_together(pairs, fold)
        if not self.budget.has_time_for(sum(costs)):
            raise TimeIsUp
        tasks = [self._task(trial, fold, epoch) for trial, epoch in pairs]
        run = Parallel(n_jobs=self.n_jobs)
        results = iter(run(delayed(run_stage)(*task) for task in tasks if task is not None))
        for trial, task, cost in zip(trials, tasks, costs, strict=True):
            if task is not None:
                self._record(trial, fold, next(results), cost)

    def costs_together(self, pairs: list[tuple[Trial, int]], fold: int) -> list[float]:
        """Return the costs of trials until an epoch; those that share their rows read them once."""
        costs, read = [], set()
        for trial, epoch in pairs:
            key = fold, trial.candidate.reading
            shares = key in read and key not in self.folds
            costs.append(self.cost_of(trial, fold, epoch) - shares * self.cost.reading())
            read.add(key)
        return costs

    def forget(self, kept: list[Trial]) -> None:
        """Free the memory of rows that none of the trials needs, and the disk of paused fits."""
        needed = {trial.candidate.reading for trial in kept}
        self.folds = {key: fold for key, fold in self.folds.items() if key[1] in needed}
        if self.folder is not None:
            for path in Path(self.folder).iterdir():
                path.unlink()

    def allows(self, cost: float, possible: list[Trial]) -> bool:
        """Return whether the budget allows a cost, and then the last fit of any of the trials."""
        self.budget.reserved = max(self.cost.fit(trial.params) for trial in possible)
        return self.budget.allows(cost)

    def _task(self, trial: Trial, fold: int, epoch: int) -> tuple | None:
        """Return the arguments of `run_stage`, or None if the rows cannot be read."""
        folder = self.folder if self._pauses(trial) else None
        try:
            rows = self._read(trial, fold)
        except (TypeError, ValueError) as error:
            self._fail(trial, error)
            return None
        return rows, trial.params, epoch, folder, f"{trial.number}-{fold}"

    def _pauses(self, trial: Trial) -> bool:
        """Return whether a fit can go on: the state of callbacks of the user cannot be kept."""
        return self.folder is not None and not trial.params.callbacks

    def _read(self, trial: Trial, fold: int) -> Fold:
        """Return the rows of a fold for a trial, which others with the same reader share."""
        key = fold, trial.candidate.reading
        if key not in self.folds:
            data = self.data
            parts = data.training_part(fold), data.held_out_part(fold)
            self.folds[key] = read_fold(*parts, trial.params)
        return self.folds[key]

    def _record(self, trial: Trial, fold: int, stage: StageResult, cost: float) -> None:
        self.budget.spend(cost)
        trial.cost += cost
        trial.elapsed = self.budget.elapsed
        if stage.error is None:
            trial.results[fold] = self.scores.result(stage, fold, trial.results.get(fold))
        else:
            self._fail(trial, stage.error)
        self.progress.update(trial, cost)

    def _fail(self, trial: Trial, error: Exception) -> None:
        """Record that a candidate cannot be fitted; raise if the estimator as it is cannot be."""
        if not trial.number:
            raise error
        trial.error = describe_error(error)


def _is_local() -> bool:
    """Return whether the processes of joblib are on this machine."""
    return type(get_active_backend()[0]).__name__ in LOCAL
