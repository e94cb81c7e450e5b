"""Test of the README: its Python blocks run, one after another, as a reader would run them."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.slow  # `make docs` runs this
def test_code_blocks_run_and_reach_what_the_text_says(tmp_path, monkeypatch):
    """Check that the blocks run in order, and that memory is learned on the way."""
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 8
    monkeypatch.chdir(tmp_path)  # a model is saved
    names: dict = {}
    for block in blocks:
        exec(compile(block, str(README), "exec"), names)
    assert names["clf"].score(names["test"].data, names["test"].target) > 0.85
    assert names["search"].best_params_["context"] == "past"
    assert names["reasons"]["row"].unique().tolist() == [2]
    assert len(names["session"].history_) == 3
    assert names["pipeline"].score(names["texts"], names["labels"]) == 1
    assert names["learner"].score(names["test"].data, names["test"].target) > 0.75
