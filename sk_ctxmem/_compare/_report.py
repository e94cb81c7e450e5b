"""The table of a comparison, and what it says in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ._folds import ComparisonData, FoldResult
from ._metrics import expected_calibration_error, paired_interval
from ._names import BASELINES, NEEDS_GROUPS, OURS, TUNED, is_ours

COLUMNS = (
    "model",
    "accuracy",
    "std",
    "macro_f1",
    "ece",
    "difference",
    "low",
    "high",
    "fit_seconds",
    "search_seconds",
    "predict_rows_per_second",
)


@dataclass(frozen=True)
class Difference:
    """A paired difference of two accuracies, and its 95 % interval.

    Parameters
    ----------
    mean, low, high : float
        The difference and the ends of the interval.
    """

    mean: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0

    def __str__(self) -> str:
        """Return the difference in points, with the interval."""
        points = f"{100 * self.mean:+.1f}".replace("-", "−")
        if np.isnan(self.low):
            return f"{points} points (no interval, as the test rows are of one group)"
        low, high = (f"{100 * end:+.1f}".replace("-", "−") for end in (self.low, self.high))
        return f"{points} points (95 % interval {low} to {high})"


class Scores:
    """Correctness of each model on each test row.

    Parameters
    ----------
    data : ComparisonData
        The data.
    results : dict of str to list of (int, FoldResult)
        Results of each model, with the number of their fold.
    """

    def __init__(self, data: ComparisonData, results: dict[str, list[tuple[int, FoldResult]]]):
        self.results = results
        self.rows = {
            name: np.concatenate([data.splits[fold][1] for fold, _ in parts])
            for name, parts in results.items()
        }
        self._groups = data.groups
        n_rows = len(data.y)
        self._correct = {name: self._mean_of_rows(name, n_rows) for name in results}

    def _mean_of_rows(self, name, n_rows):
        """Return how often each row was right; NaN for rows that were not tested."""
        is_correct = np.concatenate([result.is_correct for _, result in self.results[name]])
        n_tests = np.bincount(self.rows[name], minlength=n_rows).astype(float)
        n_tests[n_tests == 0] = np.nan
        return np.bincount(self.rows[name], weights=is_correct, minlength=n_rows) / n_tests

    def accuracy(self, name: str) -> float:
        """Return the share of test rows that are right."""
        return float(np.nanmean(self._correct[name]))

    def compare(self, first: str, second: str) -> Difference:
        """Return the difference of two models, positive if the first one is better."""
        difference = self._correct[first] - self._correct[second]
        tested = ~np.isnan(difference)
        low, high = paired_interval(difference[tested], self._groups[tested])
        return Difference(float(difference[tested].mean()), low, high)

    def best(self, names: list[str]) -> str | None:
        """Return the most accurate of some models that were tested, None if there is none."""
        tested = [name for name in names if name in self.results]
        return max(tested, key=self.accuracy) if tested else None


def make_table(
    data: ComparisonData, results: dict[str, list[tuple[int, FoldResult]]], n_folds: int
) -> pd.DataFrame:
    """Return the table of a comparison.

    Parameters
    ----------
    data : ComparisonData
        The data.
    results : dict of str to list of (int, FoldResult)
        Results of each model, with the number of their fold.
    n_folds : int
        Number of folds that all models were tested on.

    Returns
    -------
    table : DataFrame
        A row for each model, see `compare_classifiers`.
    """
    scores = Scores(data, results)
    best = scores.best(list(BASELINES)) or scores.best([n for n in results if not is_ours(n)])
    rows = [_row(scores, name, best) for name in results]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table.attrs = {
        "baseline": best,
        "n_rows": len(data.y),
        "n_groups": len(np.unique(data.groups)) if data.has_groups else 0,
        "n_folds": n_folds,
        "conclusion": conclude(scores, best, has_groups=data.has_groups),
    }
    return table


def _row(scores, name, best):
    """Return a row of the table."""
    parts = [result for _, result in scores.results[name]]
    accuracies = [result.is_correct.mean() for result in parts]
    row = {
        "model": name,
        "accuracy": scores.accuracy(name),
        "std": np.std(accuracies, ddof=1) if len(parts) > 1 else np.nan,
        "macro_f1": np.mean([result.macro_f1 for result in parts]),
        "ece": _calibration_error(parts),
        "fit_seconds": np.mean([result.fit_seconds for result in parts]),
        "search_seconds": np.mean([result.search_seconds for result in parts]),
    }
    predicting = sum(result.predict_seconds for result in parts)
    row["predict_rows_per_second"] = len(scores.rows[name]) / predicting
    if best not in (None, name):
        difference = scores.compare(name, best)
        row |= {
            "difference": difference.mean,
            "low": difference.low,
            "high": difference.high,
        }
    return row


def _calibration_error(parts):
    """Return the calibration error on the test rows of all folds, NaN without probabilities."""
    if any(result.confidence is None for result in parts):
        return np.nan
    is_correct = np.concatenate([result.is_correct for result in parts])
    return expected_calibration_error(
        is_correct, np.concatenate([result.confidence for result in parts])
    )


def conclude(scores: Scores, best: str | None, *, has_groups: bool) -> str:
    """Say in words whether context pays.

    Parameters
    ----------
    scores : Scores
        Correctness of the models.
    best : str or None
        The best baseline.
    has_groups : bool
        Whether rows have groups.

    Returns
    -------
    conclusion : str
        One or two sentences.
    """
    in_context = [f"{OURS} (past)", f"{OURS} (both)"]
    ours, alone = scores.best(in_context), f"{OURS} (none)"
    if not has_groups:
        ours = scores.best([OURS, TUNED])
        return _against(scores, ours, best) + (
            "Rows have no groups, so that there is no context to read: with a column that says "
            "which rows belong together, set group_column."
        )
    if ours is None or alone not in scores.results:
        ours = scores.best([name for name in scores.results if is_ours(name)])
        return _against(scores, ours, best) + (
            f"Whether context pays was not asked: that takes {in_context[0]!r} or "
            f"{in_context[1]!r}, and {alone!r}."
        )
    return _verdict(ours, scores.compare(ours, alone)) + _against_window(scores, ours, best)


def _verdict(ours, gain):
    """Say whether a model with context is ahead of the same model without."""
    measured = f"{ours} against the same model without context: {gain}."
    if not gain.is_clear:
        reason = "" if np.isnan(gain.low) else ", as the interval holds 0"
        return f"Whether context pays cannot be told from these rows{reason}. " + measured
    return ("Context pays. " if gain.mean > 0 else "Context does not pay here. ") + measured


def _against_window(scores, ours, best):
    """Compare with logistic regression on windows of rows, else with the best baseline."""
    other = NEEDS_GROUPS if NEEDS_GROUPS in scores.results else best
    if other is None:
        return ""
    reads = ", which reads two rows on each side" if other == NEEDS_GROUPS else ""
    return " " + _compare_in_words(scores, ours, other, reads)


def _against(scores, ours, best):
    """Compare the best of ours with the best baseline, if there are both."""
    if ours is None or best is None:
        return ""
    return _compare_in_words(scores, ours, best, ", the best baseline") + " "


def _compare_in_words(scores, ours, other, reads):
    """Say who is ahead, if the rows tell it."""
    gain = scores.compare(ours, other)
    where = "ahead of" if gain.mean > 0 else "behind"
    if not gain.is_clear:
        where = "not clearly ahead of or behind"
    return f"{ours} is {where} {other}{reads}: {gain}."


def table_lines(table: pd.DataFrame) -> list[str]:
    """Return the lines of a table for a terminal, of which the last one is the conclusion.

    Parameters
    ----------
    table : DataFrame
        Result of `compare_classifiers`.

    Returns
    -------
    lines : list of str
        The lines.
    """
    shown = pd.DataFrame({"model": table["model"].astype(str)})
    shown["accuracy"] = [
        _percent(mean) + ("" if np.isnan(std) else f" ± {100 * std:.1f}")
        for mean, std in zip(table["accuracy"], table["std"], strict=True)
    ]
    shown["macro F1"] = table["macro_f1"].map(_percent)
    shown["ECE"] = table["ece"].map(_percent)
    shown["to best baseline"] = [_interval_text(*row) for row in _differences(table)]
    shown["fit s"] = table["fit_seconds"].map("{:.2f}".format)
    shown["search s"] = table["search_seconds"].map("{:.2f}".format)
    shown["rows/s"] = table["predict_rows_per_second"].map("{:,.0f}".format)
    return [*shown.to_string(index=False).splitlines(), *_notes(table), table.attrs["conclusion"]]


def _differences(table):
    return table[["difference", "low", "high"]].itertuples(index=False)


def _percent(value: float) -> str:
    return "-" if np.isnan(value) else f"{100 * value:.1f}"


def _interval_text(mean: float, low: float, high: float) -> str:
    if np.isnan(mean):
        return "-"
    if np.isnan(low):
        return f"{100 * mean:+.1f}"
    return f"{100 * mean:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def _notes(table: pd.DataFrame) -> list[str]:
    """Say what was compared, and how."""
    found = table.attrs
    groups = f" in {found['n_groups']:,} groups" if found["n_groups"] else ""
    folds = "1 fold" if found["n_folds"] == 1 else f"{found['n_folds']} folds"
    baseline = f" The best baseline is {found['baseline']}." if found["baseline"] else ""
    return [
        "",
        f"{found['n_rows']:,} rows{groups}, {folds}. In %, with 95 % intervals." + baseline,
    ]
