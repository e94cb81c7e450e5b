"""Tests of the measurement of fits from many rows in files."""

import numpy as np
import pandas as pd
import pytest
from _benchmark_data import make_frame

from benchmarks.corpora.corpus import Corpus
from benchmarks.streaming.__main__ import main
from benchmarks.streaming.copies import replace_words, write_copies
from benchmarks.streaming.measure import fit_stream


@pytest.fixture
def corpus():
    """Return a corpus of 100 rows to learn from and 50 to test on."""
    frame = make_frame(30)
    frame["split"] = np.where(frame["group"] < 20, "train", "test")
    return Corpus("calls", frame)


def test_copies_have_the_rows_that_were_asked_for_in_groups_of_their_own(corpus, tmp_path):
    """Check that files hold copies of the training rows, the last one cut short."""
    write_copies(corpus, 230, tmp_path)
    copies = [pd.read_parquet(path) for path in sorted(tmp_path.glob("*.parquet"))]
    assert [len(copy) for copy in copies] == [100, 100, 30]
    groups = [set(copy["group"]) for copy in copies]
    assert len(set().union(*groups)) == 46
    assert copies[1]["label"].tolist() == corpus.part("train")["label"].tolist()


def test_a_share_of_the_words_is_replaced():
    """Check that about one word in fifty is another one, and the number of words stays."""
    texts = ["one two three four five"] * 400
    known = np.array(["six"], dtype=object)
    changed = replace_words(texts, [text.split() for text in texts], known, 0)
    replaced = sum(text.split().count("six") for text in changed)
    assert 20 <= replaced <= 60
    assert {len(text.split()) for text in changed} == {5}
    assert len(replace_words(texts[:7], [text.split() for text in texts], known, 0)) == 7


def test_speed_and_memory_are_printed_while_training_goes_on(corpus, tmp_path, capsys):
    """Check that each tenth of the rows has a line, and the accuracy is that of the test rows."""
    write_copies(corpus, 500, tmp_path)
    assert fit_stream(corpus, tmp_path, 500) > 90
    shown = capsys.readouterr().out
    assert "first pass: " in shown
    assert shown.count("rows per second: resident") >= 9
    assert "at the end: resident" in shown


def test_data_that_are_not_there_are_an_error(tmp_path, capsys):
    """Check that a wrong path ends with a message and the code 2."""
    arguments = ["--data", str(tmp_path / "none.csv"), "--folder", str(tmp_path)]
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "error: " in capsys.readouterr().err
