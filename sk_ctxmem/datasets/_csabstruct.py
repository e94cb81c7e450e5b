"""CSAbstruct: sentences of computer science abstracts, labelled with their role."""

import json

import pandas as pd

from ._corpus import choose_splits, fetch_parts, make_bunch
from ._download import RemoteFile

BASE = (
    "https://raw.githubusercontent.com/allenai/sequential_sentence_classification/"
    "cf5ad6c663550dd8203f148cd703768d9ee86ff4/data/CSAbstruct/"
)
FILES = {
    "train": RemoteFile(
        BASE + "train.jsonl",
        "0d184597fc87640e0a51d439ed3e3ccff68a28125da6151a3e86005b202829b1",
    ),
    "valid": RemoteFile(
        BASE + "dev.jsonl",
        "37d8fc9a932516b290afacd4d294111141ce31c503260de8be145bd4b28d62f5",
    ),
    "test": RemoteFile(
        BASE + "test.jsonl",
        "de6dfac6e8efed842b45764b1b1c551d72d14da849022544bba95a8a1dcc09cc",
    ),
}

DESCR = """\
CSAbstruct
==========

Each row is one sentence of the abstract of a computer science paper, and its label is the
role of the sentence. A group is one abstract.

    parts        {splits}
    sentences    {n_rows}
    abstracts    {n_groups}
    roles        {target_names}

The parts are those of the authors. 26 of the 1,668 training abstracts also stand in the test
part; they are left out unless remove_leaks=False. Six abstracts of the valid part stand in
the test part as well; they are kept.

Source: github.com/allenai/sequential_sentence_classification.
Licence: Apache-2.0, stated there for the whole repository.
"""


def _read_abstracts(path):
    """Return one row per sentence; abstracts are numbered by their line."""
    # The field abstract_id does not do as a name: it is 0 throughout.
    with path.open(encoding="utf-8") as file:
        abstracts = [json.loads(line) for line in file]
    rows = [
        (text, group, order, label)
        for group, abstract in enumerate(abstracts)
        for order, (text, label) in enumerate(
            zip(abstract["sentences"], abstract["labels"], strict=True)
        )
    ]
    return pd.DataFrame(rows, columns=["text", "group", "order", "target"])


def _without_leaks(frame):
    """Leave out the training abstracts that stand in the test part, too."""
    abstract = frame.groupby("group")["text"].transform("\n".join)
    in_test = abstract.isin(abstract[frame["split"] == "test"])
    return frame[~in_test | (frame["split"] != "train")]


def fetch_csabstruct(
    *,
    subset="all",
    remove_leaks=True,
    data_home=None,
    download_if_missing=True,
    progressbar=False,
):
    """Fetch CSAbstruct, sentences of abstracts with their role (classification with context).

    Download it if necessary: 2.6 MB. What role a sentence has often shows only in the
    sentences around it.

    =========  =====  =====  =====
    ..         train  valid  test
    =========  =====  =====  =====
    sentences  11175   2026   1349
    abstracts   1642    295    226
    =========  =====  =====  =====

    Parameters
    ----------
    subset : {"all", "train", "valid", "test"}, default="all"
        The part to return, as the authors split the corpus.

    remove_leaks : bool, default=True
        Whether to leave out the 26 training abstracts (158 sentences) that also stand, word for
        word, in the test part. Pass False for the files as they were published, to compare with
        figures that include the leak.

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

        frame : DataFrame of shape (n_sentences, 5)
            The columns text, group, order, split and target.
        data : DataFrame of shape (n_sentences, 3)
            The columns text, group (part and number of the abstract, such as "train:0") and
            order (0, 1, ... within the abstract).
        target : Series of shape (n_sentences,)
            The role of each sentence.
        target_names : list of str
            The roles that occur, sorted: background, method, objective, other and result.
        groups : Series of shape (n_sentences,)
            The column group.
        DESCR : str
            Description with sizes, source and licence.

    Notes
    -----
    Accuracies on the valid and the test part differ much, so report both. Six of the 295
    abstracts of the valid part stand in the test part as well; they are kept.

    Licence: Apache-2.0, stated for the whole repository that the files come from.

    References
    ----------
    A. Cohan, I. Beltagy, D. King, B. Dalvi and D. Weld (2019). Pretrained language models for
    sequential sentence classification. EMNLP-IJCNLP.

    Examples
    --------
    >>> from sk_ctxmem.datasets import fetch_csabstruct
    >>> train = fetch_csabstruct(subset="train")  # doctest: +SKIP
    >>> train.data.shape  # doctest: +SKIP
    (11175, 3)
    """
    splits = choose_splits(subset, FILES)
    if remove_leaks and subset == "train":
        splits.append("test")
    frame = fetch_parts(
        "csabstruct",
        FILES,
        splits,
        _read_abstracts,
        data_home=data_home,
        download_if_missing=download_if_missing,
        progressbar=progressbar,
    )
    if remove_leaks:
        frame = _without_leaks(frame)
    if subset != "all":
        frame = frame[frame["split"] == subset]
    return make_bunch(frame.reset_index(drop=True), DESCR)
