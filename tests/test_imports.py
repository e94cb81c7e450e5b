"""Tests of the import graph: who may import whom, read from the source files."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sk_ctxmem"

# The rooms of the package from the ground floor up. A room imports those of earlier floors, never
# one of its own floor or of a later one. A new room needs a place here and in CONTRIBUTING.md.
GROUND = {"_messages", "_version", "exceptions"}  # every room but the network stands on these
FLOORS = [
    {"_runtime", "_input", "_files", "_network"},
    {"_features"},
    {"_dense"},
    {"_rows"},
    {"_model"},
    {"_training", "_sessions", "_explain", "_export", "inspection"},
    {"_classifier"},
    {"distributed", "_chat", "_tuning"},
    {"_compare"},
    {"__init__", "comparison"},
    {"__main__"},
]
APART = {"datasets": set(), "testing": {"_input", "datasets"}}  # and what these may import
WITHOUT_TORCH = {"_input", "_files", "_features", "_dense", "datasets", "testing", *GROUND}
MOST_FILES_AT_ROOT = 8


def _allowed(room):
    """Return the rooms that a room may import."""
    if room in GROUND or room == "_network":
        return {"_version"} if room in GROUND else set()
    if room in APART:
        return APART[room] | GROUND
    floor = next(number for number, rooms in enumerate(FLOORS) if room in rooms)
    return GROUND.union(*FLOORS[:floor])


def _room(path):
    """Return the room that a file belongs to: its folder in the package, or itself at the root."""
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
def test_rooms_import_only_rooms_of_earlier_floors(path):
    """Check that the imports inside the package run one way."""
    room = _room(path)
    assert room in GROUND.union(*FLOORS, APART), f"add {room} to FLOORS and to CONTRIBUTING.md"
    names = [name for name in _imports(path) if f"{name}.".startswith("sk_ctxmem.")]
    imported = {name.removeprefix("sk_ctxmem").strip(".").split(".")[0] for name in names}
    assert imported - {room} - _allowed(room) == set()


def test_every_room_is_described():
    """Check that CONTRIBUTING.md names each room, and no other."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    text = text.partition("<!-- rooms -->")[2].partition("<!-- end of rooms -->")[0]
    names = [line[4:].split("  ")[0] for line in text.splitlines() if line.startswith("    ")]
    described = {name.strip("/ ") for line in names for name in re.split("[,/]", line)} - {""}
    assert described == GROUND.union(*FLOORS, APART) - {"__init__", "__main__"}


def test_the_root_has_few_files():
    """Check that new modules go into rooms."""
    assert len(list(PACKAGE.glob("*.py"))) <= MOST_FILES_AT_ROOT


@package_files
def test_torch_and_skorch_stay_in_their_place(path):
    """Check that only training imports skorch and that text and data need no torch."""
    roots = {name.split(".")[0] for name in _imports(path)}
    room = _room(path)
    assert "skorch" not in roots or room == "_training"
    assert "torch" not in roots or room not in WITHOUT_TORCH
    if room == "_network":
        assert roots - set(sys.stdlib_module_names) <= {"torch", "sk_ctxmem"}


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
    assert "rich" not in everywhere or path.stem == "_screen"


@package_files
def test_pooch_is_imported_only_to_download(path):
    """Check that importing the data sets imports no package that opens connections."""
    roots = {name.split(".")[0] for name in _imports(path, only_at_import=True)}
    assert roots & {"pooch", "requests", "urllib", "http"} == set()
    everywhere = {name.split(".")[0] for name in _imports(path)}
    assert "pooch" not in everywhere or path.stem == "_download"


@package_files
def test_private_names_of_scikit_learn_stay_in_one_room(path):
    """Check that only _input reaches into scikit-learn's private modules."""
    names = [name.split(".") for name in _imports(path) if name.startswith("sklearn.")]
    private = [name for name in names if any(word.startswith("_") for word in name)]
    assert private == [] or _room(path) == "_input"


@pytest.mark.parametrize("path", _files("benchmarks"), ids=_ids)
def test_benchmarks_use_public_names(path):
    """Check that the benchmarks import nothing private from the package."""
    names = [name.split(".") for name in _imports(path) if name.startswith("sk_ctxmem")]
    assert [name for name in names if any(word.startswith("_") for word in name)] == []
