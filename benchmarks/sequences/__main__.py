"""Measure accuracy on sequences of vectors: ``python -m benchmarks.sequences``.

Each sequence has one label: an image is a sequence of rows of pixels, a recording one of frames of
its spectrum. Context memory, with its defaults, is compared with logistic regression on all numbers
or on mean and standard deviation, and with MiniRocket and ROCKET of aeon, which may be installed
for another interpreter.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from benchmarks.command_line import (
    add_output_option,
    add_seeds_option,
    exit_on_bad_input,
    make_parser,
    one_or_more_of,
)
from benchmarks.measuring.processes import measure_jobs
from benchmarks.models.build import CONTEXTS
from benchmarks.sequences.data import ARRAYS, DIGITS, load_data
from benchmarks.sequences.measure import EXTERNAL, MODELS, SHORTEST, measure, plan
from benchmarks.sequences.report import summarise


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("sequences", __doc__)
    parser.add_argument(
        "--data",
        nargs="+",
        metavar="FILE",
        default=[DIGITS],
        help=f"NPZ files with the arrays {', '.join(ARRAYS)}, or {DIGITS} for images that come "
        f"with scikit-learn (default: {DIGITS})",
    )
    parser.add_argument(
        "--models",
        type=one_or_more_of(MODELS),
        default=list(MODELS),
        help=f"some of {', '.join(MODELS)} (default: all)",
    )
    parser.add_argument(
        "--contexts",
        type=one_or_more_of(CONTEXTS),
        default=["past"],
        help=f"some of {', '.join(CONTEXTS)} (default: past)",
    )
    parser.add_argument(
        "--external",
        metavar="PYTHON",
        help="interpreter that can import aeon, which needs an environment of its own if its "
        "versions of pandas and others are not ours (default: this one, if it can)",
    )
    add_seeds_option(parser, [0, 1, 2])
    add_output_option(parser)
    return parser


def find_interpreter(asked: str | None) -> str | None:
    """Return an interpreter that can import aeon, or None."""
    if asked is None:
        return sys.executable if find_spec("aeon") else None
    done = subprocess.run([asked, "-c", "import aeon"], capture_output=True, text=True)
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise ValueError(f"{asked} of --external cannot import aeon: {reason}")
    return asked


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write the results and print the table."""
    options = build_parser().parse_args(arguments)
    asked = [model for model in options.models if model in EXTERNAL]
    with exit_on_bad_input():
        data = load_data(options.data)
        interpreter = find_interpreter(options.external) if asked else None
    if asked and interpreter is None:
        print(f"{', '.join(asked)} left out, as aeon is missing; see --external.", file=sys.stderr)
    short = [each.name for each in data if interpreter and each.n_steps < SHORTEST]
    if short:
        reason = f"sequences have fewer than {SHORTEST} steps"
        print(f"{', '.join(asked)} left out of {', '.join(short)}: {reason}.", file=sys.stderr)
    jobs = plan(data, options.models, options.contexts, options.seeds, interpreter)
    results = measure_jobs(measure, jobs, options.output / "sequences.csv")
    print(summarise(results).to_string(index=False) if jobs else "There is nothing to measure.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
