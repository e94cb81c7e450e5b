"""Tables and sentences of the page of accuracies, and their places in it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from benchmarks.accuracy.figures import BOTH, CV, PAST, Figures
from benchmarks.models.build import BASELINES
from benchmarks.reports.pages import rst_table
from sk_ctxmem.comparison import SGD

NOT_RUN = "–"
COMMAND = "python -m benchmarks.accuracy"


def make_blocks(figures: Figures) -> dict[str, str]:
    """Return what the command writes, by the name of its place in the page."""
    return {
        "accuracies": accuracy_table(figures),
        "sentences": "\n".join(f"- {sentence}" for sentence in sentences(figures)),
        "times": time_table(figures),
        "calibration": calibration_table(figures),
    }


def accuracy_table(figures: Figures) -> str:
    """Return the table of accuracies; the best of a corpus is bold, see `Figures.best`."""
    rows = []
    for corpus, accuracies in figures.accuracy.iterrows():
        best = figures.best(str(corpus))
        cells = [_bold(_number(value), name in best) for name, value in accuracies.items()]
        rows.append([str(corpus), *cells])
    return rst_table(["corpus", *figures.accuracy], rows)


def _number(value: float, form: str = ".1f") -> str:
    """Value as text, or a dash if it was not measured."""
    return NOT_RUN if np.isnan(value) else format(value, form)


def _bold(text: str, is_bold: bool) -> str:
    """Text, bold or not."""
    return f"**{text}**" if is_bold else text


def time_table(figures: Figures) -> str:
    """Return the table of the seconds of one fit."""
    seconds = figures.means("fit_seconds")
    rows = [
        [str(corpus), f"{figures.n_train[corpus]:,}", *map(_seconds, row)]
        for corpus, row in seconds.iterrows()
    ]
    return rst_table(["corpus", "rows", *seconds], rows)


def _seconds(value: float) -> str:
    """Seconds as text: one decimal below ten, none above."""
    return _number(value, ".1f" if value < 9.95 else ",.0f")


def calibration_table(figures: Figures) -> str:
    """Return the table of calibration errors, in points, and of log losses."""
    names = ["lr", PAST, BOTH, CV]
    errors, losses = 100 * figures.means("ece")[names], figures.means("log_loss")[names]
    rows = [
        [corpus, *map(_number, errors.loc[corpus]), *(_number(of, ".3f") for of in row)]
        for corpus, row in zip(figures.corpora, losses.to_numpy(), strict=True)
    ]
    header = ["corpus", "ECE lr", *names[1:], "log loss lr", *names[1:]]
    return rst_table(header, rows)


def sentences(figures: Figures) -> list[str]:
    """Return what the tables say together."""
    said = [compare_errors(figures, "lr", BOTH), compare_errors(figures, "lr-window", BOTH)]
    said += [compare_errors(figures, "lr", CV), compare_losses(figures)]
    return [sentence for sentence in [*said, name_sgd(figures), name_missing(figures)] if sentence]


def compare_errors(figures: Figures, than: str, heading: str) -> str:
    """Say how many errors fewer than a baseline ours makes; nothing if it was not run."""
    table = figures.fewer_errors(than, heading)
    if table.empty:
        return ""
    who = "Ours" if heading == BOTH else heading[0].upper() + heading[1:]
    grouped = table[[figures.has_groups(corpus) for corpus in table.index]]
    said = f"{who}, errors fewer than ``{than}``: {_share(table)}"
    if 0 < len(grouped) < len(table):
        said += f"; where rows have groups, {_share(grouped)}"
    if heading == CV:
        defaults = figures.fewer_errors(than, BOTH).loc[table.index]
        said += f"; the defaults on the same corpora, {_share(defaults)}"
    return f"{said}."


def _share(table: pd.DataFrame) -> str:
    """Say the mean over corpora and the share of all errors together."""
    together = 100 * (1 - table["ours"].sum() / table["theirs"].sum())
    return (
        f"{table['fewer'].mean():.0f} % on the mean of the corpora ({len(table)}), "
        f"{together:.0f} % over all of their test rows"
    )


def compare_losses(figures: Figures) -> str:
    """Say on which corpora a baseline is ahead of our defaults."""
    table = figures.behind()
    if table.empty:
        return "No baseline is ahead of our defaults on any corpus."
    clear = table["points"] > table["error"]
    parts = []
    for rows, words in ((table[clear], "more"), (table[~clear], "less")):
        named = [f"{row.Index} ({row.baseline}, {row.points:.1f})" for row in rows.itertuples()]
        if named:
            parts.append(f"by {words} than a standard error on {', '.join(named)}")
    return f"A baseline is ahead of our defaults, in points, {'; '.join(parts)}."


def name_sgd(figures: Figures) -> str:
    """Say where SGD stands for logistic regression."""
    results = figures.results
    solver = results["parameters"].map(lambda text: json.loads(text).get("solver"))
    used = results[solver == SGD].groupby("model")["corpus"].unique()
    named = [f"``{model}`` on {', '.join(corpora)}" for model, corpora in used.items()]
    if not named:
        return ""
    return f"``SGDClassifier`` in the place of logistic regression: {'; '.join(named)}."


def name_missing(figures: Figures) -> str:
    """Say which baselines were not run where they apply."""
    missing = figures.missing(BASELINES)
    if not missing:
        return "All baselines were run wherever they apply."
    named = [f"{corpus} ({', '.join(names)})" for corpus, names in missing.items()]
    return f"Baselines that apply and were not run: {', '.join(named)}."
