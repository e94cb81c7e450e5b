"""Tests of what a user installs."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from sk_ctxmem.datasets._service_dialogues import COMMIT

ROOT = Path(__file__).parents[1]
DATA = ROOT / "sk_ctxmem" / "datasets" / "data"


def _literal(name, *parts):
    """Read what a file assigns to a name, without importing the file."""
    tree = ast.parse(ROOT.joinpath(*parts).read_text(encoding="utf-8"))
    (value,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    )
    return ast.literal_eval(value)


def _literal_version():
    return _literal("__version__", "sk_ctxmem", "_version.py")


def _project_and_pins():
    """Read pyproject.toml, and map the names in constraints.txt to their versions."""
    tomllib = pytest.importorskip("tomllib", reason="in Python since 3.11")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    return project, dict(line.split("==") for line in lines if not line.startswith("#"))


def test_the_version_is_a_literal_in_one_place():
    """Check that the version is readable without torch, and that the citation agrees."""
    assert f"version: {_literal_version()}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    assert _literal_version() in (ROOT / "docs" / "whats_new.rst").read_text("utf-8")


def test_constraints_pin_what_the_project_needs():
    """Check that each required package is pinned, at a version that is allowed."""
    project, pins = _project_and_pins()
    for requirement in map(Requirement, project["project"]["dependencies"]):
        assert requirement.specifier.contains(pins[requirement.name]), requirement
    assert project["tool"]["ruff"]["required-version"] == f"=={pins['ruff']}"


def test_the_matrix_spans_what_is_promised():
    """Check that noxfile.py starts at the lower bounds and ends at the pinned scikit-learn."""
    project, pins = _project_and_pins()
    series = _literal("SKLEARNS", "noxfile.py")
    assert f"scikit-learn>={series[0]}" in project["project"]["dependencies"]
    assert pins["scikit-learn"].startswith(f"{series[-1]}.")
    assert project["project"]["requires-python"] == f">={_literal('PYTHONS', 'noxfile.py')[0]}"


def test_the_wheel_holds_the_package_and_nothing_else(tmp_path):
    """Check that tests, benchmarks and documentation are not installed."""
    ignore = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__")
    source = shutil.copytree(ROOT, tmp_path / "source", ignore=ignore)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path]
    subprocess.run([*command, source], check=True, capture_output=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    version = _literal_version()
    assert wheel.name == f"sk_ctxmem-{version}-py3-none-any.whl"
    names = ZipFile(wheel).namelist()
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "sk_ctxmem").rglob("*.py")}
    metadata = {name for name in names if name.startswith(f"sk_ctxmem-{version}.dist-info/")}
    data = {f"sk_ctxmem/datasets/data/{path.name}" for path in DATA.iterdir()}
    assert set(names) - metadata == modules | data | {"sk_ctxmem/py.typed"}
    licences = {name.split("/licenses/")[1] for name in metadata if "/licenses/" in name}
    assert licences == {"LICENSE", "sk_ctxmem/datasets/data/LICENSE-CC-BY-SA-4.0.txt"}


def test_data_of_others_have_their_licence_beside_them():
    """Check that the one file of data is small, and that its source and licence are named."""
    (path,) = DATA.glob("*.gz")
    assert path.stat().st_size < 300_000
    notice = (DATA / "README.md").read_text(encoding="utf-8")
    assert f"# {path.name}\n" in notice
    assert all(part in notice for part in ("Rastogi", "CC BY-SA 4.0", "Changes:", COMMIT))
    project, _ = _project_and_pins()
    assert project["project"]["license"] == "BSD-3-Clause AND CC-BY-SA-4.0"
