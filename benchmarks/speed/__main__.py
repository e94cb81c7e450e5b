"""Measure speed and memory: ``python -m benchmarks.speed --help``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from benchmarks.command_line import (
    add_data_option,
    add_output_option,
    add_quick_option,
    exit_on_bad_input,
    one_or_more_of,
    positive_number,
    read_corpora,
)
from benchmarks.corpora.corpus import Corpus
from benchmarks.measuring.files import write_table
from benchmarks.measuring.processes import describe_error
from benchmarks.reports.pages import add_page_options, update
from benchmarks.speed.fit import add_means, plan_fit
from benchmarks.speed.growth import plan_growth
from benchmarks.speed.imports import plan_import
from benchmarks.speed.memory import plan_memory
from benchmarks.speed.page import make_blocks
from benchmarks.speed.predict import plan_predict
from benchmarks.speed.report import csv_path, write_report
from benchmarks.speed.search import plan_search
from benchmarks.speed.tasks import Settings, Task, shorten
from benchmarks.speed.vocabulary import plan_vocabulary

EPILOG = """\
tables:
  fit         training of logistic regression, SGD, fastText (if installed) and context memory
  vocabulary  a training step with 20,000 to 2,000,000 synthetic features
  growth      time per row or word with more rows, longer texts and longer groups (*)
  memory      peak memory of fits of logistic regression and context memory, also on a
              million rows (*)
  predict     rows per second, and the latency of a single row
  import      fresh interpreters with and without the package
  search      a grid search on one and two processes, and with a cached vectorizer (*)
  (*) on the first corpus with groups, or on the first one if none has groups

Each table is written to OUTPUT/speed_<table>.csv after every step. OUTPUT/speed.md holds all
tables in that folder, so several runs may measure different tables. The regularization of the
linear models is searched once per corpus and kept in OUTPUT/choices.json.

--write and --check measure nothing: they take the table "fit" of OUTPUT.

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
        "logistic regression, each on one thread and with the time of the vectorizer.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_data_option(
        parser, ", with the columns text, label and optionally group, order, speaker and split"
    )
    parser.add_argument(
        "--tables",
        type=one_or_more_of(list(PLANS)),
        default=list(PLANS),
        help="names of tables, separated by commas (default: all)",
    )
    parser.add_argument(
        "--repeats", type=positive_number, default=5, help="measurements per median (default: 5)"
    )
    parser.add_argument(
        "--limit",
        type=positive_number,
        default=300,
        metavar="SECONDS",
        help="limit of a fit of LogisticRegression, which is stopped after it and reported as a "
        "lower bound (default: 300)",
    )
    add_output_option(parser)
    add_quick_option(parser)
    add_page_options(parser)
    return parser


def load_corpora(options: argparse.Namespace) -> list[Corpus]:
    """Load the corpora, or small parts of them with ``--quick``."""
    corpora = read_corpora(options.data)
    return [shorten(corpus) for corpus in corpora] if options.quick else corpora


def run_all(plans: dict[str, list[Task]], output: Path) -> list[str]:
    """Run the tasks of each table, and write the results after each task.

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
                except Exception as error:  # the other tasks continue after any error
                    failures.append(f"{table}: {task.name}: {describe_error(error)}")
                write_results(table, rows, output)
                progress.update()
    return failures


def write_results(table: str, rows: list[dict], output: Path) -> None:
    """Write the rows of a table so far, and the report."""
    if rows:
        frame = pd.DataFrame(rows)
        frame = add_means(frame) if table == "fit" else frame
        write_table(csv_path(output, table), frame)
        write_report(output)


def write_page(options: argparse.Namespace) -> int:
    """Write the table "fit" of OUTPUT into a page, or check it."""
    with exit_on_bad_input():
        blocks = make_blocks(pd.read_csv(csv_path(options.output, "fit")))
        page = options.write or options.check
        return update(page, blocks, "speed", bool(options.check))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return 1 if a task failed."""
    options = build_parser().parse_args(arguments)
    if options.write or options.check:
        return write_page(options)
    settings = Settings(options.output, options.repeats, options.limit, options.quick)
    with exit_on_bad_input():
        corpora = load_corpora(options)
    plans = {table: PLANS[table](corpora, settings) for table in options.tables}
    failures = run_all(plans, options.output)
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    print(f"Wrote {options.output / 'speed.md'}")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
