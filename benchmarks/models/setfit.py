"""SetFit on all-MiniLM-L6-v2; needs the extra ``benchmarks-transformers``."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.models.embedders import find_minilm

N_ITERATIONS = 20  # pairs of each kind for a text, as in Tunstall et al. 2022


class SetFit:
    """Sentence embedder that is trained on pairs of texts, then logistic regression on its vectors.

    Parameters
    ----------
    seed : int
        Seed of the pairs and of their order.
    """

    def __init__(self, seed: int):
        self.seed = seed
        self.parameters: dict[str, Any] = {"num_iterations": N_ITERATIONS}

    def fit(self, frame: pd.DataFrame, y: pd.Series) -> SetFit:
        """Train on pairs for one epoch."""
        path = find_minilm()
        import setfit
        from datasets import Dataset

        numbers, self.classes = pd.factorize(y, sort=True)
        rows = Dataset.from_dict({"text": frame["text"].tolist(), "label": numbers.tolist()})
        self.model = setfit.SetFitModel.from_pretrained(path, device="cpu", local_files_only=True)
        with TemporaryDirectory() as folder:
            options = {"num_iterations": N_ITERATIONS, "seed": self.seed, "output_dir": folder}
            arguments = setfit.TrainingArguments(
                **options, save_strategy="no", report_to="none", show_progress_bar=False
            )
            setfit.Trainer(model=self.model, args=arguments, train_dataset=rows).train()
        return self

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict a label for each row."""
        return np.asarray(self.classes)[np.asarray(self.model.predict(frame["text"].tolist()))]

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        """Probability of each class for each row."""
        return np.asarray(self.model.predict_proba(frame["text"].tolist()))

    def save(self, folder: Path) -> None:
        """Write the embedder and the linear model."""
        self.model.save_pretrained(str(folder))
