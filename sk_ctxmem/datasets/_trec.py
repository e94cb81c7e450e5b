"""TREC: questions, labelled with the type of the expected answer."""

from __future__ import annotations

from functools import partial
from typing import Any

from sklearn.utils import Bunch

from ._corpus import CorpusSpec, fetch_corpus, read_labelled_lines

# The files contain numbers; the names are those of Li and Roth.
CLASSES = {"0": "DESC", "1": "ENTY", "2": "ABBR", "3": "HUM", "4": "LOC", "5": "NUM"}
DESCRIPTION = """\
TREC questions
==============

Each row is a question, and its label is the type of the answer: an abbreviation (ABBR), a
description (DESC), an entity (ENTY), a human (HUM), a location (LOC) or a number (NUM). The
questions are independent of one another: there are no groups.

    splits       {splits}
    questions    {n_rows}
    classes      {target_names}

These are the six coarse classes. The splits are those of the authors; there is no valid split.
The texts are tokenized: spaces separate the tokens. Ten of the 500 test questions are also in
the train split; they are kept.

Source: github.com/harvardnlp/sent-conv-torch, a copy of the corpus of Li and Roth (2002).
"""

SPEC = CorpusSpec(
    name="trec",
    base_url=(
        "https://raw.githubusercontent.com/harvardnlp/sent-conv-torch/"
        "d61ded09c99c0199d8c5bca946cd65864de2b296/data/"
    ),
    files={"train": "TREC.train.all", "test": "TREC.test.all"},
    registry={
        "TREC.train.all": "c8183fd8c2a5cc4a9a1c56548d7c6410a8b71ed7843df9ef1f0a05cd7cf2fb3e",
        "TREC.test.all": "92a6a3cede5678b447ef5f1d7ec474134fcda211e6590e6fa627b4a2c68e4566",
    },
    columns=("text", "split", "target"),
    # One train question has a byte that is not valid UTF-8.
    read=partial(read_labelled_lines, separator=" ", encoding="latin-1", classes=CLASSES),
    licence="none stated for the corpus; that repository is under the MIT licence.",
    description=DESCRIPTION,
)


def fetch_trec(
    *,
    subset: str = "all",
    data_home: Any = None,
    download_if_missing: bool = True,
    progressbar: bool = False,
) -> Bunch:
    """Fetch the TREC questions: questions of six classes, for text classification.

    The files are downloaded if necessary (0.3 MB).

    =========  =====  ====
    ..         train  test
    =========  =====  ====
    questions   5452   500
    =========  =====  ====

    Parameters
    ----------
    subset : {"all", "train", "test"}, default="all"
        The split to return, as defined by the authors. There is no valid split.

    data_home : str or path-like, default=None
        Folder for the downloaded files. If None, use the environment variable ``SK_CTXMEM_DATA``
        or, if that is not set, the folder ``sk_ctxmem`` in ``pooch.os_cache``.

    download_if_missing : bool, default=True
        If False, raise an OSError when a file is not in the folder; do not download it.

    progressbar : bool, default=False
        Whether to show a progress bar on standard error during a download.

    Returns
    -------
    corpus : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the following attributes.

        frame : DataFrame of shape (n_questions, 3)
            The columns text, split and target.
        data : DataFrame of shape (n_questions, 1)
            The column text.
        target : Series of shape (n_questions,)
            The class of each question.
        target_names : list of str
            The classes in the returned rows, sorted: ABBR, DESC, ENTY, HUM, LOC and NUM.
        groups : None
            The questions are independent of one another.
        DESCR : str
            Description with sizes, source and licence.

    Notes
    -----
    These are the six coarse classes, not the 50 fine ones. Ten test questions are also in the
    train split; they are kept.

    Licence: none stated for the corpus. The repository that hosts the files is under the MIT
    licence.

    References
    ----------
    X. Li and D. Roth (2002). Learning question classifiers. COLING.

    Examples
    --------
    >>> from sk_ctxmem.datasets import fetch_trec
    >>> fetch_trec().target_names  # doctest: +SKIP
    ['ABBR', 'DESC', 'ENTY', 'HUM', 'LOC', 'NUM']
    """
    return fetch_corpus(SPEC, subset, data_home, download_if_missing, progressbar)
