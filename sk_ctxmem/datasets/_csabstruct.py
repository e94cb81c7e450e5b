"""CSAbstruct: sentences of computer science abstracts, labelled with their role."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
from sklearn.utils import Bunch

from ._corpus import CorpusSpec, fetch_corpus

DESCRIPTION = """\
CSAbstruct
==========

Each row is a sentence from the abstract of a computer science paper, and its label is the role
of the sentence. Each group is an abstract.

    splits       {splits}
    sentences    {n_rows}
    abstracts    {n_groups}
    roles        {target_names}

The splits are those of the authors. 26 of the 1,668 train abstracts are also in the test split;
they are removed unless remove_leaks=False. Six abstracts of the valid split are also in the test
split; they are kept.

Source: github.com/allenai/sequential_sentence_classification.
"""


def _read_abstracts(path):
    """Return one row per sentence; the group is the number of the abstract's line."""
    # The field abstract_id identifies nothing: it is 0 for all abstracts.
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


def _remove_leaks(frame):
    """Remove the train abstracts that are also in the test split."""
    abstract = frame.groupby("group")["text"].transform("\n".join)
    in_test = abstract.isin(abstract[frame["split"] == "test"])
    return frame[~in_test | (frame["split"] != "train")]


SPEC = CorpusSpec(
    name="csabstruct",
    base_url=(
        "https://raw.githubusercontent.com/allenai/sequential_sentence_classification/"
        "cf5ad6c663550dd8203f148cd703768d9ee86ff4/data/CSAbstruct/"
    ),
    files={"train": "train.jsonl", "valid": "dev.jsonl", "test": "test.jsonl"},
    registry={
        "train.jsonl": "0d184597fc87640e0a51d439ed3e3ccff68a28125da6151a3e86005b202829b1",
        "dev.jsonl": "37d8fc9a932516b290afacd4d294111141ce31c503260de8be145bd4b28d62f5",
        "test.jsonl": "de6dfac6e8efed842b45764b1b1c551d72d14da849022544bba95a8a1dcc09cc",
    },
    columns=("text", "group", "order", "split", "target"),
    read=_read_abstracts,
    licence="Apache-2.0, stated there for the whole repository.",
    description=DESCRIPTION,
)


def fetch_csabstruct(
    *,
    subset: str = "all",
    remove_leaks: Any = True,
    data_home: Any = None,
    download_if_missing: bool = True,
    progressbar: bool = False,
) -> Bunch:
    """Fetch CSAbstruct: sentences of abstracts with their role, for classification in context.

    The files are downloaded if necessary (2.6 MB). The role of a sentence often depends on the
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
        The split to return, as defined by the authors.

    remove_leaks : bool, default=True
        Whether to remove the 26 train abstracts (158 sentences) that are also in the test split,
        word for word. If False, return the splits as published, for comparison with results that
        include the leak.

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

        frame : DataFrame of shape (n_sentences, 5)
            The columns text, group, order, split and target.
        data : DataFrame of shape (n_sentences, 3)
            The columns text, group (split and number of the abstract, such as "train:0") and
            order (0, 1, ... within the abstract).
        target : Series of shape (n_sentences,)
            The role of each sentence.
        target_names : list of str
            The roles in the returned rows, sorted: background, method, objective, other and
            result.
        groups : Series of shape (n_sentences,)
            The column group.
        DESCR : str
            Description with sizes, source and licence.

    Notes
    -----
    Accuracy differs a lot between the valid and the test split, so report both. Six of the 295
    abstracts of the valid split are also in the test split; they are kept.

    Licence: Apache-2.0, stated for the whole repository that hosts the files.

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
    return fetch_corpus(
        SPEC,
        subset,
        data_home,
        download_if_missing,
        progressbar,
        prepare=_remove_leaks if remove_leaks else None,
        extra_splits=("test",) if remove_leaks and subset == "train" else (),
    )
