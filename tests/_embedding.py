"""A script that embeds texts in a folder, for tests that need processes of their own.

Arguments: the folder, the file that notes each text, the number of the first text, how many, and
the seconds that a text takes.
"""

import sys
import time
from pathlib import Path

import numpy as np

from sk_ctxmem import CachedEmbedder


class NotingEmbedder:
    """Embeds a text by counts of its letters, and writes each text to a file."""

    seconds = 0.0  # that a text takes

    def __init__(self, path):
        self.path = str(path)

    def encode(self, texts):
        """Return the vectors of texts."""
        with Path(self.path).open("a", encoding="utf-8") as file:
            file.writelines(f"{text}\n" for text in texts)
        time.sleep(self.seconds * len(texts))
        return np.array([[text.count(letter) for letter in "aeiou 123"] for text in texts])

    def __getstate__(self):
        """Leave out all but the path, so that copies embed as the original does."""
        return {"path": self.path}

    def __deepcopy__(self, memo):
        """Refuse copies, as of a model of hundreds of megabytes."""
        raise AssertionError("copied")

    def texts(self):
        """Return the texts that were embedded, except for those that tell embedders apart."""
        from sk_ctxmem._dense._fingerprint import PROBES

        lines = Path(self.path).read_text(encoding="utf-8").splitlines()
        return [line for line in lines if line not in PROBES]


def make_texts(first, n_texts):
    """Return different texts."""
    return [f"text {number} says a thing" for number in range(first, first + n_texts)]


if __name__ == "__main__":
    folder, path, first, n_texts, seconds = sys.argv[1:]
    from _embedding import NotingEmbedder as Importable  # by the name that it has in tests

    embedder = Importable(path)
    embedder.seconds = float(seconds)
    cached = CachedEmbedder(embedder, folder=folder)
    cached.transform(make_texts(int(first), int(n_texts)))
