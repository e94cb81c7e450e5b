"""What each part of the model is worth: ``python -m benchmarks.ablation``.

The classifier with its defaults is fitted with all its parts, then without each of them in turn,
and scored on validation rows: what stays in the model is chosen by these, not by test rows.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmarks.ablation.parts import Part, all_parts
from benchmarks.command_line import add_data_option
from benchmarks.comparison.__main__ import whole_numbers
from benchmarks.corpora.corpus import Corpus, split_by_group
from benchmarks.corpora.files import Columns, load_files
from benchmarks.measuring.files import write_atomically
from benchmarks.measuring.metrics import probability_scores
from benchmarks.measuring.processes import call_in_process
from benchmarks.measuring.versions import short_hash, versions_of
from benchmarks.models.build import build_model

WHOLE = "all"
KEY = ("corpus", "part", "seed", "versions")
TEXT_COLUMNS = ("corpus", "part", "versions")  # a hash such as 12e4567 is no number


def measure(corpus: Corpus, name: str, seed: int) -> dict[str, Any]:
    """Fit without a part, and score on the validation rows."""
    part = next(part for part in all_parts() if part.name == name)
    train, valid = corpus.part("train"), corpus.part("valid")
    if not len(valid):
        train, valid = split_by_group(train, test_size=0.1)
    model = build_model("context-memory (past)", train, seed)
    model.classifier.set_params(**part.parameters)  # type: ignore[attr-defined]
    with part.left_out():
        start = perf_counter()
        model.fit(train, train["label"])
        seconds = perf_counter() - start
        probabilities = model.predict_proba(valid)
    assert probabilities is not None
    predicted = np.asarray(model.classes)[probabilities.argmax(axis=1)]
    return {
        "accuracy": float(np.mean(predicted == valid["label"].to_numpy())),
        **probability_scores(valid["label"], probabilities, np.asarray(model.classes)),
        "fit_seconds": seconds,
    }


def plan(corpora: Sequence[Corpus], parts: Sequence[Part], seeds: Sequence[int]) -> list[tuple]:
    """List the fits: seed by seed, so that all parts of one corpus are timed side by side."""
    return [
        (corpus, part.name, seed)
        for corpus in corpora
        for seed in seeds
        for part in parts
        if suits(part, corpus)
    ]


def suits(part: Part, corpus: Corpus) -> bool:
    """Whether there is such a part on a corpus."""
    if part.name == "speakers" and "speaker" not in corpus.frame:
        return False
    return corpus.has_groups or not part.needs_groups


def summarise(results: pd.DataFrame, column: str) -> pd.DataFrame:
    """Compare each part left out with the whole model: a line per part, corpora across.

    Accuracy, calibration error and log loss are differences of the means over the seeds, the
    first two in points; fit times are ratios of the means.
    """
    means = results.groupby(["part", "corpus"], sort=False)[column].mean().unstack("corpus")
    whole, others = means.loc[WHOLE], means.drop(index=WHOLE)
    if column == "fit_seconds":
        table = others / whole
        table["mean"] = np.exp(np.log(table).mean(axis=1))
        return table.round(2)
    table = (others - whole) * (1 if column == "log_loss" else 100)
    table["mean"] = table.mean(axis=1)
    return table.round(3 if column == "log_loss" else 1)


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation", description=__doc__)
    add_data_option(parser)
    parser.add_argument("--parts", help="names with commas between them (default: all of them)")
    parser.add_argument("--seeds", type=whole_numbers, default=[0, 1, 2])
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    return parser


def choose_parts(asked: str | None) -> list[Part]:
    """Return the parts of these names, after the whole model."""
    parts = all_parts()
    if asked is None:
        return parts
    names = [part.name for part in parts]
    for name in asked.split(","):
        if name not in names:
            raise ValueError(f"there is no part {name!r}; choose from {', '.join(names)}.")
    return [part for part in parts if part.name in {WHOLE, *asked.split(",")}]


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read what earlier runs measured."""
    return (
        pd.read_csv(path, dtype=dict.fromkeys(TEXT_COLUMNS, str)).to_dict("records")
        if path.exists()
        else []
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what has not been measured; return 2 when nothing can be."""
    options = build_parser().parse_args(arguments)
    try:
        parts = choose_parts(options.parts)
        corpora = load_files(options.data, Columns())
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "ablation.csv"
    versions = short_hash(versions_of("context-memory"))
    rows = read_rows(path)
    known = {tuple(row[name] for name in KEY) for row in rows}
    jobs = plan(corpora, parts, options.seeds)
    keys = [(corpus.name, name, seed, versions) for corpus, name, seed in jobs]
    for job, key in tqdm(list(zip(jobs, keys, strict=True)), unit="fit"):
        if key not in known:
            rows.append(dict(zip(KEY, key, strict=True)) | call_in_process(measure, *job))
            content = pd.DataFrame(rows).to_csv(index=False).encode()
            write_atomically(path, content)
    results = pd.DataFrame(rows).set_index(list(KEY)).loc[keys]
    report(results.reset_index())
    return 0


def report(results: pd.DataFrame) -> None:
    """Print a table for each measure."""
    titles = {
        "accuracy": "accuracy without a part, less that of all, in points",
        "ece": "calibration error without a part, less that of all, in points",
        "log_loss": "log loss without a part, less that of all",
        "fit_seconds": "fit time without a part, over that of all",
    }
    for column, title in titles.items():
        print(f"\n{title}\n{summarise(results, column).to_string(na_rep='-')}")
