"""Write golden files: model files of this format version with their predictions."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from benchmarks.reliability.models import fit_models


def add_parser(parsers):
    """Add the options of this part."""
    parser = parsers.add_parser("golden", help="write golden files of this format version")
    parser.add_argument("folder", type=Path, help="new folder, such as tests/golden/v2")
    parser.set_defaults(run=lambda options: write_golden(options.folder))


def write_golden(folder):
    """Write the file and the predictions of a model of each kind to a new folder."""
    folder.mkdir(parents=True)  # never overwrites the files of a released version
    for name, (classifier, inputs) in fit_models(n_groups=8).items():
        classifier.save(folder / f"{name}.ctxmem")
        rows = inputs[:20]
        answers = {
            "rows": _write_rows(rows),
            "predict": classifier.predict(rows).tolist(),
            "predict_proba": classifier.predict_proba(rows).tolist(),
        }
        (folder / f"{name}.json").write_text(json.dumps(answers), encoding="utf-8")
    return 0


def _write_rows(rows):
    if isinstance(rows, pd.DataFrame):
        return rows.to_dict(orient="list")
    if isinstance(rows, list):
        return rows
    return rows.toarray().tolist() if sparse.issparse(rows) else np.asarray(rows).tolist()


def read_golden(path):
    """Return the rows and the predictions of a golden file."""
    answers = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    rows = answers["rows"]
    if isinstance(rows, dict):
        rows = pd.DataFrame(rows)
    elif path.stem == "sparse":
        rows = sparse.csr_array(np.array(rows))
    elif path.stem == "numbers":
        rows = np.array(rows)
    return rows, answers["predict"], np.array(answers["predict_proba"])
