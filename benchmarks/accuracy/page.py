"""Tables and sentences of the page of accuracies, and their places in it."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.accuracy.figures import BEST, BOTH, CV, PAST, Figures
from benchmarks.models.build import BASELINES
from benchmarks.reports.pages import rst_table
from sk_ctxmem.comparison import SGD

NOT_RUN, NOTHING = "not run", "–"


def make_blocks(figures: Figures) -> dict[str, str]:
    """Return what the command writes, by the name of its place in the page."""
    return {
        "alone": accuracy_table(figures, has_groups=False),
        "context": accuracy_table(figures, has_groups=True),
        "sentences": "\n".join(f"- {sentence}" for sentence in sentences(figures)),
        "times": time_table(figures),
        "calibration": calibration_table(figures),
    }


def accuracy_table(figures: Figures, *, has_groups: bool) -> str:
    """Return a table of accuracies; the best of a corpus is bold, see `Figures.best`.

    Parameters
    ----------
    figures : Figures
        The results.

    has_groups : bool
        Whether to list the corpora whose rows have groups, or the others.
    """
    corpora = [corpus for corpus in figures.corpora if figures.has_groups(corpus) == has_groups]
    headings = [
        heading
        for heading in figures.accuracy
        if any(figures.applies(corpus, heading) for corpus in corpora)
    ]
    rows = []
    for corpus in corpora:
        best, accuracies = figures.best(corpus), figures.accuracy.loc[corpus, headings]
        cells = [
            _bold(_number(value, figures.applies(corpus, name)), name in best)
            for name, value in accuracies.items()
        ]
        rows.append([corpus, *cells])
    shown = [heading if has_groups or heading != PAST else "ours" for heading in headings]
    return rst_table(["corpus", *shown], rows)


def _number(value: float, applies: bool = True, form: str = ".1f") -> str:
    """Value as text, or that it was not measured."""
    if np.isnan(value):
        return NOT_RUN if applies else NOTHING
    return format(value, form)


def _bold(text: str, is_bold: bool) -> str:
    """Text, bold or not."""
    return f"**{text}**" if is_bold else text


def time_table(figures: Figures) -> str:
    """Return the table of the seconds of one fit."""
    seconds = figures.means("fit_seconds")
    rows = [
        [corpus, f"{figures.n_train[corpus]:,}", *_cells(figures, seconds, corpus, _seconds)]
        for corpus in figures.corpora
    ]
    return rst_table(["corpus", "rows", *seconds], rows)


def _seconds(value: float, applies: bool) -> str:
    """Seconds as text: one decimal below ten, none above."""
    return _number(value, applies, ".1f" if value < 9.95 else ",.0f")


def _loss(value: float, applies: bool) -> str:
    """Log loss as text."""
    return _number(value, applies, ".3f")


def _cells(
    figures: Figures, values: pd.DataFrame, corpus: str, write: Callable[[float, bool], str]
) -> list[str]:
    """Return the values of a corpus as text."""
    return [
        write(value, figures.applies(corpus, str(heading)))
        for heading, value in values.loc[corpus].items()
    ]


def calibration_table(figures: Figures) -> str:
    """Return the table of calibration errors, in points, and of log losses."""
    names = ["lr", PAST, BOTH, CV]
    errors, losses = 100 * figures.means("ece")[names], figures.means("log_loss")[names]
    rows = [
        [
            corpus,
            *_cells(figures, errors, corpus, _number),
            *_cells(figures, losses, corpus, _loss),
        ]
        for corpus in figures.corpora
    ]
    header = ["corpus", "ECE lr", *names[1:], "log loss lr", *names[1:]]
    return rst_table(header, rows)


def sentences(figures: Figures) -> list[str]:
    """Return what the tables say together."""
    pairs = [(than, heading) for than in ("lr", "lr-window", BEST) for heading in (BOTH, PAST)]
    said = [compare_errors(figures, than, heading) for than, heading in [*pairs, ("lr", CV)]]
    said.append(compare_losses(figures))
    return [sentence for sentence in [*said, name_sgd(figures), name_missing(figures)] if sentence]


def compare_errors(figures: Figures, than: str, heading: str) -> str:
    """Say how many errors fewer than a baseline ours makes; nothing if it was not run."""
    table = figures.fewer_errors(than, heading)
    if table.empty:
        return ""
    who = heading[0].upper() + heading[1:]
    name = than if than == BEST else f"``{than}``"
    grouped = table[[figures.has_groups(corpus) for corpus in table.index]]
    said = f"{who}, errors fewer than {name}: {_share(table)}"
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
