"""The embedded corpora: docstring sections of installed packages, and service dialogues."""

from __future__ import annotations

import pandas as pd

from benchmarks.corpora.corpus import Corpus
from sk_ctxmem.comparison import take_whole_groups

# With these sizes the models of the demonstration take two minutes or less on two cores.
DEMO_TRAIN_ROWS = 8_000
DEMO_TEST_ROWS = 4_000


def load_docstring_sections_corpus(demo: bool = False) -> Corpus:
    """Load the docstrings of installed packages, or a fixed part of them for the demonstration.

    Parameters
    ----------
    demo : bool, default=False
        Whether to keep about `DEMO_TRAIN_ROWS` and `DEMO_TEST_ROWS` rows only.

    Returns
    -------
    Corpus
        A row is a line of a docstring, a group is a docstring, and the label is the section that
        contains the line.
    """
    from sk_ctxmem.datasets import load_docstring_sections

    frame = load_docstring_sections().frame.rename(columns={"target": "label"})
    corpus = Corpus("docstring sections", frame.drop(columns="package"))
    if not demo:
        return corpus
    train = take_whole_groups(corpus.part("train"), DEMO_TRAIN_ROWS)
    test = take_whole_groups(corpus.part("test"), DEMO_TEST_ROWS)
    return Corpus("docstring sections (part)", pd.concat([train, test]))


def load_service_dialogues_corpus() -> Corpus:
    """Load the dialogues that come with the package; the label is the set of acts of a turn."""
    from sk_ctxmem.datasets import load_service_dialogues

    frame = load_service_dialogues().frame.rename(columns={"target": "label"})
    return Corpus("service dialogues", frame.drop(columns="services"))
