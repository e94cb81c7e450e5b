"""BANKING77: questions of bank customers, labelled with their intent."""

from ._corpus import choose_splits, fetch_parts, make_bunch, read_csv
from ._download import RemoteFile

BASE = (
    "https://raw.githubusercontent.com/PolyAI-LDN/task-specific-datasets/"
    "57ec275d8078af65b7731c2a98be812d844a6d6b/banking_data/"
)
FILES = {
    "train": RemoteFile(
        BASE + "train.csv",
        "b06e26ac675513959a63135f11b94ea7786ed02da65db93a5650d8838cbc664b",
    ),
    "test": RemoteFile(
        BASE + "test.csv",
        "d12d6e3bc4c3103966ae786dc435913c0c563dfa328f5a3646d0e62cfeeb474d",
    ),
}

DESCR = """\
BANKING77
=========

Each row is one question of a customer to a bank, and its label is the intent. Questions stand
alone: there are no groups.

    parts        {splits}
    questions    {n_rows}
    intents      {n_classes}

The parts are those of the authors; there is no valid part. The test part has 40 questions of
each intent; in the training part intents differ in frequency.

Source: github.com/PolyAI-LDN/task-specific-datasets.
Licence: CC BY 4.0, stated there for the whole repository. Name the authors where you use it.
"""


def _read_questions(path):
    """Return one row per question."""
    return read_csv(path, {"text": "text", "category": "target"})


def fetch_banking77(*, subset="all", data_home=None, download_if_missing=True, progressbar=False):
    """Fetch BANKING77, questions in 77 intents (classification of single texts).

    Download it if necessary: 1.1 MB.

    =========  =====  ====
    ..         train  test
    =========  =====  ====
    questions  10003  3080
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
            The intent of each question.
        target_names : list of str
            The intents that occur, sorted.
        groups : None
            Questions stand alone.
        DESCR : str
            Description with sizes, source and licence.

    Notes
    -----
    Texts are as upstream has them; a dozen begin or end with line breaks.

    Licence: CC BY 4.0, stated for the whole repository that the files come from.

    References
    ----------
    I. Casanueva, T. Temčinas, D. Gerz, M. Henderson and I. Vulić (2020). Efficient intent
    detection with dual sentence encoders. 2nd Workshop on NLP for Conversational AI.

    Examples
    --------
    >>> from sk_ctxmem.datasets import fetch_banking77
    >>> len(fetch_banking77().target_names)  # doctest: +SKIP
    77
    """
    frame = fetch_parts(
        "banking77",
        FILES,
        choose_splits(subset, FILES),
        _read_questions,
        data_home=data_home,
        download_if_missing=download_if_missing,
        progressbar=progressbar,
    )
    return make_bunch(frame, DESCR)
