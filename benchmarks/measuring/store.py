"""Files of a run, written so that it can be stopped at any moment and goes on where it was."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

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
    "fit_seconds",
    "predict_rows_per_second",
    "peak_memory_mb",
    "parameters",
)
TEXT_COLUMNS = ("corpus", "model", "scored_on", "data", "versions", "parameters")
WHOLE_NUMBERS = ("seed", "n_train", "n_test")


@dataclass(frozen=True)
class Key:
    """What a result depends on: it is used again while all of this stays the same.

    Parameters
    ----------
    corpus, model : str
        Names of the corpus and of the row of the table.

    seed : int
        Seed of the model.

    scored_on : {"test", "valid"}
        Split that is scored.

    data : str
        Hash of the rows of the corpus.

    versions : str
        Hash of the versions of the packages in use.
    """

    corpus: str
    model: str
    seed: int
    scored_on: str
    data: str
    versions: str

    @property
    def place(self) -> tuple[Any, ...]:
        """What a newer result of other rows or versions replaces an older one by."""
        return self.corpus, self.model, self.seed, self.scored_on

    @property
    def file_name(self) -> str:
        """Name of the file of predictions."""
        digest = hashlib.sha256(json.dumps(astuple(self)).encode()).hexdigest()[:8]
        words = re.sub(r"\W+", "-", f"{Path(self.corpus).name} {self.model}").strip("-")
        return f"{words}-{self.seed}-{digest}.npz"


class Store:
    """Results, predictions and searches of a folder, to which several runs may write in turn.

    Parameters
    ----------
    folder : Path
        Is made where it does not exist.

    fresh : bool, default=False
        Whether to delete what earlier runs left there.
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
        """Key of a result that stands for `key`; failed jobs have none.

        Parameters
        ----------
        key : Key
            What is wanted.

        any_seed : bool, default=False
            Whether the result of another seed will do.
        """
        if self._is_done(key):
            return key
        others = (replace(key, seed=other.seed) for other in self._rows) if any_seed else ()
        return next((other for other in others if self._is_done(other)), None)

    def add(self, key: Key, result: dict[str, Any], predictions: dict[str, np.ndarray]) -> None:
        """Write a result in place of an older one, after its predictions.

        Parameters
        ----------
        key : Key
            What was run.

        result : dict
            Values under the names in `COLUMNS`; no accuracy where the job failed.

        predictions : dict of str to ndarray
            The arrays "true", "predicted" and "group", of class and group numbers, and "classes",
            the names of the classes; none of them where the job failed.
        """
        if predictions:
            buffer = io.BytesIO()
            np.savez_compressed(buffer, **predictions)
            write_atomically(self.predictions / key.file_name, buffer.getvalue())
        self._take_in_other_runs()
        old = [other for other in self._rows if other.place == key.place]
        for other in old:
            del self._rows[other]
        self._rows[key] = asdict(key) | result
        self._write_results()
        for other in old:
            if other != key or not predictions:
                (self.predictions / other.file_name).unlink(missing_ok=True)

    def results(self, keys: list[Key]) -> pd.DataFrame:
        """Rows of these jobs, in this order."""
        rows = [self._rows[key] for key in keys]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def read_predictions(self, key: Key) -> dict[str, np.ndarray]:
        """Arrays that `add` was given."""
        with np.load(self.predictions / key.file_name, allow_pickle=False) as arrays:
            return dict(arrays)

    def find_search(self, key: Key) -> dict[str, Any] | None:
        """Look up a search, if there was one for the same rows and versions."""
        return self._searches.get(search_name(key))

    def add_search(self, key: Key, search: dict[str, Any]) -> None:
        """Write the result of a search."""
        self._searches = read_json(self.folder / "searches.json") | self._searches
        self._searches[search_name(key)] = search
        write_json(self.folder / "searches.json", self._searches)

    def add_versions(self, name: str, versions: dict[str, str]) -> None:
        """Write which versions a hash stands for."""
        if name not in self._versions:
            self._versions = read_json(self.folder / "versions.json") | {name: versions}
            write_json(self.folder / "versions.json", self._versions)

    def _is_done(self, key: Key) -> bool:
        """Whether there is a result, not a failure, and its predictions."""
        row = self._rows.get(key)
        is_there = row is not None and not pd.isna(row.get("accuracy", np.nan))
        return is_there and (self.predictions / key.file_name).exists()

    def _read_results(self) -> dict[Key, dict[str, Any]]:
        """Rows of the file by their keys."""
        path = self.folder / "results.csv"
        if not path.exists():
            return {}
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
        if tuple(frame) != COLUMNS:
            raise ValueError(
                f"{path} has other columns than this version writes; pass --fresh to start anew "
                "or --output to write to another folder."
            )
        # Converted here, as some versions of read_csv change the last digit of a number.
        numbers = {name: float for name in COLUMNS if name not in TEXT_COLUMNS}
        rows = frame.astype(numbers | dict.fromkeys(WHOLE_NUMBERS, int)).to_dict("records")
        return {Key(**{name: row[name] for name in KEY}): row for row in rows}

    def _take_in_other_runs(self) -> None:
        """Add the rows that other runs have written to the same folder meanwhile."""
        ours = {key.place for key in self._rows}
        written = self._read_results().items()
        self._rows |= {key: row for key, row in written if key.place not in ours}

    def _write_results(self) -> None:
        """Write all rows."""
        text = self.results(list(self._rows)).to_csv(index=False, lineterminator="\n")
        write_atomically(self.folder / "results.csv", text.encode())

    def _delete(self) -> None:
        """Delete the files of earlier runs; others in the folder stay."""
        shutil.rmtree(self.predictions, ignore_errors=True)
        for name in ("results.csv", "searches.json", "versions.json"):
            (self.folder / name).unlink(missing_ok=True)


def search_name(key: Key) -> str:
    """Name of a search, which is the same for all seeds and for both splits to score on."""
    return ", ".join([key.corpus, key.model, key.data, key.versions])


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that, whenever the process is killed, is the old one or the new one."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    os.replace(part, path)


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON for people to read."""
    write_atomically(path, (json.dumps(value, indent=2) + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """Content of a file, nothing where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
