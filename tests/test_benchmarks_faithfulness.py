"""Tests of the measures of how faithful explanations are."""

import numpy as np
import pandas as pd
import pytest
from _benchmark_data import call_here, make_frame

from benchmarks.faithfulness import explanations, measure
from benchmarks.faithfulness.__main__ import main
from benchmarks.faithfulness.edits import Edit, draw_views, keep_words, predict_edits
from benchmarks.measuring import processes


class CountsOfWords:
    """Says that a row is of class 1 with a tenth for each "good" in it and in the row before."""

    def predict_proba(self, frame):
        counts = frame["text"].str.count("good")
        before = counts.groupby(frame["group"]).shift(fill_value=0)
        return np.stack([1 - (counts + before) / 10, (counts + before) / 10], axis=1)


def _views():
    text = ["good good", "a b", "good a good b good", "bad", "a good b c"]
    frame = pd.DataFrame({"text": text, "group": [0, 0, 0, 1, 1]})
    return draw_views(frame, 9, 0, n_before=(1, 5), is_long_enough=lambda text: " " in text)


def test_rows_are_drawn_with_the_rows_before_them():
    """Check texts, lengths and groups of the rows that are long enough."""
    views = _views()
    assert views.texts == ["a b", "good a good b good", "a good b c"]
    assert views.lengths.tolist() == [2, 3, 2]
    assert views.frame["group"].tolist() == [0, 0, 1, 1, 1, 2, 2]
    assert views.alone().frame["text"].tolist() == views.texts


def test_no_row_that_is_long_enough_is_an_error():
    """Check that a split without such rows is named as the reason."""
    with pytest.raises(ValueError, match="no row has a text that is long enough"):
        draw_views(make_frame(), 9, 0, n_before=(1, 5), is_long_enough=lambda text: False)


def test_edits_change_one_view_each(monkeypatch):
    """Check probabilities with texts changed, in batches of any size."""
    views = _views()
    edits = [Edit(0, {}), Edit(1, {2: "good"}), Edit(1, {1: "good"}), Edit(0, {0: ""})]
    targets = np.array([1, 1, 0])
    found = predict_edits(CountsOfWords(), views, edits, targets)
    np.testing.assert_allclose(found, [0.2, 0.1, 0.4, 0])
    monkeypatch.setattr("benchmarks.faithfulness.edits.ROWS_AT_ONCE", 2)
    np.testing.assert_allclose(predict_edits(CountsOfWords(), views, edits, targets), found)


def test_measures_of_words_are_those_of_the_definition():
    """Check the three measures where each "good" counts a tenth, in two orders."""
    views, targets = _views(), np.ones(3, dtype=int)
    best = [np.array([word == "good" for word in text.split()], float) for text in views.texts]
    worst = [-scores for scores in best]
    found = measure.measure_words(CountsOfWords(), views, targets, {"best": best, "worst": worst})
    rows = {result["order"]: result for result in found if result["row"] == 1}
    # five words, of which 1, 1 and 3 are taken away: 0.1, 0.1 and 0.3 are lost
    assert rows["best"]["comprehensiveness"] == pytest.approx(0.5 / 3)
    assert rows["best"]["sufficiency"] == pytest.approx((0.2 + 0.2 + 0.0) / 3)
    path = [0.3, 0.2, 0.2, 0.1, 0.1, 0, 0, 0, 0, 0, 0]
    expected = sum(a + b for a, b in zip(path, path[1:], strict=False)) / 20
    assert rows["best"]["area"] == pytest.approx(expected)
    assert rows["worst"]["comprehensiveness"] == pytest.approx(0.1 / 3)
    assert rows["worst"]["area"] > rows["best"]["area"]


def test_measures_of_earlier_rows_empty_their_texts():
    """Check that the row that counts is found in its place."""
    views, targets = _views(), np.ones(3, dtype=int)
    orders = {"first": [np.arange(length - 1)[::-1] for length in views.lengths]}
    found = measure.measure_rows(CountsOfWords(), views, targets, orders)
    assert found[0]["comprehensiveness"] == pytest.approx(0.2)
    assert found[0]["sufficiency"] == pytest.approx(0)
    assert found[1]["comprehensiveness"] == pytest.approx(0)  # two rows before do not count


def test_words_that_go_leave_a_space():
    """Check that neighbours are not glued together."""
    spans = explanations.word_spans("don't go")
    assert spans == [(0, 3), (3, 4), (4, 5), (6, 8)]
    kept = np.array([True, False, True, False])
    assert keep_words("don't go", spans, kept) == "don t  "


def test_command_from_end_to_end(tmp_path, monkeypatch, capsys):
    """Check the orders that are compared, and that an explanation beats chance."""
    monkeypatch.setattr(measure, "LEAST_WORDS", 2)
    monkeypatch.setattr(measure, "N_BEFORE", (1, 4))
    monkeypatch.setattr(processes, "call_in_process", call_here)
    frame = make_frame()
    frame["text"] += " or so it is"
    frame.to_csv(tmp_path / "calls.csv", index=False)
    options = ["--data", str(tmp_path / "calls.csv"), "--output", str(tmp_path / "out")]
    assert main([*options, "--sample", "12"]) == 0
    results = pd.read_csv(tmp_path / "out" / "faithfulness.csv")
    means = results.groupby(["what", "order"])["comprehensiveness"].mean()
    of_words = [*explanations.METHODS, "coefficients of lr", "random", "lr, by its coefficients"]
    of_rows = [*explanations.METHODS, "attention", "random"]
    assert set(means["words"].index) == set(of_words)
    assert set(means["earlier rows"].index) == set(of_rows)
    for method in explanations.METHODS:
        assert means["words", method] > means["words", "random"]
    assert "integrated_gradients" in capsys.readouterr().out
    monkeypatch.setattr(measure, "LEAST_WORDS", 99)
    with pytest.raises(SystemExit, match="2"):
        main(options)
    assert "no row has a text that is long enough" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["--data", str(tmp_path / "nowhere.csv")])
