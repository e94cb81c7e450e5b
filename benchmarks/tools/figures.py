"""What files of results say of each tool: accuracy, CPU time and size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

CORPORA = ("trec6", "sst2", "banking77", "csabstruct", "maptask", "meld_emotion")
LABELS = {
    "lr": "LR, TF-IDF",
    "svm-char": "linear SVM, words and characters",
    "fasttext": "fastText",
    "lr-vectors": "MiniLM vectors + LR",
    "lr-both": "TF-IDF and MiniLM vectors + LR",
    "fine-tuned": "MiniLM, fine-tuned",
    "ours-none": "ours, rows alone",
    "lr-window": "LR on five rows",
    "crf": "CRF",
    "fine-tuned-window": "MiniLM, fine-tuned, two rows before",
    "ours-past": "ours, rows before",
    "ours-both": "ours, all rows",
    "ours-vectors": "ours with MiniLM vectors",
}
FEW_TOOLS = {
    "lr": "LR, TF-IDF",
    "svm-char": "linear SVM, words and characters",
    "lr-vectors": "MiniLM vectors + LR",
    "setfit": "SetFit, MiniLM",
    "ours-none": "ours",
    "ours-vectors": "ours with MiniLM vectors",
}
NEED_GROUPS = ("lr-window", "crf", "fine-tuned-window", "ours-past", "ours-both")
# Tool -> its name in results.csv or in embedding.csv, which have more seeds.
IN_RESULTS = {
    **{name: name for name in ("lr", "svm-char", "fasttext", "lr-window", "crf")},
    "ours-past": "context-memory (past)",
    "ours-both": "context-memory (both)",
}
IN_EMBEDDING = {
    "lr-vectors": "lr, vectors alone",
    "lr-both": "lr, both",
    "ours-vectors": "ours, both",
}
EMBEDDER = "minilm"
MB = 1e6


class Figures:
    """Figures of a folder of results.

    Parameters
    ----------
    folder : Path
        Folder with tools.csv, results.csv and embedding.csv.
    """

    def __init__(self, folder: Path):
        tools = pd.read_csv(folder / "tools.csv")
        self.all, self.some = tools[tools["per_class"] == 0], tools[tools["per_class"] > 0]
        results = pd.read_csv(folder / "results.csv")
        self.results = results[results["scored_on"] == "test"]
        embedding = pd.read_csv(folder / "embedding.csv")
        embedding = embedding[embedding["embedder"] == EMBEDDER]
        largest = embedding.groupby("corpus")["rows"].transform("max")
        self.embedding = embedding[embedding["rows"] == largest]
        of_context = [IN_RESULTS.get(tool, tool) for tool in NEED_GROUPS]
        self._has_groups = set(results.loc[results["model"].isin(of_context), "corpus"])

    def applies(self, tool: str, corpus: str) -> bool:
        """Whether a tool can be used: those of context need groups."""
        return tool not in NEED_GROUPS or corpus in self._has_groups

    def accuracy(self, tool: str, corpus: str) -> float:
        """Test accuracy, the mean over the seeds."""
        of_corpus = self.results[self.results["corpus"] == corpus]
        if tool in IN_EMBEDDING:
            rows = self.embedding[self.embedding["corpus"] == corpus]
            return rows.loc[rows["model"] == IN_EMBEDDING[tool], "accuracy"].mean()
        if tool in IN_RESULTS:
            return of_corpus.loc[of_corpus["model"] == IN_RESULTS[tool], "accuracy"].mean()
        if tool == "ours-none" and corpus not in self._has_groups:
            return of_corpus.loc[of_corpus["model"] == "context-memory", "accuracy"].mean()
        return self._mean(tool, corpus, "accuracy")

    def _mean(self, tool: str, corpus: str, column: str) -> float:
        rows = self.all[(self.all["tool"] == tool) & (self.all["corpus"] == corpus)]
        return rows[column].mean()

    def _parts(self, tool: str, corpus: str, column: str) -> float:
        """Sum over what a tool consists of: vectors come on top of the fit without them."""
        alone = "ours-both" if corpus in self._has_groups else "ours-none"
        beside = {"lr-vectors": [], "lr-both": ["lr"], "ours-vectors": [alone]}
        if tool not in beside:
            return self._mean(tool, corpus, column)
        return sum(self._mean(name, corpus, column) for name in ["embedding", *beside[tool]])

    def fit_seconds(self, tool: str, corpus: str) -> float:
        """CPU seconds of a fit."""
        return self._parts(tool, corpus, "fit_cpu_seconds")

    def fit_ratio(self, tool: str, corpus: str) -> float:
        """CPU seconds of a fit, divided by those of logistic regression."""
        return self.fit_seconds(tool, corpus) / self.fit_seconds("lr", corpus)

    def rows_per_second(self, tool: str, corpus: str) -> float:
        """Rows that are predicted in a CPU second."""
        seconds = self._parts(tool, corpus, "predict_cpu_seconds")
        return self._mean("lr", corpus, "n_test") / seconds

    def megabytes(self, tool: str, corpus: str) -> float:
        """Size on disk."""
        return self._parts(tool, corpus, "bytes") / MB

    @property
    def few_corpora(self) -> list[str]:
        """Corpora of which a few rows were used."""
        return [corpus for corpus in CORPORA if corpus in set(self.some["corpus"])]

    def few_per_class(self, corpus: str) -> int:
        """Return the number of rows of each class."""
        return int(self.some.loc[self.some["corpus"] == corpus, "per_class"].iloc[0])

    def few(self, tool: str, corpus: str) -> tuple[float, float, float]:
        """Mean and deviation of accuracy over the draws, NaN of one, and CPU seconds of a fit."""
        rows = self.some[(self.some["tool"] == tool) & (self.some["corpus"] == corpus)]
        spread = rows["accuracy"].std(ddof=0) if len(rows) > 1 else np.nan
        seconds = rows["fit_cpu_seconds"].mean()
        if tool in IN_EMBEDDING:
            share = rows["n_train"].mean() / self._mean("lr", corpus, "n_train")
            seconds += share * self.fit_seconds("lr-vectors", corpus)
        return rows["accuracy"].mean(), spread, seconds
