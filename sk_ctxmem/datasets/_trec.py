"""TREC: questions, labelled with the kind of answer that they ask for."""

from ._corpus import choose_splits, fetch_parts, make_bunch, read_labelled_lines
from ._download import RemoteFile

BASE = (
    "https://raw.githubusercontent.com/harvardnlp/sent-conv-torch/"
    "d61ded09c99c0199d8c5bca946cd65864de2b296/data/"
)
FILES = {
    "train": RemoteFile(
        BASE + "TREC.train.all",
        "c8183fd8c2a5cc4a9a1c56548d7c6410a8b71ed7843df9ef1f0a05cd7cf2fb3e",
    ),
    "test": RemoteFile(
        BASE + "TREC.test.all",
        "92a6a3cede5678b447ef5f1d7ec474134fcda211e6590e6fa627b4a2c68e4566",
    ),
}
# The files have numbers; the names are those of Li and Roth.
CLASSES = {"0": "DESC", "1": "ENTY", "2": "ABBR", "3": "HUM", "4": "LOC", "5": "NUM"}

DESCR = """\
TREC questions
==============

Each row is one question, and its label is the kind of answer: an abbreviation (ABBR), a
description (DESC), an entity (ENTY), a human (HUM), a location (LOC) or a number (NUM).
Questions stand alone: there are no groups.

    parts        {splits}
    questions    {n_rows}
    classes      {target_names}

These are the six coarse classes. The parts are those of the authors; there is no valid part.
The texts are split into tokens by spaces. Ten of the 500 test questions also stand in the
training part; they are kept.

Source: github.com/harvardnlp/sent-conv-torch, a copy of the corpus of Li and Roth (2002).
Licence: none stated for the corpus; that repository is under the MIT licence.
"""


def _read_questions(path):
    """Return one row per question."""
    # One training question has a byte that is not valid UTF-8.
    frame = read_labelled_lines(path, separator=" ", encoding="latin-1")
    return frame.assign(target=frame["target"].map(CLASSES))


def fetch_trec(*, subset="all", data_home=None, download_if_missing=True, progressbar=False):
    """Fetch the TREC questions in six classes (classification of single texts).

    Download it if necessary: 0.3 MB.

    =========  =====  ====
    ..         train  test
    =========  =====  ====
    questions   5452   500
    =========  =====  ====

    Parameters
    ----------
    subset : {"all", "train", "test"}, default="all"
        The part to return, as the authors split the corpus. There is no valid part.

    data_home : str or path-like, default=None
        The folder that files are kept in; each corpus has a folder in it. If None, it is the
        value of the environment variable ``SK_CTXMEM_DATA``, and without that ``sk_ctxmem`` in
        the user's cache folder, as ``pooch.os_cache`` gives it.

    download_if_missing : bool, default=True
        If False, raise an OSError if a file is not in the folder, and open no connection.

    progressbar : bool, default=False
        Whether to show the progress of a download on standard error.

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
            The classes that occur, sorted: ABBR, DESC, ENTY, HUM, LOC and NUM.
        groups : None
            Questions stand alone.
        DESCR : str
            Description with sizes, source and licence.

    Notes
    -----
    These are the six coarse classes, not the 50 fine ones. Ten test questions also stand in the
    training part; they are kept.

    Licence: none stated for the corpus. The repository that the files come from is under the
    MIT licence.

    References
    ----------
    X. Li and D. Roth (2002). Learning question classifiers. COLING.

    Examples
    --------
    >>> from sk_ctxmem.datasets import fetch_trec
    >>> fetch_trec().target_names  # doctest: +SKIP
    ['ABBR', 'DESC', 'ENTY', 'HUM', 'LOC', 'NUM']
    """
    frame = fetch_parts(
        "trec",
        FILES,
        choose_splits(subset, FILES),
        _read_questions,
        data_home=data_home,
        download_if_missing=download_if_missing,
        progressbar=progressbar,
    )
    return make_bunch(frame, DESCR)
