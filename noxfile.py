"""The versions that pyproject.toml promises, one session each; `make test-matrix` runs them all.

A session whose Python is not on this machine is skipped, and nox says so in its last lines; where
the variable CI is set, it fails. `nox -s "sklearn(1.6)"` runs one session, and words after `--` go
to pytest.
"""

import re
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"

PROJECT = nox.project.load_toml("pyproject.toml")["project"]
PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]
PINNED_PYTHON = "3.11"  # that of constraints.txt
SKLEARNS = ["1.6", "1.7", "1.8", "1.9"]

# Files that a service reads, by the schema of check-jsonschema that they keep.
SCHEMAS = {
    "citation-file-format": "CITATION.cff",
    "dependabot": ".github/dependabot.yml",
    "github-issue-config": ".github/ISSUE_TEMPLATE/config.yml",
    "github-issue-forms": ".github/ISSUE_TEMPLATE/[!c]*.yml",
    "github-workflows": ".github/workflows/*.yml",
    "readthedocs": ".readthedocs.yaml",
}
SMOKE_TEST = """
from sk_ctxmem import ContextMemoryClassifier, __version__
from sk_ctxmem.datasets import make_conversations
talks = make_conversations(20, random_state=0)
columns = {"text_column": "text", "group_column": "group", "order_column": "order"}
clf = ContextMemoryClassifier(max_epochs=2, random_state=0, **columns).fit(talks.data, talks.target)
clf.save("model.ctxmem")
same = ContextMemoryClassifier.load("model.ctxmem").predict(talks.data)
assert (same == clf.predict(talks.data)).all()
print(f"sk_ctxmem {__version__} fits, saves, loads and predicts.")
"""

# The benchmarks are no part of what is installed, so they are tested on the pinned versions alone.
CORE = [
    "--ignore-glob=tests/test_benchmarks*",
    "--ignore=tests/test_speed.py",
    "--ignore=tests/test_packaging.py",
    "--ignore=tests/test_release.py",
]
VERSIONS = """
import platform
from importlib.metadata import version
names = "scikit-learn", "numpy", "scipy", "pandas", "torch", "skorch"
print("python", platform.python_version(), *(f"{name} {version(name)}" for name in names))
"""


def lower_bounds():
    """List a pin `name==version` for each `name>=version` that users' installations start from."""
    requirements = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["datasets"]
    return [requirement.replace(">=", "==") for requirement in requirements]


def pins():
    """List the pins `name==version` of constraints.txt."""
    lines = Path("constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def install(session, *arguments, constraints):
    """Install with pip under constraints, which are lines of a file for it."""
    path = Path(session.create_tmp()) / "constraints.txt"
    path.write_text("".join(f"{line}\n" for line in constraints), encoding="utf-8")
    session.install("-c", str(path.absolute()), *arguments)


def run_tests(session):
    """Print the versions, then run the checks of scikit-learn in full and the tests of the core."""
    session.run("python", "-c", VERSIONS)
    session.run("python", "-m", "pytest", *CORE, *session.posargs, env={"OMP_NUM_THREADS": "1"})


@nox.session(python=PYTHONS[0])
def oldest(session):
    """Test the lower bounds of pyproject.toml, to the last digit."""
    install(session, "-e", ".[test]", constraints=lower_bounds())
    run_tests(session)


@nox.session(python=PINNED_PYTHON)
@nox.parametrize("version", SKLEARNS, ids=SKLEARNS)
def sklearn(session, version):
    """Test the newest release of a series of scikit-learn with what else constraints.txt pins."""
    others = [pin for pin in pins() if not pin.startswith("scikit-learn==")]
    constraints = [*others, f"scikit-learn=={version}.*"]
    install(session, "-e", ".[test]", constraints=constraints)
    run_tests(session)


@nox.session(python=PYTHONS)
def newest(session):
    """Test the newest versions of everything that this Python gets, numpy and pandas included."""
    session.install("--upgrade", "--upgrade-strategy", "eager", "-e", ".[test]")
    run_tests(session)


@nox.session(python=PINNED_PYTHON)
def bare(session):
    """Test without any extra: what needs one must skip."""
    install(session, "-e", ".", "pytest", "hypothesis", constraints=pins())
    run_tests(session)


@nox.session(default=False)
def audit(session):
    """Look for known weaknesses in what constraints.txt installs; asks the index for them."""
    install(session, "-e", ".[dev]", constraints=pins())
    freeze = ["python", "-m", "pip", "freeze", "--exclude-editable"]
    # A local build such as 2.13.0+cpu has the weaknesses of its release.
    frozen = re.sub(r"\+[\w.]+$", "", session.run(*freeze, silent=True), flags=re.MULTILINE)
    path = Path(session.create_tmp()) / "frozen.txt"
    path.write_text(frozen, encoding="utf-8")
    install(session, "pip-audit", constraints=pins())
    # Strict, for pip-audit takes a package that it cannot look up for one without weaknesses.
    arguments = ["--strict", "--no-deps", "--disable-pip", "-r", str(path.absolute())]
    session.run("pip-audit", *arguments)


@nox.session(default=False)
def current(session):
    """Test the Python that runs nox, without any extra: for builds with few packages."""
    session.install("-e", ".", "pytest", "hypothesis")
    run_tests(session)


@nox.session(default=False)
def nightly(session):
    """Test the nightly build of scikit-learn; asks an index that PIP_EXTRA_INDEX_URL names."""
    session.install("-e", ".[test]")
    session.install("--pre", "--upgrade", "scikit-learn")
    run_tests(session)


@nox.session(default=False)
def distributions(session):
    """Build the sdist and the wheel into dist, and check them and what services read of us."""
    tools = [
        "build",
        "check-jsonschema",
        "check-wheel-contents",
        "twine",
        "validate-pyproject[all]",
    ]
    session.install("-c", "constraints.txt", *tools, "zizmor")
    session.run("validate-pyproject", "pyproject.toml")
    for schema, pattern in SCHEMAS.items():
        paths = sorted(map(str, Path().glob(pattern)))
        session.run("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *paths)
    session.run("zizmor", "--offline", "--quiet", ".github")
    session.run("check-manifest")
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build")
    session.run("twine", "check", "--strict", *sorted(map(str, Path("dist").iterdir())))
    session.run("check-wheel-contents", "dist")


@nox.session(default=False)
def wheel(session):
    """Try the wheel in dist where nothing else is installed."""
    (path,) = Path("dist").glob("*.whl")
    session.install(str(path.absolute()))
    session.chdir(session.create_tmp())
    session.run("python", "-c", SMOKE_TEST)
    session.run("python", "-m", "sk_ctxmem", "compare", "--help", silent=True)
