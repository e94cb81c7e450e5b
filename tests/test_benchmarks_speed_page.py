"""Tests of the page of speed: its first table and sentences are those of the results."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.command_line import PUBLISHED
from benchmarks.speed.__main__ import main
from benchmarks.speed.fit import add_means
from benchmarks.speed.page import HEADINGS, fit_table, make_blocks, ratio_sentences

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "speed.rst"


def make_fits(**columns):
    """Return the table of two corpora, with its means."""
    numbers = {name: 2.0 for name in HEADINGS if name not in ("corpus", "n_train")}
    flags = {"groups": "no", "lr_stopped": False, "same_stopped": False}
    frame = pd.DataFrame({"corpus": ["mails", "calls"], "n_train": [1000, 20_000]})
    return add_means(frame.assign(**numbers | flags | columns))


def test_the_page_is_what_the_results_say(capsys):
    """Check the committed page against the committed results, by the command itself."""
    assert main(["--output", str(ROOT / PUBLISHED), "--check", str(PAGE)]) == 0
    assert "something else" not in capsys.readouterr().err


def test_a_page_that_drifted_is_found_and_mended(tmp_path):
    """Check the status of --check, and that --write changes the table alone."""
    page = tmp_path / "page.rst"
    page.write_text(PAGE.read_text(encoding="utf-8").replace("trec6   ", "trec7   "), "utf-8")
    options = ["--output", str(ROOT / PUBLISHED)]
    assert main([*options, "--check", str(page)]) == 1
    assert main([*options, "--write", str(page)]) == 0
    written = page.read_text(encoding="utf-8")
    place = ".. end fits"
    assert written.split(place)[0] == PAGE.read_text(encoding="utf-8").split(place)[0]


def test_a_folder_without_fits_is_an_error(tmp_path, capsys):
    """Check the message and the status."""
    with pytest.raises(SystemExit, match="2"):
        main(["--output", str(tmp_path), "--write", str(PAGE)])
    assert "speed_fit.csv" in capsys.readouterr().err


def test_the_sentences_have_ranges_and_geometric_means():
    """Check the numbers by hand: the geometric mean of 0.5 and 2 is 1."""
    said = ratio_sentences(make_fits(**{"ours/same": [0.5, 2.0]}))
    assert said.startswith("CPU time of a fit with the defaults, on 2 corpora:")
    assert "- 0.50 to 2.00 times that of logistic regression on the same n-grams" in said
    assert "same n-grams, geometric mean 1.00.\n" in said


def test_fits_that_were_stopped_give_bounds():
    """Check the signs of the table, and the remark beside the mean."""
    fits = make_fits(**{"same_stopped": [True, False], "same_seconds": [60.0, 3.0]})
    blocks = make_blocks(fits)
    assert "> 60" in blocks["fits"]
    assert "< 2" in blocks["fits"]
    assert (
        "same n-grams, geometric mean 2.00 (an upper bound, as it was stopped on 1"
        in (blocks["ratios"])
    )


def test_times_have_two_digits_and_missing_ones_are_dashes():
    """Check the cells of seconds, ratios and rows."""
    fits = make_fits(lr_seconds=[0.123, 12.34], fasttext_seconds=[np.nan, 4.56])
    mails, calls = fit_table(fits).splitlines()[3:5]
    assert mails.split()[:3] == ["mails", "1,000", "2.0"]
    assert "0.12" in mails.split()
    assert "–" in mails
    assert calls.split()[:2] == ["calls", "20,000"]
    assert "12" in calls.split()
    assert "4.6" in calls.split()
