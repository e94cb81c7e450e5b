"""Tests of the folder that the benchmarks write to."""

from importlib import import_module
from pathlib import Path

import pytest
from _benchmark_data import make_frame

from benchmarks.comparison.__main__ import main

ROOT = Path(__file__).parents[1]
STUDIES = sorted(path.parent.name for path in ROOT.glob("benchmarks/*/__main__.py"))
WITHOUT_OUTPUT = {"reliability", "sessions", "streaming"}  # write nothing, or to a named folder


@pytest.mark.parametrize("study", sorted({*STUDIES} - WITHOUT_OUTPUT))
def test_no_study_writes_to_the_published_results_unless_it_is_told_to(study):
    """Check the default folder, and that the help names both."""
    parser = import_module(f"benchmarks.{study}.__main__").build_parser()
    assert parser.parse_args([]).output == Path("ctxmem_results")
    given = parser.parse_args(["--output", "benchmarks/results"])
    assert given.output == Path("benchmarks/results")
    text = " ".join(parser.format_help().split())
    assert "default: ctxmem_results in the current folder" in text
    assert "benchmarks/results, are replaced only if that folder is given" in text


@pytest.mark.slow
def test_results_on_files_of_the_user_go_to_a_folder_of_their_own(tmp_path, monkeypatch):
    """Check a run in a clone: the published results stay as they are."""
    monkeypatch.chdir(tmp_path)
    published = tmp_path / "benchmarks" / "results" / "results.csv"
    published.parent.mkdir(parents=True)
    published.write_text("published")
    make_frame().to_csv("calls.csv", index=False)
    options = ["--models", "lr", "--seeds", "0", "--no-isolate"]
    assert main(["--data", "calls.csv", *options]) == 0
    assert published.read_text() == "published"
    assert list(published.parent.iterdir()) == [published]
    assert (tmp_path / "ctxmem_results" / "results.csv").read_text().count("calls") == 1
