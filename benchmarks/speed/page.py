"""Table and sentence of the page of speed, made from the file of the table "fit"."""

from __future__ import annotations

import pandas as pd

from benchmarks.reports.pages import rst_table
from benchmarks.speed.fit import MEANS
from benchmarks.speed.report import BOUNDED, display_bounds

# Column of speed_fit.csv -> heading of the page.
HEADINGS = {
    "corpus": "corpus",
    "n_train": "rows",
    "ours_seconds": "ours",
    "same_seconds": "same",
    "ours/same": "ours/same",
    "lr_seconds": "lr",
    "ours/lr": "ours/lr",
    "linear_same_seconds": "linear same",
    "ours/linear_same": "ours/linear same",
    "words_seconds": "words",
    "words/lr": "words/lr",
    "linear_seconds": "linear",
    "fasttext_seconds": "fastText",
    "ours/fasttext": "ours/fastText",
}
# Ratio -> what it is a ratio to, in words.
RIVALS = {
    "ours/same": "logistic regression on the same n-grams",
    "ours/lr": "logistic regression on words and word pairs alone",
    "ours/linear_same": "``SGDClassifier`` on the same n-grams",
}


def make_blocks(fits: pd.DataFrame) -> dict[str, str]:
    """Return what the command writes, by the name of its place in the page."""
    return {"ratios": ratio_sentences(fits), "fits": fit_table(fits)}


def fit_table(fits: pd.DataFrame) -> str:
    """Return the table of CPU seconds and of their ratios."""
    shown = display_bounds(fits)[list(HEADINGS)].astype(object)
    rows = [[_cell(name, value) for name, value in row.items()] for row in shown.to_dict("records")]
    return rst_table(list(HEADINGS.values()), rows)


def _cell(column: str, value: object) -> str:
    """Return a value as text: ratios and seconds below one with two decimals."""
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return "–"
    form = ",.0f" if column == "n_train" or value >= 9.95 else ".1f"
    return format(value, ".2f" if "/" in column or value < 0.95 else form)


def ratio_sentences(fits: pd.DataFrame) -> str:
    """Return the range and the geometric mean of the ratios to each rival."""
    of_corpora = fits[fits["corpus"] != MEANS]
    means = fits[fits["corpus"] == MEANS].iloc[0]
    lines = [f"CPU time of a fit with the defaults, on {len(of_corpora)} corpora:", ""]
    for ratio, rival in RIVALS.items():
        low, high = of_corpora[ratio].min(), of_corpora[ratio].max()
        lines.append(
            f"- {low:.2f} to {high:.2f} times that of {rival}, geometric mean {means[ratio]:.2f}"
            f"{_remark(of_corpora, ratio)}."
        )
    return "\n".join(lines)


def _remark(of_corpora: pd.DataFrame, ratio: str) -> str:
    """Say on how many corpora a rival was stopped, so that the ratio is a bound."""
    flags = [flag for flag, columns in BOUNDED.items() if ratio in columns]
    n_stopped = int(of_corpora[flags].any(axis=1).sum()) if flags else 0
    return f" (an upper bound, as it was stopped on {n_stopped} of them)" if n_stopped else ""
