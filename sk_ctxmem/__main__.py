"""Command line of sk_ctxmem."""

import argparse
import os
import sys

from ._chat._conversation import run
from ._compare._command import add_compare_options, compare_file


def main(arguments=None):
    """Run a command and return its exit status."""
    options = _parser().parse_args(arguments)
    for stream in (sys.stdin, sys.stdout):  # no error on undecodable bytes
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        return options.run(options)
    except BrokenPipeError:  # the reader closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _parser():
    parser = argparse.ArgumentParser(prog="python -m sk_ctxmem", description=__doc__)
    commands = parser.add_subparsers(required=True)
    chat = commands.add_parser("chat", help="classify the turns of a conversation as you type them")
    chat.add_argument("model", help="model file written by ContextMemoryClassifier.save")
    chat.add_argument(
        "--classes",
        type=_positive,
        default=3,
        metavar="N",
        help="number of classes to show (default: 3)",
    )
    chat.add_argument(
        "--speakers",
        nargs="+",
        default=[],
        metavar="NAME",
        help="names of the speakers, who take turns",
    )
    chat.set_defaults(run=_chat)
    compare = commands.add_parser("compare", help="compare context memory with tuned baselines")
    add_compare_options(compare, _positive)
    compare.set_defaults(run=compare_file)
    return parser


def _chat(options):
    return run(options.model, n_classes=options.classes, speakers=options.speakers)


def _positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
