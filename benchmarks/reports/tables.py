"""Tables of a comparison as text and as Markdown, with notes and a closing sentence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.models.build import is_baseline
from benchmarks.models.crf import MAX_ITERATIONS
from benchmarks.models.fasttext import GRID, MAX_WORDS
from sk_ctxmem.comparison import MAX_LBFGS_WORK, SGD

# The terminal shows fewer columns than the Markdown file; results.csv has all.
FULL_HEADER = (
    "model",
    "accuracy",
    "macro F1",
    "weighted F1",
    "macro recall",
    "ECE",
    "log loss",
    "ROC AUC",
    "micro F1",
    "fit seconds",
    "x lr",
    "rows/s",
    "peak MB",
)
SHORT_HEADER = tuple(
    name for name in FULL_HEADER if name not in ("weighted F1", "macro recall", "log loss")
)
# Columns that only some corpora have: two classes, or several labels for each row.
OPTIONAL = {"ROC AUC": "roc_auc", "micro F1": "micro_f1"}
SGD_MARK = " [1]"
BEST_MARK = "*"


def text_table(results: pd.DataFrame, comparisons: pd.DataFrame) -> str:
    """Text table: one block per corpus, and the notes below.

    Parameters
    ----------
    results : DataFrame
        One row per job, as in `results.csv`.

    comparisons : DataFrame
        One row per corpus and context memory, as in `comparisons.csv`.

    Returns
    -------
    str
        Lines of plain text.
    """
    blocks = []
    for corpus, of_corpus in results.groupby("corpus", sort=False):
        header = shown(SHORT_HEADER, of_corpus)
        first = of_corpus.iloc[0]
        title = f"{corpus}: {first.n_train:,} training rows, scored on {first.n_test:,} rows"
        rows = [tuple(row[name] for name in header) for row in table_rows(of_corpus)]
        compared = comparisons[comparisons["corpus"] == corpus]
        lines = [f"  {sentence}" for sentence in comparison_sentences(compared)]
        blocks.append("\n".join([title, *align([header, *rows]), *lines]))
    return "\n\n".join([*blocks, "\n".join(notes(results))])


def markdown_table(results: pd.DataFrame, comparisons: pd.DataFrame) -> str:
    """Markdown table with one line per corpus and model, and the notes below."""
    names = shown(FULL_HEADER, results)
    header = ("corpus", *names)
    lines = [header, ("---", "---", *["---:"] * (len(header) - 2))]
    for corpus, of_corpus in results.groupby("corpus", sort=False):
        rows = table_rows(of_corpus)
        lines += [(str(corpus), *(row[name] for name in names)) for row in rows]
    table = ["| " + " | ".join(escape_markdown(cell) for cell in line) + " |" for line in lines]
    compared = [
        f"{row.corpus}: {sentence}"
        for row, sentence in zip(
            comparisons.itertuples(), comparison_sentences(comparisons), strict=True
        )
    ]
    remarks = [f"- {escape_markdown(note)}" for note in [*compared, *notes(results)]]
    return "\n".join([*table, "", *remarks, ""])


def shown(header: Sequence[str], results: pd.DataFrame) -> tuple[str, ...]:
    """Names of a header without the optional ones that no result has."""
    lacking = [name for name, column in OPTIONAL.items() if results[column].isna().all()]
    return tuple(name for name in header if name not in lacking)


def escape_markdown(cell: str) -> str:
    """Escape bars and stars in a cell."""
    return cell.strip().replace("|", r"\|").replace("*", r"\*")


def table_rows(of_corpus: pd.DataFrame) -> list[dict[str, str]]:
    """Cells of one corpus, by column of `FULL_HEADER`: one row per model."""
    means = of_corpus.groupby("model", sort=False)["accuracy"].mean()
    lr_seconds = of_corpus.loc[of_corpus["model"] == "lr", "fit_seconds"].mean()
    rows = []
    for model, of_model in of_corpus.groupby("model", sort=False):
        name = f"{model}{SGD_MARK if uses_sgd(of_model) else ''}"
        if of_model["accuracy"].isna().all():
            rows.append(dict.fromkeys(FULL_HEADER, "-") | {"model": name, "accuracy": "failed"})
            continue
        best = BEST_MARK if means[model] == means.max() else " "
        rows.append(
            {
                "model": name,
                "accuracy": spread(of_model["accuracy"] * 100) + best,
                "macro F1": spread(of_model["macro_f1"] * 100),
                "weighted F1": spread(of_model["weighted_f1"] * 100),
                "macro recall": spread(of_model["macro_recall"] * 100),
                "ECE": spread(of_model["ece"] * 100),
                "log loss": number(of_model["log_loss"].mean(), ".3f"),
                "ROC AUC": spread(of_model["roc_auc"] * 100),
                "micro F1": spread(of_model["micro_f1"] * 100),
                "fit seconds": spread(of_model["fit_seconds"]),
                "x lr": number(of_model["fit_seconds"].mean() / lr_seconds, ".1f"),
                "rows/s": number(of_model["predict_rows_per_second"].mean(), ",.0f"),
                "peak MB": number(of_model["peak_memory_mb"].mean(), ",.0f"),
            }
        )
    return rows


def comparison_sentences(comparisons: pd.DataFrame) -> list[str]:
    """Differences from the best baseline with their intervals, in points of accuracy."""
    sentences = []
    for row in comparisons.itertuples():
        sentence = f"{row.model} less {row.baseline}: {row.difference * 100:+.1f} points"
        if not np.isnan(row.low):
            sentence += f", 95 % interval {row.low * 100:+.1f} to {row.high * 100:+.1f}"
            sentence += ", no clear difference" if row.low <= 0 <= row.high else ""
        sentences.append(sentence)
    return sentences


def spread(values: pd.Series) -> str:
    """Mean with one decimal, and the standard deviation of several values."""
    values = values.dropna()
    mean = number(values.mean(), ",.1f")
    return mean if len(values) < 2 else f"{mean} ± {values.std():.1f}"


def number(value: float, form: str) -> str:
    """Value as text, or a dash for NaN."""
    return "-" if np.isnan(value) else format(value, form)


def align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table, with the first column left-aligned and the others right-aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "   ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
        for row in rows
    ]


def parameters_of(results: pd.DataFrame) -> list[dict[str, Any]]:
    """Parameters of each job as a dict."""
    return [json.loads(text) for text in results["parameters"]]


def uses_sgd(results: pd.DataFrame) -> bool:
    """Whether SGD replaced logistic regression in any of the jobs."""
    return any(parameters.get("solver") == SGD for parameters in parameters_of(results))


def notes(results: pd.DataFrame) -> list[str]:
    """List the notes below the table."""
    remarks = [
        f"{BEST_MARK} best accuracy on the corpus. Accuracy, F1, recall and ECE, the expected "
        "calibration error, in %. x lr: fit seconds over those of lr.",
        *notes_on_labels(results),
        *notes_on_limits(results),
    ]
    seeds = sorted(results["seed"].unique())
    if len(seeds) > 1:
        remarks.append(
            f"Mean ± standard deviation over the seeds {', '.join(map(str, seeds))}; "
            "models that are the same for every seed ran once."
        )
    if (results["scored_on"] == "valid").any():
        remarks.append(
            "Scored on validation rows where there are some; baselines were tuned on them."
        )
    for job, of_job in zip(results.itertuples(), parameters_of(results), strict=True):
        if "error" in of_job:
            remarks.append(f"Failed: {job.corpus}, {job.model}, seed {job.seed}: {of_job['error']}")
    return remarks


def notes_on_labels(results: pd.DataFrame) -> list[str]:
    """Say what the measures of two classes and of several labels are, if there are any."""
    remarks = []
    if results["roc_auc"].notna().any():
        remarks.append("ROC AUC, in %, of corpora with two classes.")
    if results["micro_f1"].notna().any():
        remarks.append(
            "Corpora with micro F1 have several labels for a row: accuracy is then the share of "
            "rows of which all are right (subset accuracy), and linear models are one against the "
            "rest."
        )
    return remarks


def notes_on_limits(results: pd.DataFrame) -> list[str]:
    """List the baselines that a limit on time has changed."""
    remarks = []
    if uses_sgd(results):
        remarks.append(
            f"{SGD_MARK.strip()} {SGD} in place of LogisticRegression, which would take minutes: "
            f"more than {MAX_LBFGS_WORK:,.0f} pairs of a non-zero feature and a class."
        )
    pairs = list(zip(results["corpus"], results["model"], parameters_of(results), strict=True))
    stopped = [corpus for corpus, _, of_job in pairs if of_job.get("iterations") == MAX_ITERATIONS]
    if stopped:
        names = ", ".join(dict.fromkeys(stopped))
        remarks.append(f"crf was stopped after {MAX_ITERATIONS} iterations on {names}.")
    most = max(epoch for epoch, _ in GRID)
    limited = [corpus for corpus, _, of_job in pairs if of_job.get("most_epochs", most) < most]
    if limited:
        names = ", ".join(dict.fromkeys(limited))
        remarks.append(f"fasttext read at most {MAX_WORDS:,} words in a fit on {names}.")
    return remarks


def closing_sentences(results: pd.DataFrame) -> list[str]:
    """Sentence for each corpus with its best model and the lead of that."""
    by_corpus = results.groupby("corpus", sort=False)
    return [f"{name}: {closing_sentence(rows)}" for name, rows in by_corpus]


def closing_sentence(of_corpus: pd.DataFrame) -> str:
    """Sentence with the best model of a corpus and its lead in points of accuracy."""
    means = of_corpus.groupby("model")["accuracy"].mean().dropna() * 100
    baselines = means[[is_baseline(model) for model in means.index]]
    memories = means.drop(baselines.index)
    if baselines.empty or memories.empty:
        return "There is nothing to compare: no baseline or no context memory has a result."
    ours, theirs = memories.idxmax(), baselines.idxmax()
    points = memories.max() - baselines.max()
    if abs(points) < 0.05:
        return f"{ours} and {theirs}, the best baseline, are level at {memories.max():.1f} %."
    first, second = (ours, theirs) if points > 0 else (theirs, ours)
    return (
        f"{first} is ahead of {second} by {abs(points):.1f} points of accuracy: "
        f"{means[first]:.1f} % against {means[second]:.1f} %."
    )
