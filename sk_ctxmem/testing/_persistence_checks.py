"""Checks of copies and saved files."""

import copy
import io
import pickle
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import SkipTest

import joblib

from ._asserts import assert_same, context_check
from ._rows import fitted_with_predictions, probabilities


def _through_joblib(classifier):
    file = io.BytesIO()
    joblib.dump(classifier, file)
    file.seek(0)
    return joblib.load(file)


COPIES = {
    "copy.deepcopy": copy.deepcopy,
    "pickle": lambda classifier: pickle.loads(pickle.dumps(classifier)),
    "joblib": _through_joblib,
}


@context_check
def check_copies(estimator, promises):
    """Check that copies by pickle, joblib and copy.deepcopy give the same probabilities."""
    classifier, rows, expected = fitted_with_predictions(estimator, promises)
    for name, duplicate in COPIES.items():
        seen = probabilities(duplicate(classifier), rows, promises)
        assert_same(expected, seen, f"After a copy by {name}", promises)


@context_check
def check_save_and_load(estimator, promises):
    """Check that save writes one file, and the loaded classifier gives the same probabilities."""
    cls = type(estimator)
    if not (hasattr(cls, "save") and hasattr(cls, "load")):
        raise SkipTest(f"{cls.__name__} has no methods save and load")
    classifier, rows, expected = fitted_with_predictions(estimator, promises)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "classifier"
        classifier.save(path)
        names = sorted(file.name for file in Path(folder).iterdir())
        assert names == [path.name], f"save({path.name!r}) wrote the files {names}."
        seen = probabilities(cls.load(path), rows, promises)
    assert_same(expected, seen, "After save and load", promises)
