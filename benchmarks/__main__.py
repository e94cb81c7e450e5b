"""Command line: ``python -m benchmarks --help``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from benchmarks._corpora import Columns, Corpus, load_docstring_sections_corpus, load_files
from benchmarks._models import CONTEXTS, MODELS
from benchmarks._report import closing_sentence, markdown_table, text_table, write_plot
from benchmarks._run import COLUMNS, Job, Runner, plan_jobs

EPILOG = """\
examples:
  python -m benchmarks --demo
  python -m benchmarks --data path/to/folder --models lr,context-memory
  python -m benchmarks --data calls.csv --text utterance --label act --group call --order turn
"""


def one_or_more_of(allowed: Sequence[str]) -> Callable[[str], list[str]]:
    """Make a parser of names with commas between them."""

    def parse(text: str) -> list[str]:
        names = text.split(",")
        unknown = [name for name in names if name not in allowed]
        if unknown:
            message = f"{unknown[0]!r} is unknown; choose from {', '.join(allowed)}"
            raise argparse.ArgumentTypeError(message)
        return names

    return parse


def whole_numbers(text: str) -> list[int]:
    """Parse whole numbers with commas between them."""
    return [int(number) for number in text.split(",")]


def positive_number(text: str) -> int:
    """Parse a whole number above zero."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} must be 1 or more")
    return number


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Compare ContextMemoryClassifier with tuned TF-IDF and logistic regression.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_argument_group("corpora (default: lines of docstrings, all of them)")
    source = what.add_mutually_exclusive_group()
    source.add_argument("--demo", action="store_true", help="a part of them, for two minutes")
    source.add_argument("--data", nargs="+", metavar="FILE_OR_FOLDER", help="CSV, TSV or Parquet")
    what.add_argument("--text", default="text", help="column of the texts (default: text)")
    what.add_argument("--label", default="label", help="column of the classes (default: label)")
    for name in ("group", "order", "speaker"):
        what.add_argument(f"--{name}", help=f"column (default: {name}, where it exists)")
    what.add_argument("--rows", type=positive_number, help="training rows, about, in whole groups")
    how = parser.add_argument_group("comparison")
    how.add_argument("--models", type=one_or_more_of(MODELS), default=list(MODELS))
    how.add_argument("--contexts", type=one_or_more_of(CONTEXTS), default=["past", "both"])
    how.add_argument("--seeds", type=whole_numbers, default=[0], help="for example 0,1,2")
    how.add_argument("--score", choices=("test", "valid"), default="test", help="rows to score on")
    how.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    how.add_argument(
        "--isolate",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="a fresh process per fit; peak memory is measured only so",
    )
    return parser


def load_corpora(options: argparse.Namespace) -> list[Corpus]:
    """Load all corpora first, so that a mistake in the last one shows at once."""
    if options.data:
        columns = Columns(
            options.text, options.label, options.group, options.order, options.speaker
        )
        corpora = load_files(options.data, columns)
    else:
        corpora = [load_docstring_sections_corpus(demo=options.demo)]
    if options.rows:
        corpora = [corpus.first_train_rows(options.rows) for corpus in corpora]
    return corpora


def run_all(jobs: list[Job], runner: Runner, output: Path) -> pd.DataFrame:
    """Run the jobs with a progress bar; what is done so far is always on disk."""
    output.mkdir(parents=True, exist_ok=True)
    results: list[dict] = []
    with tqdm(jobs, unit="fit") as progress:
        for job in progress:
            progress.set_description(str(job))
            result = runner.run(job)
            if result is not None:
                results.append(result)
                frame = pd.DataFrame(results, columns=COLUMNS)
                frame.to_csv(output / "results.csv", index=False)
    return frame


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a comparison; return 1 when a job failed and 2 when nothing could be run."""
    options = build_parser().parse_args(arguments)
    try:
        jobs = plan_jobs(load_corpora(options), options.models, options.contexts, options.seeds)
        if not jobs:
            raise ValueError("lr-window needs a group column; there is nothing to run.")
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    results = run_all(jobs, Runner(options.score, options.isolate), options.output)
    (options.output / "results.md").write_text(markdown_table(results), encoding="utf-8")
    print(text_table(results))
    if options.demo:
        print(f"\n{closing_sentence(results)}")
    write_plot(results, options.output / "results.png")
    return int(results["accuracy"].isna().any())


if __name__ == "__main__":
    sys.exit(main())
