"""Command line: ``python -m benchmarks.speed --help``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from benchmarks.command_line import one_or_more_of, positive_number
from benchmarks.corpora.corpus import Corpus
from benchmarks.corpora.embedded import load_docstring_sections_corpus
from benchmarks.corpora.files import Columns, load_files
from benchmarks.measuring.processes import describe_error
from benchmarks.speed.fit import add_means, plan_fit
from benchmarks.speed.growth import plan_growth
from benchmarks.speed.imports import plan_import
from benchmarks.speed.memory import plan_memory
from benchmarks.speed.predict import plan_predict
from benchmarks.speed.report import csv_path, write_report
from benchmarks.speed.search import plan_search
from benchmarks.speed.tasks import Settings, Task, shorten
from benchmarks.speed.vocabulary import plan_vocabulary

EPILOG = """\
tables:
  fit         training of logistic regression, SGD, fastText (where installed) and ours
  vocabulary  a training step with 20,000 to 2,000,000 features, synthetic
  growth      time per row or word with more rows, longer texts and longer groups (*)
  memory      peak of a process that fits logistic regression or ours, also on a million rows (*)
  predict     rows per second, and the delay of a single row
  import      fresh interpreters with and without the package
  search      a grid search on one and two processes, and with a cached vectorizer (*)
  (*) on the first corpus that has groups, or on the first where none has any

Each table is written to OUTPUT/speed_<table>.csv after every step. OUTPUT/speed.md holds all
tables found there, so that they may be measured in several runs. The regularisation of the linear
models is searched once per corpus and kept in OUTPUT/choices.json.

examples:
  python -m benchmarks.speed --quick
  python -m benchmarks.speed --data path/to/folder --tables fit,predict --repeats 3
"""
PLANS: dict[str, Callable[[Sequence[Corpus], Settings], list[Task]]] = {
    "fit": plan_fit,
    "vocabulary": plan_vocabulary,
    "growth": plan_growth,
    "memory": plan_memory,
    "predict": plan_predict,
    "import": plan_import,
    "search": plan_search,
}


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed",
        description="Measure speed and memory of ContextMemoryClassifier against TF-IDF with "
        "logistic regression, on one thread each, with the vectorizing included.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data",
        nargs="+",
        metavar="FILE_OR_FOLDER",
        help="CSV, TSV or Parquet with the columns text, label and, where there are any, group, "
        "order, speaker and split (default: lines of docstrings)",
    )
    parser.add_argument(
        "--tables",
        type=one_or_more_of(list(PLANS)),
        default=list(PLANS),
        help="names with commas between them (default: all)",
    )
    parser.add_argument(
        "--repeats", type=positive_number, default=5, help="measurements in a median (default: 5)"
    )
    parser.add_argument(
        "--limit",
        type=positive_number,
        default=300,
        metavar="SECONDS",
        help="a fit of LogisticRegression that takes longer is stopped, and its time reported as "
        "a lower bound (default: 300)",
    )
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that all works")
    return parser


def load_corpora(options: argparse.Namespace) -> list[Corpus]:
    """Load all corpora first, so that a mistake in the last one shows at once."""
    if options.data:
        corpora = load_files(options.data, Columns())
    else:
        corpora = [load_docstring_sections_corpus()]
    return [shorten(corpus) for corpus in corpora] if options.quick else corpora


def run_all(plans: dict[str, list[Task]], output: Path) -> list[str]:
    """Run the tasks of each table; what is done so far is always on disk.

    Parameters
    ----------
    plans : dict of str to list of Task
        The tasks of each table.

    output : Path
        Folder of the results.

    Returns
    -------
    list of str
        Messages of the tasks that failed.
    """
    output.mkdir(parents=True, exist_ok=True)
    failures = []
    with tqdm(total=sum(map(len, plans.values())), unit="step") as progress:
        for table, tasks in plans.items():
            rows: list[dict] = []
            for task in tasks:
                progress.set_description(f"{table}: {task.name}")
                try:
                    rows += task.run()
                except Exception as error:  # whatever it is, the other tasks go on
                    failures.append(f"{table}: {task.name}: {describe_error(error)}")
                write_table(table, rows, output)
                progress.update()
    return failures


def write_table(table: str, rows: list[dict], output: Path) -> None:
    """Write a table as far as it is known, and the report."""
    if rows:
        frame = pd.DataFrame(rows)
        frame = add_means(frame) if table == "fit" else frame
        frame.to_csv(csv_path(output, table), index=False)
        write_report(output)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return 1 when a task failed and 2 when the data cannot be read."""
    options = build_parser().parse_args(arguments)
    settings = Settings(options.output, options.repeats, options.limit, options.quick)
    try:
        corpora = load_corpora(options)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    plans = {table: PLANS[table](corpora, settings) for table in options.tables}
    failures = run_all(plans, options.output)
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    print(f"Wrote {options.output / 'speed.md'}")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
