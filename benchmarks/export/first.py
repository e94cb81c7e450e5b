"""The first prediction of a new process: ``python -m benchmarks.export.first PATH TEXT``.

PATH is an export, whose runtime is used, or a file of `ContextMemoryClassifier.save`. Prints the
peak memory of the process in units of 1024 * 1024 bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path


def predict_exported(folder: Path, text: str) -> None:
    """Load an export with the runtime in its folder, and predict a text."""
    sys.path.insert(0, str(folder))
    import runtime  # type: ignore[import-not-found]

    model = runtime.Model()
    groups = [0] if model.config["groups"] else None
    model.predict_proba([text], groups=groups)


def predict_saved(path: Path, text: str) -> None:
    """Load a classifier, and predict a text."""
    import pandas as pd

    from sk_ctxmem import ContextMemoryClassifier

    clf = ContextMemoryClassifier.load(path)
    frame = pd.DataFrame({"text": [text], "group": [0], "speaker": [None], "order": [0]})
    columns = [name for name in frame if getattr(clf, f"{name}_column", None) is not None]
    clf.predict_proba(frame[columns] if columns else [text])


def main(path: str, text: str) -> int:
    """Predict, and print the peak memory."""
    predict = predict_exported if Path(path).is_dir() else predict_saved
    predict(Path(path), text)
    from benchmarks.measuring.resources import peak_memory_mb

    print(peak_memory_mb())
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
