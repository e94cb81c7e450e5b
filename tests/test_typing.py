"""Tests of the annotations that editors and type checkers read."""

import inspect
import json
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "tests" / "user_script.txt"  # not .py, as it is never run
MODULES = ("", ".comparison", ".datasets", ".distributed", ".inspection", ".testing")


def public_functions():
    """Return the public functions and methods by their dotted names."""
    found = {}
    for module in (import_module(f"sk_ctxmem{name}") for name in MODULES):
        for name in module.__all__:
            item = getattr(module, name)
            if inspect.isfunction(item):
                found[name] = item
            elif inspect.isclass(item) and not issubclass(item, Exception):
                found |= {f"{name}.{key}": method for key, method in _methods(item)}
    return found


def _methods(cls):
    for base in cls.__mro__:
        if base.__module__.startswith("sk_ctxmem"):
            for name, value in vars(base).items():
                method = getattr(value, "fget", None) or getattr(value, "__func__", value)
                if inspect.isfunction(method) and not name.startswith("_"):
                    yield name, inspect.unwrap(method)


def test_every_public_function_says_what_it_returns():
    """Check all public names, methods and properties, and that the marker of types is there."""
    functions = public_functions()
    assert len(functions) > 60
    without = [n for n, each in functions.items() if "return" not in each.__annotations__]
    assert without == []
    assert (ROOT / "sk_ctxmem" / "py.typed").read_text() == ""


def expected_types():
    """Return the expected type on each line of the script."""
    lines = SCRIPT.read_text(encoding="utf-8").splitlines()
    return {
        number: line.rpartition("# ")[2]
        for number, line in enumerate(lines, start=1)
        if line.lstrip().startswith("reveal_type")
    }


def revealed_types(output, pattern):
    """Return the last part of the revealed type of each line, without what is in brackets."""
    revealed = {int(number): kind for number, kind in re.findall(pattern, output)}
    return {
        number: re.sub(r"\[.*", "", kind).rpartition(".")[2].lstrip("_")
        for number, kind in revealed.items()
    }


@pytest.mark.slow
def test_mypy_knows_the_types_in_a_program(tmp_path):
    """Check a user's script, whose comments have the expected types."""
    pytest.importorskip("mypy")
    shutil.copy(SCRIPT, tmp_path / "user.py")
    options = ["--cache-dir", tmp_path / "cache", "--config-file", ROOT / "pyproject.toml"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, tmp_path / "user.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "error:" not in done.stdout, done.stdout
    found = revealed_types(done.stdout, r"py:(\d+): note: Revealed type is \"(.*)\"")
    assert found == expected_types()


@pytest.mark.slow
def test_pyright_knows_the_types_in_a_program(tmp_path):
    """Check the same script with the type checker of editors."""
    pytest.importorskip("basedpyright")
    shutil.copy(SCRIPT, tmp_path / "user.py")
    config = tmp_path / "pyrightconfig.json"
    config.write_text(json.dumps({"typeCheckingMode": "basic", "extraPaths": [str(ROOT)]}))
    options = ["--project", config, "--pythonpath", sys.executable]
    done = subprocess.run(
        [sys.executable, "-m", "basedpyright", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert " error: " not in done.stdout, done.stdout
    found = revealed_types(done.stdout, r"py:(\d+):\d+ - \w+: Type of \".*\" is \"(.*)\"")
    assert found == expected_types()
