"""Tests of the files of a release: addresses, versions and bounds that several of them have."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from sk_ctxmem import __version__
from sk_ctxmem._messages import DOCUMENTATION

yaml = pytest.importorskip("yaml")
tomllib = pytest.importorskip("tomllib", reason="in Python since 3.11")

ROOT = Path(__file__).parents[1]
SYSTEMS = {"ubuntu": "POSIX :: Linux", "macos": "MacOS", "windows": "Microsoft :: Windows"}
CONDA_NAMES = {"torch": "pytorch"}


def _read(*parts):
    return ROOT.joinpath(*parts).read_text(encoding="utf-8")


def _load_yaml(*parts):
    return yaml.safe_load(_read(*parts))


PYPROJECT = tomllib.loads(_read("pyproject.toml"))
PROJECT = PYPROJECT["project"]
REPOSITORY = PROJECT["urls"]["Repository"]


def _files_with_addresses():
    """List the files that may name an address of this project."""
    names = ["CITATION.cff", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "README.md", "SECURITY.md"]
    folders = [".binder", ".ci", ".github", "benchmarks", "docs", "sk_ctxmem"]
    found = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    kinds = {".json", ".md", ".py", ".rst", ".txt", ".yaml", ".yml"}
    made = {"_build", "auto_examples", "auto_tutorials", "generated", "results"}
    texts = [path for path in found if path.suffix in kinds and not made & set(path.parts)]
    return [*map(ROOT.joinpath, names), *texts]


def _ci_matrix():
    return _load_yaml(".github", "workflows", "ci.yml")["jobs"]["systems"]["strategy"]["matrix"]


def _recipe():
    return _load_yaml(".ci", "conda-forge", "recipe.yaml")


def test_addresses_are_those_of_pyproject():
    """Check each file that names the repository or the documentation."""
    urls = PROJECT["urls"]
    assert urls["Issues"] == f"{REPOSITORY}/issues"
    assert urls["Documentation"] == DOCUMENTATION
    assert urls["Changelog"] == f"{DOCUMENTATION}whats_new.html"
    root = DOCUMENTATION.removesuffix("stable/")
    seen = set()
    for path in _files_with_addresses():
        text = path.read_text(encoding="utf-8")
        for address in re.findall(r"[\w.-]+/[\w-]*sk[-_]ctxmem[\w-]*/[\w-]*ctxmem[\w-]*", text):
            assert address == REPOSITORY.removeprefix("https://"), path
            seen.add(path.name)
        for address in re.findall(r"https://[\w-]*ctxmem[\w-]*\.readthedocs\.io[\w/-]*", text):
            assert f"{address.removesuffix('/')}/".startswith(root), path
            seen.add(path.name)
    assert {"recipe.yaml", "config.yml", "_messages.py"} <= seen


def test_classifiers_name_what_is_tested():
    """Check Pythons and systems against the matrix, noxfile.py and the lower bound."""
    matrix = _ci_matrix()
    classifiers = PROJECT["classifiers"]
    start = "Programming Language :: Python :: 3."
    pythons = [f"3.{each.removeprefix(start)}" for each in classifiers if each.startswith(start)]
    assert pythons == matrix["python"]
    assert f">={pythons[0]}" == PROJECT["requires-python"]
    assert f"PYTHONS = {pythons}".replace("'", '"') in _read("noxfile.py")
    systems = {f"Operating System :: {SYSTEMS[os.partition('-')[0]]}" for os in matrix["os"]}
    assert {each for each in classifiers if each.startswith("Operating System")} == systems


def test_the_pinned_python_is_the_same_everywhere():
    """Check Read the Docs, Binder and the jobs against noxfile.py."""
    (pinned,) = re.findall(r'PINNED_PYTHON = "(.*)"', _read("noxfile.py"))
    assert _load_yaml(".readthedocs.yaml")["build"]["tools"]["python"] == pinned
    assert _read(".binder", "runtime.txt") == f"python-{pinned}\n"
    jobs = _load_yaml(".github", "workflows", "release.yml")["jobs"]
    uses = {
        step["with"]["python-version"]
        for step in jobs["build"]["steps"]
        if "setup-python" in step.get("uses", "")
    }
    assert uses == {pinned}


def test_versions_agree():
    """Check the citation, the recipe and the notes, the newest of which are of this version."""
    assert _load_yaml("CITATION.cff")["version"] == __version__
    assert _recipe()["context"]["version"] == __version__
    notes = _read("docs", "whats_new.rst")
    after = notes.split(PYPROJECT["tool"]["towncrier"]["start_string"])[1]
    assert re.match(rf"\n*{re.escape(__version__)} \((unreleased|\d{{4}}-\d\d-\d\d)\)\n-+\n", after)


def test_the_recipe_needs_what_the_wheel_needs():
    """Check names and bounds of the recipe for conda-forge."""
    recipe, expected = _recipe(), {}
    for requirement in map(Requirement, PROJECT["dependencies"]):
        expected[CONDA_NAMES.get(requirement.name, requirement.name)] = str(requirement.specifier)
    python, *run = recipe["requirements"]["run"]
    assert python == "python >=${{ python_min }}"
    assert dict(each.split() for each in run) == expected
    build = Requirement(PYPROJECT["build-system"]["requires"][0])
    assert recipe["requirements"]["host"][2:] == [f"{build.name} {build.specifier}"]
    assert recipe["about"]["license"] == PROJECT["license"]
    assert recipe["about"]["license_file"] == PROJECT["license-files"]
    assert recipe["about"]["summary"] == PROJECT["description"]


def test_entries_of_the_changelog_have_legal_names():
    """Check that towncrier reads each file of changes/."""
    types = "|".join(each["directory"] for each in PYPROJECT["tool"]["towncrier"]["type"])
    names = {path.name for path in (ROOT / "changes").iterdir()} - {"README.md"}
    wrong = [name for name in names if not re.fullmatch(rf"(\d+|\+[\w-]+)\.({types})\.rst", name)]
    assert not wrong, f"{wrong} must be named as changes/README.md says"


def test_the_guide_of_entries_names_the_types():
    """Check that changes/README.md has a line for each type, and no other."""
    named = re.findall(r"^- `(\w+)`: ", _read("changes", "README.md"), flags=re.MULTILINE)
    assert named == [each["directory"] for each in PYPROJECT["tool"]["towncrier"]["type"]]


def test_actions_are_pinned_by_their_commit():
    """Check that no workflow runs what a tag may come to mean."""
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        for line in re.findall(r"uses: (.*)", path.read_text(encoding="utf-8")):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}  # v[\d.]+", line), (path.name, line)
