"""MELD: utterances of television dialogues, labelled with emotion and sentiment."""

from __future__ import annotations

from typing import Any

from sklearn.utils import Bunch

from ._bunch import check_choice
from ._corpus import CorpusSpec, fetch_corpus, read_csv

CSV_COLUMNS = {
    "Utterance": "text",
    "Dialogue_ID": "group",
    "Utterance_ID": "order",
    "Speaker": "speaker",
    "Emotion": "emotion",
    "Sentiment": "sentiment",
}
TARGETS = ("emotion", "sentiment")
DESCRIPTION = """\
MELD, Multimodal EmotionLines Dataset
=====================================

Each row is an utterance from a dialogue of the television series Friends, with its speaker. Its
label is the emotion, or the sentiment if target="sentiment". Each group is a dialogue. Only the
texts are fetched, not the audio and video.

    splits       {splits}
    utterances   {n_rows}
    dialogues    {n_groups}
    labels       {target_names}

The splits are those of the authors. Nearly half of the utterances are neutral; the usual metric
is the weighted F1 score.

Source: github.com/declare-lab/MELD.
"""


def _read_utterances(path):
    """Return one row per utterance, with both labels."""
    return read_csv(path, CSV_COLUMNS).astype({"order": int})


SPEC = CorpusSpec(
    name="meld",
    base_url=(
        "https://raw.githubusercontent.com/declare-lab/MELD/"
        "2d2011b409d3ca2d7e94460cd007d434b1d0a102/data/MELD/"
    ),
    files={"train": "train_sent_emo.csv", "valid": "dev_sent_emo.csv", "test": "test_sent_emo.csv"},
    registry={
        "train_sent_emo.csv": "d2fa2d6529cf03cac2989efec05c9b27d8fd2f4c8fc5974c7ae88aa537fa02db",
        "dev_sent_emo.csv": "2e89c6f8aa182d6f62f8c6331aece905ac7273ca4999660bfb5213e1d0370c1c",
        "test_sent_emo.csv": "8d37103938f7067600839fe29d5a114a6cd1bcdafb75bec101e06464c5006888",
    },
    columns=("text", "group", "order", "speaker", "emotion", "sentiment", "split", "target"),
    read=_read_utterances,
    licence=(
        "GPL-3.0, stated there for the whole repository. It says nothing about the\n"
        "rights of others in the series."
    ),
    description=DESCRIPTION,
)


def fetch_meld(
    *,
    subset: str = "all",
    target: Any = "emotion",
    data_home: Any = None,
    download_if_missing: bool = True,
    progressbar: bool = False,
) -> Bunch:
    """Fetch MELD: utterances of dialogues with their emotion, for classification in context.

    The files are downloaded if necessary (1.5 MB). The rows include the speakers.

    ==========  =====  =====  ====
    ..          train  valid  test
    ==========  =====  =====  ====
    utterances   9989   1109  2610
    dialogues    1038    114   280
    ==========  =====  =====  ====

    Parameters
    ----------
    subset : {"all", "train", "valid", "test"}, default="all"
        The split to return, as defined by the authors.

    target : {"emotion", "sentiment"}, default="emotion"
        The label to return as target.

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

        frame : DataFrame of shape (n_utterances, 8)
            The columns text, group, order, speaker, emotion, sentiment, split and target; target
            is a copy of emotion or sentiment.
        data : DataFrame of shape (n_utterances, 4)
            The columns text, group (split and number of the dialogue, such as "train:0"), order
            (the number of the utterance in the dialogue) and speaker.
        target : Series of shape (n_utterances,)
            The emotion or the sentiment of each utterance.
        target_names : list of str
            The labels in the returned rows, sorted: anger, disgust, fear, joy, neutral, sadness
            and surprise, or negative, neutral and positive.
        groups : Series of shape (n_utterances,)
            The column group.
        DESCR : str
            Description with sizes, source and licence.

    Notes
    -----
    The usual metric is ``f1_score(y_true, y_pred, average="weighted")``. The numbers in order
    have gaps where the authors left out an utterance.

    Licence: GPL-3.0, stated for the whole repository that hosts the files. The utterances are
    lines of the television series Friends; the licence says nothing about the rights of others
    in them.

    References
    ----------
    S. Poria, D. Hazarika, N. Majumder, G. Naik, E. Cambria and R. Mihalcea (2019). MELD: a
    multimodal multi-party dataset for emotion recognition in conversations. ACL.

    Examples
    --------
    >>> from sk_ctxmem.datasets import fetch_meld
    >>> test = fetch_meld(subset="test", target="sentiment")  # doctest: +SKIP
    >>> test.target_names  # doctest: +SKIP
    ['negative', 'neutral', 'positive']
    """
    check_choice("target", target, TARGETS)
    return fetch_corpus(
        SPEC,
        subset,
        data_home,
        download_if_missing,
        progressbar,
        prepare=lambda frame: frame.assign(target=frame[target]),
    )
