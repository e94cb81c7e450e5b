"""Options that several studies have, and the errors of their commands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.corpora.corpus import Corpus
from benchmarks.corpora.files import EMBEDDED, WITHOUT_FILE, Columns, load_files

SOURCES = f"CSV, TSV or Parquet, or {' or '.join(WITHOUT_FILE)} for an embedded corpus"
RESULTS = Path("ctxmem_results")  # not PUBLISHED, which a run on other data would overwrite
PUBLISHED = Path("benchmarks/results")


def make_parser(study: str, description: str | None) -> argparse.ArgumentParser:
    """Make the parser of a study: the name of its folder, and the docstring of its command."""
    return argparse.ArgumentParser(prog=f"python -m benchmarks.{study}", description=description)


def add_data_option(parser: argparse.ArgumentParser, remark: str = "") -> None:
    """Add ``--data``: files, with the embedded corpus as the default."""
    parser.add_argument(
        "--data",
        nargs="+",
        metavar="FILE_OR_FOLDER",
        default=[EMBEDDED],
        help=f"{SOURCES}{remark} (default: {EMBEDDED})",
    )


def add_rows_option(parser: argparse.ArgumentParser, default: int | None = None) -> None:
    """Add ``--rows``: a limit on the training rows."""
    shown = "all" if default is None else f"{default:,}"
    parser.add_argument(
        "--rows",
        type=positive_number,
        default=default,
        help=f"number of training rows, rounded up to whole groups (default: {shown})",
    )


def add_seeds_option(parser: argparse.ArgumentParser, default: Sequence[int]) -> None:
    """Add ``--seeds``: whole numbers with commas between them."""
    shown = ",".join(map(str, default))
    parser.add_argument(
        "--seeds",
        type=whole_numbers,
        default=list(default),
        help=f"random seeds, separated by commas (default: {shown})",
    )


def add_output_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--output``: the folder of the results."""
    parser.add_argument(
        "--output",
        type=Path,
        default=RESULTS,
        help=f"folder of the results (default: {RESULTS} in the current folder); the published "
        f"ones, which lie in {PUBLISHED}, are replaced only if that folder is given",
    )


def add_plot_option(parser: argparse.ArgumentParser, table: str) -> None:
    """Add ``--plot-only``: a plot of results that are there."""
    parser.add_argument(
        "--plot-only",
        action="store_true",
        help=f"measure nothing; print and draw {table} of --output again",
    )


def add_quick_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--quick``: a run on tiny sizes."""
    parser.add_argument("--quick", action="store_true", help="use tiny sizes, for a first try")


def read_corpora(
    sources: Sequence[str], n_rows: int | None = None, columns: Columns | None = None
) -> list[Corpus]:
    """Load corpora, all before anything is measured, so that errors in any of them show at once.

    Parameters
    ----------
    sources : sequence of str
        The values of ``--data``.

    n_rows : int, default=None
        The value of ``--rows``: number of training rows, rounded up to whole groups. If None,
        keep all of them.

    columns : Columns, default=None
        Names of the columns in the files. If None, they have the default names.
    """
    return keep_rows(load_files(sources, columns or Columns()), n_rows)


def keep_rows(corpora: list[Corpus], n_rows: int | None) -> list[Corpus]:
    """Return the corpora with about `n_rows` training rows each; with all of them if it is None."""
    return [corpus.first_train_rows(n_rows) for corpus in corpora] if n_rows else corpora


def keep_grouped(corpora: Sequence[Corpus]) -> list[Corpus]:
    """Return the corpora whose rows have groups; raise an error if there are none."""
    grouped = [corpus for corpus in corpora if corpus.has_groups]
    if not grouped:
        raise ValueError("none of the corpora has groups; this study needs conversations.")
    return grouped


@contextmanager
def exit_on_bad_input() -> Iterator[None]:
    """Print an error of the input in one line, and end the command with status 2."""
    try:
        yield
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def one_or_more_of(allowed: Sequence[str]) -> Callable[[str], list[str]]:
    """Make a parser of names that are separated by commas."""

    def parse(text: str) -> list[str]:
        names = text.split(",")
        unknown = [name for name in names if name not in allowed]
        if unknown:
            message = f"{unknown[0]!r} is unknown; choose from {', '.join(allowed)}"
            raise argparse.ArgumentTypeError(message)
        return names

    return parse


def whole_numbers(text: str) -> list[int]:
    """Parse whole numbers that are separated by commas."""
    return [int(number) for number in text.split(",")]


def positive_number(text: str) -> int:
    """Parse a whole number above zero."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} must be 1 or more")
    return number
