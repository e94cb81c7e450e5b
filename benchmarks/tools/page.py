"""Tables of the page "Which tool for my texts?", and their places in it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.reports.pages import rst_table
from benchmarks.tools.figures import CORPORA, FEW_TOOLS, LABELS, Figures

NOT_RUN, NONE = "not run", "–"


def make_blocks(figures: Figures) -> dict[str, str]:
    """Return what the command writes, by the name of its place in the page."""
    return {
        "accuracies": _table(figures, figures.accuracy, _percent),
        "fits": _table(figures, figures.fit_ratio, _ratio, first=_lr_seconds(figures)),
        "predictions": _table(figures, figures.rows_per_second, _thousands),
        "sizes": _table(figures, figures.megabytes, _megabytes),
        "few": few_table(figures),
        "answers": "\n".join(f"- {answer}" for answer in answers(figures)),
    }


def _table(
    figures: Figures,
    value: Callable[[str, str], float],
    form: Callable[[float], str],
    first: list[str] | None = None,
) -> str:
    """Return a table with a row for each tool that was measured and a column for each corpus."""
    rows = [] if first is None else [first]
    for tool, label in LABELS.items():
        cells = [
            _cell(value(tool, corpus), form) if figures.applies(tool, corpus) else NONE
            for corpus in CORPORA
        ]
        if not set(cells) <= {NOT_RUN, NONE}:
            rows.append([label, *cells])
    return rst_table(["tool", *CORPORA], rows)


def _cell(value: float, form: Callable[[float], str]) -> str:
    """Value as text, or that it was not measured."""
    return NOT_RUN if np.isnan(value) else form(value)


def _lr_seconds(figures: Figures) -> list[str]:
    """Row with the seconds that the others are divided by."""
    seconds = [figures.fit_seconds("lr", corpus) for corpus in CORPORA]
    return ["seconds of LR", *(_cell(value, _seconds) for value in seconds)]


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _seconds(value: float) -> str:
    return f"{value:.2g}" if value < 100 else f"{value:.0f}"


def _ratio(value: float) -> str:
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def _thousands(value: float) -> str:
    return f"{float(f'{value:.2g}'):,.0f}"


def _megabytes(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def few_table(figures: Figures) -> str:
    """Return accuracy and CPU seconds of a fit with a few rows of each class."""
    header, rows = ["tool"], []
    for corpus in figures.few_corpora:
        n = figures.few_per_class(corpus)
        header += [f"{corpus}, {n} a class", "fit, s"]
    for tool, label in FEW_TOOLS.items():
        cells = []
        for corpus in figures.few_corpora:
            mean, spread, seconds = figures.few(tool, corpus)
            more = "" if np.isnan(spread) else f" ± {100 * spread:.1f}"  # of one draw
            cells += [_cell(mean, _percent) + more, _cell(seconds, _seconds)]
        rows.append([label, *cells])
    return rst_table(header, rows)


def answers(figures: Figures) -> list[str]:
    """Say what the tables have on embeddings and on fine-tuning."""
    alone = [corpus for corpus in CORPORA if not figures.applies("crf", corpus)]
    grouped = [corpus for corpus in CORPORA if corpus not in alone]
    return [
        f"On rows in context ({', '.join(grouped)}), logistic regression on vectors has "
        f"{_named(figures, 'lr-vectors', grouped)} %, on TF-IDF "
        f"{_named(figures, 'lr', grouped)} %, ours with all rows "
        f"{_named(figures, 'ours-both', grouped)} %: vectors know what words mean, and nothing of "
        "the rows around.",
        f"On texts that stand alone ({', '.join(alone)}), logistic regression on TF-IDF and "
        f"vectors has {_named(figures, 'lr-both', alone)} %, ours with vectors "
        f"{_named(figures, 'ours-vectors', alone)} %, ours without "
        f"{_named(figures, 'ours-none', alone)} %: what counts are the vectors.",
        *_answers_on_fine_tuning(figures),
    ]


def _named(figures: Figures, tool: str, corpora: list[str]) -> str:
    """Accuracies on some corpora, in words."""
    *first, last = (_cell(figures.accuracy(tool, corpus), _percent) for corpus in corpora)
    return f"{', '.join(first)} and {last}"


def _answers_on_fine_tuning(figures: Figures) -> list[str]:
    """Say what fine-tuning brings and costs, for each corpus on which it was run."""
    answers = []
    for corpus in CORPORA:
        ours = "ours-both" if figures.applies("ours-both", corpus) else "ours-none"
        accuracy = figures.accuracy("fine-tuned", corpus)
        if np.isnan(accuracy):
            continue
        times = figures.fit_seconds("fine-tuned", corpus) / figures.fit_seconds(ours, corpus)
        answers.append(
            f"Fine-tuned on {corpus}, MiniLM has {_percent(accuracy)} %. On one core the fit takes "
            f"{_thousands(times)} times as long as ours, and a CPU second predicts "
            f"{_thousands(figures.rows_per_second('fine-tuned', corpus))} rows, "
            f"{_thousands(figures.rows_per_second(ours, corpus))} with ours."
        )
    return answers
