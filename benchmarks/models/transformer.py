"""Fine-tuned all-MiniLM-L6-v2; needs the extra ``benchmarks-embedding``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader

from benchmarks.corpora.corpus import sequences
from benchmarks.models.embedders import find_minilm

BATCH_SIZE = 32
MAX_LENGTH = 64  # word pieces, those of rows before included
WARM_UP = 0.1  # share of the steps
N_BEFORE = 2  # rows, as LinearBaseline has them
N_SORTED = 50  # batches whose rows are sorted by length, so that there is little to pad


class BatchesOfLikeLength:
    """Batches of rows of like length, in another order each time.

    Parameters
    ----------
    lengths : list of int
        Length of each row.
    """

    def __init__(self, lengths: list[int]):
        self.lengths = torch.tensor(lengths)

    def __len__(self) -> int:
        """Return the number of batches."""
        return -(-len(self.lengths) // BATCH_SIZE)

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the positions of the rows of each batch."""
        batches = []
        for rows in torch.randperm(len(self.lengths)).split(N_SORTED * BATCH_SIZE):
            by_length = rows[self.lengths[rows].argsort()]
            batches += [batch.tolist() for batch in by_length.split(BATCH_SIZE)]
        for place in torch.randperm(len(batches)).tolist():
            yield batches[place]


class FineTuned:
    """all-MiniLM-L6-v2 with a layer for the classes, all weights of which are trained.

    Parameters
    ----------
    seed : int
        Seed of the layer, of dropout and of the order of the rows.

    before : bool, default=False
        Whether the two rows before a row in its group are read with it, as the first of two
        segments.

    epochs : int, default=3
        Number of passes over the training rows.

    lr : float, default=1e-4
        Learning rate after warm-up; it falls to zero.
    """

    def __init__(self, seed: int, before: bool = False, epochs: int = 3, lr: float = 1e-4):
        self.seed, self.before, self.epochs, self.lr = seed, before, epochs, lr
        self.parameters: dict[str, Any] = {"epochs": epochs, "lr": lr, "batch_size": BATCH_SIZE}

    def fit(self, frame: pd.DataFrame, y: pd.Series) -> FineTuned:
        """Train all weights by AdamW."""
        path = find_minilm()
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        numbers, self.classes = pd.factorize(y, sort=True)
        self.tokenizer = AutoTokenizer.from_pretrained(path, truncation_side="left")
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            self.network = AutoModelForSequenceClassification.from_pretrained(
                path, num_labels=len(self.classes)
            )
            texts = self._texts(frame)
            rows = [*zip(*texts, numbers, strict=True)]
            sampler = BatchesOfLikeLength([sum(map(len, row)) for row in zip(*texts, strict=True)])
            self._train(DataLoader(rows, batch_sampler=sampler, collate_fn=self._collate))
        return self

    def _train(self, batches: DataLoader) -> None:
        """Run all epochs."""
        from transformers import get_linear_schedule_with_warmup

        n_steps = self.epochs * len(batches)
        optimizer = torch.optim.AdamW(self.network.parameters(), self.lr, fused=True)
        schedule = get_linear_schedule_with_warmup(optimizer, int(WARM_UP * n_steps), n_steps)
        self.network.train()
        for _ in range(self.epochs):
            for batch in batches:
                optimizer.zero_grad()
                with torch.autocast("cpu", torch.bfloat16):
                    loss = self.network(**batch).loss
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
                optimizer.step()
                schedule.step()
        self.network.eval()

    @torch.no_grad()
    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        """Probability of each class for each row."""
        rows = [*zip(*self._texts(frame), strict=True)]
        batches = DataLoader(rows, BATCH_SIZE, collate_fn=self._collate)
        with torch.autocast("cpu", torch.bfloat16):
            logits = torch.cat([self.network(**batch).logits for batch in batches])
        return logits.float().softmax(dim=1).numpy()

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict a label for each row."""
        return np.asarray(self.classes)[self.predict_proba(frame).argmax(axis=1)]

    def save(self, folder: Path) -> None:
        """Write weights and tokenizer."""
        self.network.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)

    def _texts(self, frame: pd.DataFrame) -> list[list[str]]:
        """Texts of the rows, after those of the rows before if these are read too."""
        texts = frame["text"].to_numpy(dtype=object)
        if not self.before:
            return [texts.tolist()]
        earlier = np.empty_like(texts)
        for rows in sequences(frame):
            for place, row in enumerate(rows):
                earlier[row] = " ".join(texts[rows[max(0, place - N_BEFORE) : place]])
        return [earlier.tolist(), texts.tolist()]

    def _collate(self, rows: list[tuple[Any, ...]]) -> dict[str, torch.Tensor]:
        """Tensors of some rows, padded to the longest; the class is behind the texts, if known."""
        columns = [list(column) for column in zip(*rows, strict=True)]
        texts = columns[: 1 + self.before]
        tensors = self.tokenizer(
            *texts,
            padding=True,
            truncation="longest_first",
            max_length=MAX_LENGTH,
            return_tensors="pt",
        )
        if len(columns) > len(texts):
            tensors["labels"] = torch.tensor(columns[-1])
        return dict(tensors)
