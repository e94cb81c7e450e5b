"""Tests of the import graph: who may import whom, read from the source files."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sk_ctxmem"

# Part of the package -> the other parts that it may import. A new part needs a line here.
ALLOWED_PARTS = {
    "__init__": {
        "_chunks",
        "_classifier",
        "_sequences",
        "_live",
        "_vectorizer",
        "_version",
        "exceptions",
    },
    "exceptions": set(),
    "_version": set(),
    "_documentation": set(),
    "_archive": {"_documentation", "_version", "exceptions"},
    "_plain": set(),
    "_parameters": set(),
    "_arrays": set(),
    "_validation": {"_arrays", "_documentation"},
    "_targets": {"_arrays", "_documentation"},
    "_splitting": set(),
    "_sequences": set(),
    "_sparse": set(),
    "_ngrams": {"_sparse"},
    "_one_text": {"_ngrams", "_sparse"},
    "_vectorizer": {
        "_documentation",
        "_ngrams",
        "_one_text",
        "_parameters",
        "_plain",
        "_sequences",
        "_validation",
    },
    "_counting": set(),
    "_text_counts": {"_counting", "_ngrams", "_parameters"},
    "_tensors": set(),
    "_functions": {"_tensors"},
    "_labels": {"_tensors"},
    "_memories": {"_tensors"},
    "_modules": {"_functions", "_labels", "_memories", "_tensors"},
    "_batches": {"_modules", "_tensors"},
    "_preparation": {"_batches", "_documentation", "_sequences", "_sparse", "_vectorizer"},
    "_optimizer": {"_sparse"},
    "_runtime": {"_documentation"},
    "_loss": set(),
    "_calibration": {"_sparse", "_splitting"},
    "_training_rows": {"_batches", "_calibration", "_labels"},
    "_processes": {"_runtime", "_training_rows"},
    "_stopping": {"_processes"},
    "_callbacks": {
        "_calibration",
        "_documentation",
        "_runtime",
        "_stopping",
        "_training_rows",
        "exceptions",
    },
    "_ending": {"_callbacks", "_modules", "_stopping", "_training_rows"},
    "_user_callbacks": {"_stopping"},
    "_tasks": {"_stopping"},
    "_progress": {"_callbacks"},
    "_checkpoints": {
        "_archive",
        "_batches",
        "_plain",
        "_processes",
        "_training_rows",
        "exceptions",
    },
    "_training": {
        "_batches",
        "_callbacks",
        "_checkpoints",
        "_ending",
        "_loss",
        "_modules",
        "_optimizer",
        "_processes",
        "_progress",
        "_runtime",
        "_stopping",
        "_tasks",
        "_training_rows",
        "_user_callbacks",
        "exceptions",
    },
    "_explaining": {
        "_batches",
        "_modules",
        "_preparation",
        "_runtime",
        "_tensors",
        "_validation",
        "_vectorizer",
    },
    "_known": {"_preparation", "_vectorizer"},
    "_learned": {"_modules", "_preparation", "_sequences"},
    "_persistence": {
        "_archive",
        "_documentation",
        "_known",
        "_learned",
        "_modules",
        "_parameters",
        "_plain",
        "_runtime",
        "exceptions",
    },
    "_streaming": {
        "_callbacks",
        "_checkpoints",
        "_ending",
        "_modules",
        "_runtime",
        "_stopping",
        "_training",
        "_training_rows",
        "_user_callbacks",
    },
    "_partial_fit": {
        "_ending",
        "_modules",
        "_parameters",
        "_runtime",
        "_streaming",
        "_targets",
        "_training",
        "_training_rows",
        "_user_callbacks",
        "_validation",
    },
    "_fitting": {
        "_calibration",
        "_checkpoints",
        "_ending",
        "_modules",
        "_parameters",
        "_preparation",
        "_processes",
        "_progress",
        "_runtime",
        "_splitting",
        "_targets",
        "_tasks",
        "_training",
        "_training_rows",
        "_user_callbacks",
        "_validation",
        "exceptions",
    },
    "_chunks": set(),
    "_chat_screen": set(),
    "_chat": {"_chat_screen", "_classifier", "exceptions"},
    "__main__": {"_chat"},
    "_live": {
        "_arrays",
        "_batches",
        "_modules",
        "_preparation",
        "_runtime",
        "_sequences",
        "_tensors",
        "_validation",
    },
    "_classifier": {
        "_documentation",
        "_explaining",
        "_fitting",
        "_parameters",
        "_partial_fit",
        "_persistence",
        "_preparation",
        "_sequences",
        "_live",
        "_tasks",
        "_training",
        "_validation",
        "_vectorizer",
        "exceptions",
    },
    "distributed": {
        "_batches",
        "_calibration",
        "_chunks",
        "_classifier",
        "_documentation",
        "_parameters",
        "_preparation",
        "_processes",
        "_progress",
        "_runtime",
        "_sparse",
        "_splitting",
        "_targets",
        "_tensors",
        "_text_counts",
        "_training",
        "_training_rows",
        "_user_callbacks",
        "_validation",
        "_vectorizer",
        "exceptions",
    },
    "inspection": {"_preparation", "_validation", "_vectorizer"},
    "datasets": {"exceptions"},
    "testing": {"_parameters", "datasets"},
}
WITHOUT_TORCH = {
    "_archive",
    "_arrays",
    "_calibration",
    "_chunks",
    "_counting",
    "_documentation",
    "exceptions",
    "_ngrams",
    "_one_text",
    "_parameters",
    "_plain",
    "_sequences",
    "_sparse",
    "_splitting",
    "_targets",
    "_text_counts",
    "_validation",
    "_vectorizer",
    "_version",
    "datasets",
    "testing",
}


def _part(path):
    """Return the part that a file belongs to: its module, or its folder of the package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _parent_package(path, level):
    """Return the dotted package that a relative import of this level starts from."""
    return ".".join(path.relative_to(ROOT).parts[:-level])


def _imports(path, *, only_at_import=False):
    """List the dotted names that a file imports, `from` names included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    lazy = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.walk(node)
    }
    names = []
    for node in ast.walk(tree):
        if only_at_import and node in lazy:
            continue
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = [_parent_package(path, node.level)] if node.level else []
            module = ".".join(base + [node.module] * bool(node.module))
            names += [f"{module}.{alias.name}" for alias in node.names]
    return names


def _files(folder):
    return sorted((ROOT / folder).rglob("*.py"))


def _ids(path):
    return str(path.relative_to(ROOT))


package_files = pytest.mark.parametrize("path", _files("sk_ctxmem"), ids=_ids)


@package_files
def test_parts_import_only_the_parts_below_them(path):
    """Check that the imports inside the package follow the table."""
    part = _part(path)
    assert part in ALLOWED_PARTS, f"add {part} to ALLOWED_PARTS and to docs or CONTRIBUTING.md"
    names = [name for name in _imports(path) if f"{name}.".startswith("sk_ctxmem.")]
    imported = {name.removeprefix("sk_ctxmem").strip(".").split(".")[0] for name in names}
    assert imported - {part} - ALLOWED_PARTS[part] == set()


@package_files
def test_torch_and_skorch_stay_in_their_place(path):
    """Check that only training imports skorch and that text and data need no torch."""
    roots = {name.split(".")[0] for name in _imports(path)}
    part = _part(path)
    assert "skorch" not in roots or part in {
        "_callbacks",
        "_checkpoints",
        "_ending",
        "_processes",
        "_progress",
        "_stopping",
        "_streaming",
        "_tasks",
        "_training",
        "_user_callbacks",
    }
    assert "torch" not in roots or part not in WITHOUT_TORCH
    if (
        part in {"_tensors", "_functions", "_labels", "_memories", "_modules"}
        or path.stem == "_steps"
    ):
        assert roots - set(sys.stdlib_module_names) - {"sk_ctxmem"} == {"torch"}


@package_files
def test_plots_are_imported_only_when_drawn(path):
    """Check that importing a module of the package never imports matplotlib."""
    roots = {name.split(".")[0] for name in _imports(path, only_at_import=True)}
    assert "matplotlib" not in roots


@package_files
def test_engines_are_imported_only_when_asked_for(path):
    """Check that importing a module of the package never imports an engine for many machines."""
    roots = {name.split(".")[0] for name in _imports(path, only_at_import=True)}
    assert roots & {"dask", "distributed", "optuna", "pyarrow", "pyspark", "ray"} == set()


@package_files
def test_rich_is_imported_only_to_chat(path):
    """Check that importing a module of the package never imports rich, and that one part does."""
    assert "rich" not in {name.split(".")[0] for name in _imports(path, only_at_import=True)}
    everywhere = {name.split(".")[0] for name in _imports(path)}
    assert "rich" not in everywhere or path.stem == "_chat_screen"


@package_files
def test_pooch_is_imported_only_to_download(path):
    """Check that importing the data sets imports no package that opens connections."""
    roots = {name.split(".")[0] for name in _imports(path, only_at_import=True)}
    assert roots & {"pooch", "requests", "urllib", "http"} == set()
    everywhere = {name.split(".")[0] for name in _imports(path)}
    assert "pooch" not in everywhere or path.stem == "_download"


@package_files
def test_private_names_of_scikit_learn_stay_in_validation(path):
    """Check that only _validation reaches into scikit-learn's private modules."""
    names = [name.split(".") for name in _imports(path) if name.startswith("sklearn.")]
    private = [name for name in names if any(word.startswith("_") for word in name)]
    assert private == [] or _part(path) == "_validation"


@pytest.mark.parametrize("path", _files("benchmarks"), ids=_ids)
def test_benchmarks_use_public_names(path):
    """Check that the benchmarks import nothing private from the package."""
    names = [name.split(".") for name in _imports(path) if name.startswith("sk_ctxmem")]
    assert [name for name in names if any(word.startswith("_") for word in name)] == []
