"""Copies of the training rows of a corpus, as Parquet files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.corpora.corpus import Corpus

SHARE_REPLACED = 0.02  # of the words of a copy
ROW_GROUP_ROWS = 100_000


def write_copies(corpus: Corpus, n_rows: int, folder: Path) -> None:
    """Write as many copies as `n_rows` rows need, a Parquet file each, unless they exist."""
    train = corpus.part("train").drop(columns="split")
    words = [text.split() for text in train["text"]]
    known = np.unique(np.concatenate([np.array(row, dtype=object) for row in words]))
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(-(-n_rows // len(train))):
        path = folder / f"copy-{number:05d}.parquet"
        rows = train[: min(len(train), n_rows - number * len(train))]
        if not path.exists():
            copy = rows.assign(
                text=replace_words(rows["text"].tolist(), words, known, number),
                group=rows["group"].astype(str) + f"-{number}",
            )
            copy.to_parquet(path, index=False, row_group_size=ROW_GROUP_ROWS)


def replace_words(
    texts: list[str], words: list[list[str]], known: np.ndarray, seed: int
) -> list[str]:
    """Replace a share of the words of texts by random words."""
    random = np.random.default_rng(seed)
    lengths = np.array([len(row) for row in words[: len(texts)]])
    rows = np.repeat(np.arange(len(texts)), lengths)
    places = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    chosen = np.flatnonzero(random.random(len(rows)) < SHARE_REPLACED)
    changed: dict[int, list[str]] = {}
    for word, row, place in zip(
        random.choice(known, len(chosen)), rows[chosen].tolist(), places[chosen], strict=True
    ):
        changed.setdefault(row, list(words[row]))[place] = word
    return [" ".join(changed[row]) if row in changed else text for row, text in enumerate(texts)]
