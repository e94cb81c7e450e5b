"""The results of comparisons in a folder; a run that was stopped continues from them."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measuring.files import read_json, write_atomically, write_json

KEY = ("corpus", "model", "seed", "scored_on", "data", "versions")
COLUMNS = (
    *KEY,
    "n_train",
    "n_test",
    "accuracy",
    "macro_f1",
    "weighted_f1",
    "macro_recall",
    "ece",
    "log_loss",
    "roc_auc",
    "micro_f1",
    "fit_seconds",
    "predict_rows_per_second",
    "peak_memory_mb",
    "parameters",
)
LATER_COLUMNS = ("roc_auc", "micro_f1")  # files of earlier versions lack them
TEXT_COLUMNS = ("corpus", "model", "scored_on", "data", "versions", "parameters")
WHOLE_NUMBERS = ("seed", "n_train", "n_test")


@dataclass(frozen=True)
class Key:
    """Key of a result: everything that the result depends on.

    Parameters
    ----------
    corpus, model : str
        Name of the corpus and row of the table.

    seed : int
        Random seed of the model.

    scored_on : {"test", "valid"}
        Scored split.

    data : str
        Hash of the rows of the corpus.

    versions : str
        Hash of the versions of the packages.
    """

    corpus: str
    model: str
    seed: int
    scored_on: str
    data: str
    versions: str

    @property
    def slot(self) -> tuple[Any, ...]:
        """Key without rows and versions: a new result replaces the old one of its slot."""
        return self.corpus, self.model, self.seed, self.scored_on

    @property
    def file_name(self) -> str:
        """Name of the file of predictions."""
        digest = hashlib.sha256(json.dumps(astuple(self)).encode()).hexdigest()[:8]
        words = re.sub(r"\W+", "-", f"{Path(self.corpus).name} {self.model}").strip("-")
        return f"{words}-{self.seed}-{digest}.npz"


class Store:
    """Results, predictions and searches in a folder that several runs may share.

    Parameters
    ----------
    folder : Path
        Created if it does not exist.

    fresh : bool, default=False
        Whether to delete the files of earlier runs.
    """

    def __init__(self, folder: Path, fresh: bool = False):
        self.folder = folder
        self.predictions = folder / "predictions"
        if fresh:
            self._delete()
        self.predictions.mkdir(parents=True, exist_ok=True)
        self._rows = self._read_results()
        self._searches = read_json(folder / "searches.json")
        self._versions = read_json(folder / "versions.json")

    def find(self, key: Key, any_seed: bool = False) -> Key | None:
        """Return the key of a result that can be used for `key`; None for failed jobs.

        Parameters
        ----------
        key : Key
            Key of the requested result.

        any_seed : bool, default=False
            Whether the result of another seed can be used.
        """
        if self._is_done(key):
            return key
        others = (replace(key, seed=other.seed) for other in self._rows) if any_seed else ()
        return next((other for other in others if self._is_done(other)), None)

    def add(self, key: Key, result: dict[str, Any], predictions: dict[str, np.ndarray]) -> None:
        """Write predictions, then the result, which replaces an older one.

        Parameters
        ----------
        key : Key
            Key of the result.

        result : dict
            Values of `COLUMNS`; without accuracy if the job failed.

        predictions : dict of str to ndarray
            The arrays of `encode`: "true", "predicted", "group" and "classes"; empty if the job
            failed.
        """
        if predictions:
            buffer = io.BytesIO()
            np.savez_compressed(buffer, **predictions)
            write_atomically(self.predictions / key.file_name, buffer.getvalue())
        self._add_rows_of_other_runs()
        old = [other for other in self._rows if other.slot == key.slot]
        for other in old:
            del self._rows[other]
        self._rows[key] = asdict(key) | result
        self._write_results()
        for other in old:
            if other != key or not predictions:
                (self.predictions / other.file_name).unlink(missing_ok=True)

    def results(self, keys: list[Key]) -> pd.DataFrame:
        """Rows of the results with these keys, in this order."""
        rows = [self._rows[key] for key in keys]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def read_predictions(self, key: Key) -> dict[str, np.ndarray]:
        """Arrays of predictions as passed to `add`."""
        with np.load(self.predictions / key.file_name, allow_pickle=False) as arrays:
            return dict(arrays)

    def find_search(self, key: Key) -> dict[str, Any] | None:
        """Return the search on the same rows with the same versions, or None."""
        return self._searches.get(search_name(key))

    def add_search(self, key: Key, search: dict[str, Any]) -> None:
        """Write the result of a search."""
        self._searches = read_json(self.folder / "searches.json") | self._searches
        self._searches[search_name(key)] = search
        write_json(self.folder / "searches.json", self._searches)

    def add_versions(self, name: str, versions: dict[str, str]) -> None:
        """Write the versions of a hash."""
        if name not in self._versions:
            self._versions = read_json(self.folder / "versions.json") | {name: versions}
            write_json(self.folder / "versions.json", self._versions)

    def _is_done(self, key: Key) -> bool:
        """Whether there is a successful result with its predictions."""
        row = self._rows.get(key)
        is_there = row is not None and not pd.isna(row.get("accuracy", np.nan))
        return is_there and (self.predictions / key.file_name).exists()

    def _read_results(self) -> dict[Key, dict[str, Any]]:
        """Rows of the file, by key."""
        path = self.folder / "results.csv"
        if not path.exists():
            return {}
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
        earlier = tuple(name for name in COLUMNS if name not in LATER_COLUMNS)
        if tuple(frame) not in (COLUMNS, earlier):
            raise ValueError(
                f"{path} has other columns than this version writes; pass --fresh to start again "
                "or --output to write to another folder."
            )
        # Numbers are converted here, since some versions of read_csv change their last digit.
        numbers = {name: float for name in COLUMNS if name not in TEXT_COLUMNS}
        rows = (
            frame.reindex(columns=list(COLUMNS))
            .astype(numbers | dict.fromkeys(WHOLE_NUMBERS, int))
            .to_dict("records")
        )
        return {Key(**{name: row[name] for name in KEY}): row for row in rows}

    def _add_rows_of_other_runs(self) -> None:
        """Add rows that other runs have written to the same folder since."""
        ours = {key.slot for key in self._rows}
        written = self._read_results().items()
        self._rows |= {key: row for key, row in written if key.slot not in ours}

    def _write_results(self) -> None:
        """Write all rows."""
        text = self.results(list(self._rows)).to_csv(index=False, lineterminator="\n")
        write_atomically(self.folder / "results.csv", text.encode())

    def _delete(self) -> None:
        """Delete the files of earlier runs, and no other files in the folder."""
        shutil.rmtree(self.predictions, ignore_errors=True)
        for name in ("results.csv", "searches.json", "versions.json"):
            (self.folder / name).unlink(missing_ok=True)


def search_name(key: Key) -> str:
    """Name of a search, the same for all seeds and scored splits."""
    return ", ".join([key.corpus, key.model, key.data, key.versions])
