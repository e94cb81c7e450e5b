"""Tests of the rooms of the benchmarks: who may import whom, and that each command starts."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"

# Room -> the other rooms that it may import, from the ground up. A study may import all of them.
ROOMS = {
    "corpora": set(),
    "models": {"corpora"},
    "measuring": {"corpora", "models"},
    "reports": {"corpora", "models", "measuring"},
    "command_line": {"corpora"},
}
STUDIES = sorted({path.parent.name for path in BENCHMARKS.glob("*/__main__.py")})


def _room(path):
    """Return the room or the study of a file."""
    return path.relative_to(BENCHMARKS).parts[0].removesuffix(".py")


def _imports(path):
    """List the dotted names that a file imports; relative imports are not used."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names = [node.names for node in ast.walk(tree) if isinstance(node, ast.Import)]
    return [str(module) for module in modules] + [alias.name for group in names for alias in group]


@pytest.mark.parametrize(
    "path", sorted(BENCHMARKS.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_imports_run_one_way(path):
    """Check that a room imports earlier rooms only, and that a study imports no other study."""
    room = _room(path)
    names = [name.split(".") for name in _imports(path) if name.startswith("benchmarks.")]
    imported = {name[1] for name in names} - {room}
    allowed = {"comparison"} if room == "__main__" else ROOMS.get(room, set(ROOMS))
    assert imported - allowed == set()


def test_root_holds_only_shared_files():
    """Check that each other file has a room or a study, and that each folder is one of them."""
    files = {path.name for path in BENCHMARKS.glob("*.py")}
    assert files == {"__init__.py", "__main__.py", "command_line.py"}
    folders = {path.parent.name for path in BENCHMARKS.glob("*/__init__.py")}
    assert folders == {*ROOMS, *STUDIES} - {"command_line"}


@pytest.mark.parametrize("study", ["", *(f".{study}" for study in STUDIES)])
def test_each_command_starts(study, capsys):
    """Check that the help of each command is printed, and that its usage names the command."""
    pytest.importorskip("psutil")
    command = import_module(f"benchmarks{study}.__main__")
    with pytest.raises(SystemExit, match="0"):
        command.main(["--help"])
    name = "" if study == ".comparison" else study
    assert capsys.readouterr().out.startswith(f"usage: python -m benchmarks{name} ")
