"""MELD: utterances of television dialogues, labelled with emotion and sentiment."""

from ._corpus import check_choice, choose_splits, fetch_parts, make_bunch, read_csv
from ._download import RemoteFile

BASE = (
    "https://raw.githubusercontent.com/declare-lab/MELD/"
    "2d2011b409d3ca2d7e94460cd007d434b1d0a102/data/MELD/"
)
FILES = {
    "train": RemoteFile(
        BASE + "train_sent_emo.csv",
        "d2fa2d6529cf03cac2989efec05c9b27d8fd2f4c8fc5974c7ae88aa537fa02db",
    ),
    "valid": RemoteFile(
        BASE + "dev_sent_emo.csv",
        "2e89c6f8aa182d6f62f8c6331aece905ac7273ca4999660bfb5213e1d0370c1c",
    ),
    "test": RemoteFile(
        BASE + "test_sent_emo.csv",
        "8d37103938f7067600839fe29d5a114a6cd1bcdafb75bec101e06464c5006888",
    ),
}
COLUMNS = {
    "Utterance": "text",
    "Dialogue_ID": "group",
    "Utterance_ID": "order",
    "Speaker": "speaker",
    "Emotion": "emotion",
    "Sentiment": "sentiment",
}
TARGETS = ("emotion", "sentiment")

DESCR = """\
MELD, Multimodal EmotionLines Dataset
=====================================

Each row is one utterance of a dialogue of the television series Friends, with its speaker.
Its label is its emotion, or its sentiment if target="sentiment". A group is one dialogue.
Only the texts are fetched, neither sound nor pictures.

    parts        {splits}
    utterances   {n_rows}
    dialogues    {n_groups}
    labels       {target_names}

The parts are those of the authors. Nearly half of the utterances are neutral; the customary
measure is F1, weighted by the frequency of the classes.

Source: github.com/declare-lab/MELD.
Licence: GPL-3.0, stated there for the whole repository. It says nothing on the rights of
others in the series.
"""


def _read_utterances(path):
    """Return one row per utterance, with both labels."""
    return read_csv(path, COLUMNS).astype({"order": int})


def fetch_meld(
    *,
    subset="all",
    target="emotion",
    data_home=None,
    download_if_missing=True,
    progressbar=False,
):
    """Fetch MELD, utterances of dialogues with their emotion (classification with context).

    Download it if necessary: 1.5 MB. The rows have speakers, too.

    ==========  =====  =====  ====
    ..          train  valid  test
    ==========  =====  =====  ====
    utterances   9989   1109  2610
    dialogues    1038    114   280
    ==========  =====  =====  ====

    Parameters
    ----------
    subset : {"all", "train", "valid", "test"}, default="all"
        The part to return, as the authors split the corpus.

    target : {"emotion", "sentiment"}, default="emotion"
        The label to return as target.

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

        frame : DataFrame of shape (n_utterances, 8)
            The columns text, group, order, speaker, emotion, sentiment, split and target; the
            last is a copy of emotion or of sentiment.
        data : DataFrame of shape (n_utterances, 4)
            The columns text, group (part and number of the dialogue, such as "train:0"), order
            (the number of the utterance in the dialogue) and speaker.
        target : Series of shape (n_utterances,)
            The emotion or the sentiment of each utterance.
        target_names : list of str
            The labels that occur, sorted: anger, disgust, fear, joy, neutral, sadness and
            surprise, or negative, neutral and positive.
        groups : Series of shape (n_utterances,)
            The column group.
        DESCR : str
            Description with sizes, source and licence.

    Notes
    -----
    The customary measure is ``f1_score(y_true, y_pred, average="weighted")``. The numbers in
    order have gaps, where the authors left out an utterance.

    Licence: GPL-3.0, stated for the whole repository that the files come from. The utterances
    are lines of the television series Friends; the licence says nothing on the rights of others
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
    frame = fetch_parts(
        "meld",
        FILES,
        choose_splits(subset, FILES),
        _read_utterances,
        data_home=data_home,
        download_if_missing=download_if_missing,
        progressbar=progressbar,
    )
    return make_bunch(frame.assign(target=frame[target]), DESCR)
