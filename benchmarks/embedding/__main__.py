"""Measure what pretrained vectors bring beside n-grams: ``python -m benchmarks.embedding``.

Ours with its defaults, both ways where rows have groups, with and without the vectors of an
embedder, beside logistic regression on TF-IDF, on the vectors, and on both, with C chosen on a
fifth of the training rows. CPU seconds are those of fit and predict, without embedding.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.command_line import (
    add_data_option,
    add_output_option,
    add_seeds_option,
    exit_on_bad_input,
    make_parser,
    one_or_more_of,
    read_corpora,
    whole_numbers,
)
from benchmarks.embedding.measure import ALL, MODELS, measure, plan
from benchmarks.embedding.report import summarise
from benchmarks.measuring.processes import measure_jobs
from benchmarks.models.embedders import EMBEDDERS

SHORT_NAMES = dict(zip(("lr", "lr-vectors", "lr-both", "ours", "ours-both"), MODELS, strict=True))


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("embedding", __doc__)
    add_data_option(parser)
    parser.add_argument(
        "--sizes",
        type=whole_numbers,
        default=[ALL],
        help=f"numbers of training rows, with commas between them; {ALL} for all (default)",
    )
    parser.add_argument(
        "--embedder",
        choices=sorted(EMBEDDERS),
        default="minilm",
        help='minilm and static need pip install ".[benchmarks-embedding]" (default: minilm)',
    )
    parser.add_argument(
        "--models",
        type=one_or_more_of(list(SHORT_NAMES)),
        default=list(SHORT_NAMES),
        help=f"with commas between them (default: {','.join(SHORT_NAMES)})",
    )
    add_seeds_option(parser, [0, 1, 2])
    add_output_option(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the tables."""
    options = build_parser().parse_args(arguments)
    with exit_on_bad_input():
        corpora = read_corpora(options.data)
    models = [SHORT_NAMES[name] for name in options.models]
    jobs = plan(corpora, options.sizes, options.seeds, options.embedder, options.output, models)
    results = measure_jobs(measure, jobs, options.output / "embedding.csv")
    for title, value, scale in (
        ("accuracy in %", "accuracy", 100),
        ("weighted F1 in %", "weighted_f1", 100),
        ("CPU seconds of fit and predict", "cpu_seconds", 1),
    ):
        print(f"\n{title}\n{summarise(results, value, scale).to_string(index=False)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
