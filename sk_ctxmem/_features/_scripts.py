"""Scripts of texts: whether there are spaces between words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

WITHOUT_SPACES = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")  # Japanese kana, Chinese characters
N_SAMPLED_TEXTS = 1000
# Of all characters. Texts in English that quote some words have less, and Chinese ones, with
# their digits, Latin letters and punctuation, have more.
SHARE_WITHOUT_SPACES = 0.3


def lacks_spaces(texts: Iterable[str]) -> bool:
    """Return whether texts are mostly Chinese or Japanese, with no spaces between words.

    Parameters
    ----------
    texts : iterable of str
        The texts, of which the first thousand are read.

    Returns
    -------
    lacks : bool
        Whether more than three in ten characters are Chinese or Japanese.
    """
    sample = "".join(islice(texts, N_SAMPLED_TEXTS))
    return len(WITHOUT_SPACES.findall(sample)) > SHARE_WITHOUT_SPACES * len(sample)
