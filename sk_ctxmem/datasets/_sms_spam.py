"""SMS Spam Collection: short messages, spam or not."""

from ._corpus import fetch_parts, make_bunch, read_labelled_lines
from ._download import RemoteFile

FILES = {
    "all": RemoteFile(
        "https://raw.githubusercontent.com/justmarkham/pycon-2016-tutorial/"
        "5339710562cc46c4a32a369d63f1e8751a18a54e/data/sms.tsv",
        "7d039a24a6083ed9ef0f806ebad56bbb976e3aeb8de05669173bfdc4996c239d",
    ),
}

DESCR = """\
SMS Spam Collection
===================

Each row is one short message, and its label is spam or ham. Messages stand alone: there are
no groups.

    messages     {n_rows}
    classes      {target_names}

The authors split the corpus into no parts. About 400 messages are copies of others: a random
split has some of them on both sides.

Source: github.com/justmarkham/pycon-2016-tutorial, a copy of the corpus of Almeida et al.
(2011), which the UCI Machine Learning Repository distributes.
Licence: none stated in the repository that the file comes from.
"""


def _read_messages(path):
    """Return one row per message."""
    return read_labelled_lines(path, separator="\t", encoding="utf-8")


def fetch_sms_spam(*, data_home=None, download_if_missing=True, progressbar=False):
    """Fetch the SMS Spam Collection (classification of single texts).

    Download it if necessary: 0.5 MB, 5574 messages, of which 747 are spam. Upstream has no
    training and test part, so there is no parameter `subset`.

    Parameters
    ----------
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

        frame : DataFrame of shape (n_messages, 2)
            The columns text and target.
        data : DataFrame of shape (n_messages, 1)
            The column text.
        target : Series of shape (n_messages,)
            The class of each message.
        target_names : list of str
            The classes that occur, sorted: ham and spam.
        groups : None
            Messages stand alone.
        DESCR : str
            Description with sizes, source and licence.

    Notes
    -----
    About 400 messages are copies of others: a random split has some of them on both sides.

    Licence: none stated in the repository that the file comes from.

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
    frame = fetch_parts(
        "sms_spam",
        FILES,
        ["all"],
        _read_messages,
        data_home=data_home,
        download_if_missing=download_if_missing,
        progressbar=progressbar,
    )
    return make_bunch(frame.drop(columns="split"), DESCR)
