"""BANKING77: questions of bank customers, labelled with their intent."""

from __future__ import annotations

from functools import partial
from typing import Any

from sklearn.utils import Bunch

from ._corpus import CorpusSpec, fetch_corpus, read_csv

DESCRIPTION = """\
BANKING77
=========

Each row is a question that a customer asks a bank, and its label is the intent. The questions
are independent of one another: there are no groups.

    splits       {splits}
    questions    {n_rows}
    intents      {n_classes}

The splits are those of the authors; there is no valid split. The test split has 40 questions
for each intent; in the train split, some intents are more frequent than others.

Source: github.com/PolyAI-LDN/task-specific-datasets.
"""

SPEC = CorpusSpec(
    name="banking77",
    base_url=(
        "https://raw.githubusercontent.com/PolyAI-LDN/task-specific-datasets/"
        "57ec275d8078af65b7731c2a98be812d844a6d6b/banking_data/"
    ),
    files={"train": "train.csv", "test": "test.csv"},
    registry={
        "train.csv": "b06e26ac675513959a63135f11b94ea7786ed02da65db93a5650d8838cbc664b",
        "test.csv": "d12d6e3bc4c3103966ae786dc435913c0c563dfa328f5a3646d0e62cfeeb474d",
    },
    columns=("text", "split", "target"),
    read=partial(read_csv, columns={"text": "text", "category": "target"}),
    licence=(
        "CC BY 4.0, stated there for the whole repository. Credit the authors where\n"
        "you use the corpus."
    ),
    description=DESCRIPTION,
)


def fetch_banking77(
    *,
    subset: str = "all",
    data_home: Any = None,
    download_if_missing: bool = True,
    progressbar: bool = False,
) -> Bunch:
    """Fetch BANKING77: questions with one of 77 intents, for text classification.

    The files are downloaded if necessary (1.1 MB).

    =========  =====  ====
    ..         train  test
    =========  =====  ====
    questions  10003  3080
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
            The intent of each question.
        target_names : list of str
            The intents in the returned rows, sorted.
        groups : None
            The questions are independent of one another.
        DESCR : str
            Description with sizes, source and licence.

    Notes
    -----
    The texts are unchanged; a dozen of them begin or end with line breaks.

    Licence: CC BY 4.0, stated for the whole repository that hosts the files.

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
    return fetch_corpus(SPEC, subset, data_home, download_if_missing, progressbar)
