"""Words of texts for the baselines that are not linear."""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd

from sk_ctxmem.comparison import make_tfidf


def make_tokenizer(texts: pd.Series) -> Callable[[str], list[str]]:
    """Make a function that splits a text into the words, or characters, of `make_tfidf`."""
    vectorizer = make_tfidf(texts)
    is_of_words = vectorizer.analyzer == "word"
    return vectorizer.build_tokenizer() if is_of_words else re.compile(r"\S").findall
