"""Files that are replaced as a whole, so that a run can be stopped at any time."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that holds the old or the new content if the process is killed."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    os.replace(part, path)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, without its index."""
    write_atomically(path, table.to_csv(index=False).encode())


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON."""
    write_atomically(path, (json.dumps(value, indent=2) + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """Content of a JSON file; an empty dict if there is no file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
