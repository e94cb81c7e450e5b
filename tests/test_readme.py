"""Tests of the README: its code runs, its figures are results, and its links lead to files."""

import re
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sk_ctxmem.datasets import load_service_dialogues

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BASELINES = ["lr", "lr-window", "svm-char", "fasttext", "crf"]
CORPORA = {  # as the table names them
    "service dialogues": "service dialogues",
    "map tasks": "maptask",
    "abstracts": "csabstruct",
    "films": "imdb",
}


@pytest.mark.slow  # `make docs` runs this
def test_code_blocks_run_on_a_file_of_dialogues(tmp_path, monkeypatch, capsys):
    """Check that the blocks run in order on a file with the columns that they name."""
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 2
    frame = load_service_dialogues(subset="train").frame
    calls = frame.rename(columns={"group": "call", "target": "act"})
    monkeypatch.chdir(tmp_path)
    calls.to_csv("calls.csv", index=False)
    names: dict = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    scores, *_ = capsys.readouterr().out.splitlines()
    assert np.fromstring(scores.strip("[]"), sep=" ").min() > 0.8
    assert names["session"].predict_one("Yes, please.") in set(calls["act"])
    assert (tmp_path / "calls.ctxmem").stat().st_size > 100_000


def _figures():
    """Return the rows of the table: the name of a corpus, and its figures as they stand there."""
    rows = re.findall(r"^\| ([^|]+?) \|((?: [*\d.–]+ \|){4})$", README, re.MULTILINE)
    return {name.split(":")[0]: cells.replace("*", "").split("|")[:4] for name, cells in rows}


def test_the_table_has_the_figures_of_the_results():
    """Check each figure against results.csv, and that a corpus that we lose is among them."""
    results = pd.read_csv(ROOT / "benchmarks" / "results" / "results.csv")
    means = 100 * results.groupby(["corpus", "model"])["accuracy"].mean().unstack()
    shown = _figures()
    assert list(shown) == list(CORPORA)
    is_lost = []
    for name, corpus in CORPORA.items():
        of = means.loc[corpus]
        baselines = of[BASELINES].max()
        past = of["context-memory (past)"]
        both = of["context-memory (both)"]
        if pd.isna(past):  # rows stand alone
            past = of["context-memory"]
        expected = [of["lr"], baselines, past, both]
        cells = ["–" if pd.isna(figure) else f"{figure:.1f}" for figure in expected]
        assert [cell.strip() for cell in shown[name]] == cells, name
        is_lost.append(max(past, both if pd.notna(both) else 0) < baselines)
    assert is_lost == [False, False, False, True]


def test_the_sentence_on_speed_is_that_of_its_page():
    """Check the ratios to logistic regression, which a command writes there."""
    page = (ROOT / "docs" / "speed.rst").read_text(encoding="utf-8")
    ratios = re.findall(r"- ([\d.]+ to [\d.]+) times that of logistic regression", page)
    same, words = ratios
    sentence = " ".join(README.split())
    assert f"{words} times the time of logistic regression on words and word pairs" in sentence
    assert f"{same} times its time on the same n-grams as ours" in sentence


def test_it_is_short_and_its_commands_stand_near_the_top():
    """Check that nobody has to search for the two commands that do everything."""
    lines = README.splitlines()
    assert len(lines) <= 130
    for command in ("make demo", "make test"):
        assert next(at for at, line in enumerate(lines) if command in line) < 80


def test_links_lead_to_files():
    """Check that all links are relative to the repository and there, or of other hosts."""
    targets = re.findall(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"", README)
    for target in map("".join, targets):
        if not target.startswith("https://"):
            assert (ROOT / target.partition("#")[0]).is_file(), target


@pytest.mark.parametrize("name", ["light", "dark"])
def test_pictures_are_that_of_the_first_page(name):
    """Check that a change of the one is a change of the others."""
    script = runpy.run_path(str(ROOT / "docs" / "_ext" / "readme_picture.py"))
    picture = (ROOT / "docs" / "_static" / f"memory_{name}.svg").read_text(encoding="utf-8")
    assert picture == script["paint"](script["COLOURS"][name])
    assert not re.search(r"var\(--", picture)
