"""Versions of the packages of a fit; a result is reused only for the same versions."""

from __future__ import annotations

import hashlib
import json
import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

COMMON = ("numpy", "pandas", "scipy", "scikit-learn")
OWN_SOURCES = ("context-memory", "context-memory-cv")
OWN = {
    "fasttext": ("fasttext-numpy2",),
    "crf": ("python-crfsuite",),
    **dict.fromkeys(OWN_SOURCES, ("torch", "skorch")),
}


def versions_of(model: str) -> dict[str, str]:
    """Versions that the results of a row of the table depend on.

    Parameters
    ----------
    model : str
        Row of the table; the context in parentheses is ignored.

    Returns
    -------
    dict of str to str
        Version of each package. That of sk-ctxmem ends in a hash of its source files, since the
        code changes during development and the version does not.
    """
    name = model.partition(" ")[0]
    versions = {"python": platform.python_version()}
    versions |= {package: package_version(package) for package in (*COMMON, *OWN.get(name, ()))}
    if name in OWN_SOURCES:
        versions["sk-ctxmem"] = f"{package_version('sk-ctxmem')}+{source_hash('sk_ctxmem')}"
    return versions


def package_version(package: str) -> str:
    """Version of an installed package, or "not installed"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def source_hash(module: str) -> str:
    """Hash of the source files of a package, which is not imported."""
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    digest = hashlib.sha256()
    for path in sorted(Path(spec.origin).parent.rglob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:8]


def short_hash(versions: dict[str, str]) -> str:
    """Short hash of a set of versions, their key in `versions.json`."""
    return hashlib.sha256(json.dumps(versions, sort_keys=True).encode()).hexdigest()[:8]
