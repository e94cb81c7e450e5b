"""SMS Spam Collection: short messages, labelled as spam or ham."""

from __future__ import annotations

from functools import partial
from typing import Any

from sklearn.utils import Bunch

from ._corpus import CorpusSpec, fetch_corpus, read_labelled_lines

DESCRIPTION = """\
SMS Spam Collection
===================

Each row is a short message, and its label is spam or ham. The messages are independent of one
another: there are no groups.

    messages     {n_rows}
    classes      {target_names}

The authors define no splits. About 400 messages are copies of others: a random split has some
of them on both sides.

Source: github.com/justmarkham/pycon-2016-tutorial, a copy of the corpus of Almeida et al.
(2011), which the UCI Machine Learning Repository distributes.
"""

SPEC = CorpusSpec(
    name="sms_spam",
    base_url=(
        "https://raw.githubusercontent.com/justmarkham/pycon-2016-tutorial/"
        "5339710562cc46c4a32a369d63f1e8751a18a54e/data/"
    ),
    files={"all": "sms.tsv"},
    registry={
        "sms.tsv": "7d039a24a6083ed9ef0f806ebad56bbb976e3aeb8de05669173bfdc4996c239d",
    },
    columns=("text", "target"),
    read=partial(read_labelled_lines, separator="\t", encoding="utf-8"),
    licence="none stated in the repository that hosts the file.",
    description=DESCRIPTION,
)


def fetch_sms_spam(
    *, data_home: Any = None, download_if_missing: bool = True, progressbar: bool = False
) -> Bunch:
    """Fetch the SMS Spam Collection: short messages, for text classification.

    The file is downloaded if necessary (0.5 MB). It has 5574 messages, 747 of them spam. The
    authors define no train and test split, so there is no parameter `subset`.

    Parameters
    ----------
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

        frame : DataFrame of shape (n_messages, 2)
            The columns text and target.
        data : DataFrame of shape (n_messages, 1)
            The column text.
        target : Series of shape (n_messages,)
            The class of each message.
        target_names : list of str
            The classes, sorted: ham and spam.
        groups : None
            The messages are independent of one another.
        DESCR : str
            Description with sizes, source and licence.

    Notes
    -----
    About 400 messages are copies of others: a random split has some of them on both sides.

    Licence: none stated in the repository that hosts the file.

    References
    ----------
    T. Almeida, J. Gómez Hidalgo and A. Yamakami (2011). Contributions to the study of SMS spam
    filtering: new collection and results. ACM Symposium on Document Engineering.

    Examples
    --------
    >>> from sk_ctxmem.datasets import fetch_sms_spam
    >>> fetch_sms_spam().target_names  # doctest: +SKIP
    ['ham', 'spam']
    """
    return fetch_corpus(SPEC, "all", data_home, download_if_missing, progressbar)
