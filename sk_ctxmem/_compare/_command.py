"""The program of ``python -m sk_ctxmem compare``."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from ..exceptions import TrainingInterruptedWarning
from ._names import MODELS
from ._tables import SUFFIXES, check_no_gaps, read_table, take_whole_groups

ROLES = ("text", "label", "group", "order", "speaker")
STATUS_OF_BAD_INPUT = 2
STATUS_OF_INTERRUPT = 130


def compare_file(options: argparse.Namespace) -> int:
    """Compare classifiers on the rows of a file, and print the table.

    Parameters
    ----------
    options : Namespace
        Options of the command: file, text, label, group, order, speaker, models, folds, rows, seed
        and output.

    Returns
    -------
    status : int
        Exit status: 0 for success, 2 if the file cannot be used, 130 after Ctrl-C.
    """
    try:
        _check_output(options.output, options.file)
        frame, columns = read_rows_of_file(options)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", TrainingInterruptedWarning)
            table = _compare(frame, columns, options)
    except (ImportError, OSError, TypeError, ValueError) as error:
        print(f"sk_ctxmem compare: {' '.join(str(error).split())}", file=sys.stderr)
        return STATUS_OF_BAD_INPUT
    except KeyboardInterrupt:
        print("\nsk_ctxmem compare: interrupted before a model was tested.", file=sys.stderr)
        return STATUS_OF_INTERRUPT
    return _report(table, caught, options.output)


def _compare(frame, columns, options):
    """Compare classifiers on the rows of a frame."""
    from ._run import run_comparison  # imports skorch, which the other commands do not need

    roles = {role: role if role in columns else None for role in ("group", "order", "speaker")}
    return run_comparison(
        frame[[role for role in ROLES if role in columns and role != "label"]],
        frame["label"],
        {"text": "text"} | roles,
        models=options.models,
        estimators={},
        cv=options.folds,
        n_jobs=None,
        verbose=1,
        random_state=options.seed,
    )


def _report(table, caught, output):
    """Print and write the table; return the exit status."""
    from ._report import table_lines

    for warning in caught:
        print(f"sk_ctxmem compare: {' '.join(str(warning.message).split())}", file=sys.stderr)
    print("\n".join(table_lines(table)))
    try:
        if output is not None:
            table.to_csv(output, index=False)
    except OSError as error:  # such as a full disk; the table is printed
        print(f"sk_ctxmem compare: the table was not written: {error}", file=sys.stderr)
        return STATUS_OF_BAD_INPUT
    is_partial = any(issubclass(each.category, TrainingInterruptedWarning) for each in caught)
    return STATUS_OF_INTERRUPT if is_partial else 0


def _check_output(output, file):
    """Raise before the work if the table cannot be written after it."""
    if output is not None and Path(output).resolve() == Path(file).resolve():
        raise ValueError(f"--output {output} would overwrite the rows; give another file.")
    if output is not None and not Path(output).resolve().parent.is_dir():
        raise ValueError(f"--output {output} is in a folder that does not exist; make it first.")
    if output is not None and Path(output).is_dir():
        raise ValueError(f"--output {output} is a folder; give the path of a file.")


def read_rows_of_file(options: argparse.Namespace) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read and check the rows of the user's file.

    Parameters
    ----------
    options : Namespace
        Options of the command.

    Returns
    -------
    frame : DataFrame
        Its columns text, label, group, order and speaker, of which the last three are optional.
    columns : dict of str to str
        The names of these in the file.

    Raises
    ------
    OSError, ValueError
        If there is no such file, a column is missing, or cells are empty that may not be.
    """
    path = _find_file(options.file)
    asked = {role: getattr(options, role) for role in ROLES}
    as_written = [asked[role] or role for role in ("text", "group", "speaker")]
    table = read_table(path, as_written)
    columns = _find_columns(table, asked, path)
    frame = pd.DataFrame({role: table[name] for role, name in columns.items()})
    frame = frame.reset_index(drop=True)
    check_no_gaps(frame, {role: columns[role] for role in columns if role != "text"}, path)
    frame["text"] = frame["text"].fillna("").astype(str)  # an empty turn is a turn
    if options.rows is not None:
        frame = take_whole_groups(frame, options.rows, options.seed).reset_index(drop=True)
    if frame["label"].nunique() < 2:
        label = frame["label"].iloc[0] if len(frame) else "none, as there are no rows"
        raise ValueError(f"{path} has one class only ({label}); at least two are needed.")
    return frame, columns


def _find_file(name):
    """Return the path of a file that can be read."""
    path = Path(name)
    if not path.exists():
        raise FileNotFoundError(f"{name} does not exist.")
    if path.is_dir() or path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{name} must be a file that ends in one of {', '.join(SUFFIXES)}.")
    return path


def _find_columns(table, asked, path):
    """Return the name in the file of each role; optional columns need not exist unless named."""
    columns = {}
    for role, name in asked.items():
        if name is not None or role in ("text", "label") or role in table:
            columns[role] = name or role
    for role, name in columns.items():
        if name not in table:
            known = ", ".join(map(repr, table.columns))
            raise ValueError(
                f"{path} has no column {name!r} for --{role}; its columns are: {known}."
            )
    twice = [name for name in columns.values() if list(columns.values()).count(name) > 1]
    if twice:
        raise ValueError(f"The column {twice[0]!r} is named for two options; name each once.")
    return columns


def add_compare_options(parser: argparse.ArgumentParser, positive: Callable[[str], int]) -> None:
    """Describe the options of the command.

    Parameters
    ----------
    parser : ArgumentParser
        The parser of the command.
    positive : callable
        Converts an option to an integer of at least 1.
    """
    parser.add_argument("file", help=f"table with a row for each text: {', '.join(SUFFIXES)}")
    parser.add_argument("--text", help="column of the texts (default: text)")
    parser.add_argument("--label", help="column of the classes (default: label)")
    for name in ("group", "order", "speaker"):
        parser.add_argument(f"--{name}", help=f"column (default: {name}, if it exists)")
    parser.add_argument(
        "--models",
        type=_names,
        metavar="NAMES",
        help=f"some of {', '.join(MODELS)}, with commas between them (default: all that suit)",
    )
    parser.add_argument("--folds", type=positive, default=5, help="number of folds (default: 5)")
    parser.add_argument("--rows", type=positive, help="number of rows, in whole groups")
    parser.add_argument("--seed", type=int, default=0, help="random seed (default: 0)")
    parser.add_argument("--output", metavar="CSV", help="file to write the table to")


def _names(text):
    """Split names at commas."""
    return [name.strip() for name in text.split(",") if name.strip()]
