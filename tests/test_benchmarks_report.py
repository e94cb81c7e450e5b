"""Tests of the measures, the paired comparison, the tables and the plots."""

import numpy as np
import pandas as pd
import pytest
from _benchmark_data import make_comparisons, make_results

from benchmarks.corpora.corpus import Corpus
from benchmarks.measuring.metrics import (
    expected_calibration_error,
    probability_scores,
    recalls,
    scores,
)
from benchmarks.measuring.paired import compare_all, recalls_of_all
from benchmarks.measuring.store import Key, Store
from benchmarks.models.build import CONTEXTS, MODELS, model_rows
from benchmarks.reports.plots import (
    STYLES,
    draw_errors,
    relative_errors,
    scale_axes,
    write_error_plot,
    write_plot,
)
from benchmarks.reports.tables import closing_sentence, markdown_table, notes, text_table
from sk_ctxmem.comparison import paired_interval


def test_macro_averages_are_over_the_classes_of_the_rows_scored():
    """Check that a class predicted by mistake lowers the scores but is not averaged over."""
    measured = scores(pd.Series(["a", "a", "b", "b"]), np.array(["a", "a", "b", "c"]))
    assert measured["accuracy"] == 0.75
    assert measured["macro_recall"] == 0.75
    assert measured["macro_f1"] == pytest.approx((1 + 2 / 3) / 2)


def test_table_shows_spread_ratio_and_best():
    """Check the cells of a small table, with and without several seeds."""
    results = make_results(
        model=["lr", "context-memory", "context-memory"],
        seed=[0, 0, 1],
        accuracy=[0.8, 0.9, 0.92],
        fit_seconds=[2.0, 3.0, 5.0],
    )
    lines = text_table(results, make_comparisons()).splitlines()
    assert lines[2].split()[:6] == ["lr", "80.0", "50.0", "10.0", "2.0", "1.0"]
    assert lines[3].split()[:4] == ["context-memory", "91.0", "±", "1.4*"]
    assert lines[3].split()[-3:] == ["2.0", "1,000", "300"]
    assert len({len(line) for line in lines[1:4]}) == 1
    assert not any("SGD" in note for note in notes(results))


@pytest.mark.parametrize(
    ("ours", "sentence"),
    [
        (0.9, "context-memory (both) is ahead of lr-window by 10.0 points of accuracy: 90.0 %"),
        (0.75, "lr-window is ahead of context-memory (both) by 5.0 points of accuracy: 80.0 %"),
        (0.8, "context-memory (both) and lr-window, the best baseline, are level at 80.0 %."),
        (np.nan, "There is nothing to compare"),
    ],
)
def test_closing_sentence_says_who_is_ahead(ours, sentence):
    """Check that a win, a loss and a tie are told as they are."""
    models = ["lr", "lr-window", "context-memory (both)"]
    results = make_results(model=models, accuracy=[0.7, 0.8, ours])
    assert closing_sentence(results).startswith(sentence)


@pytest.mark.parametrize("n_corpora", [0, 1, 3, 15])
def test_plot_is_written_for_any_number_of_corpora(tmp_path, n_corpora):
    """Check that there is a file unless every job failed."""
    names = [f"corpus {i}" for i in range(n_corpora)] or ["failed"]
    accuracy = np.linspace(0.5, 1.0, len(names)) if n_corpora else [np.nan]
    write_plot(make_results(corpus=names, model="lr", accuracy=accuracy), tmp_path / "results.png")
    assert (tmp_path / "results.png").exists() == (n_corpora > 0)


@pytest.mark.parametrize("seconds", [(1.0, 1.0), (0.003, 0.004), (3.0, 40.0), (0.2, 2000.0)])
def test_labels_of_the_time_axis_stay_apart(seconds):
    """Check that a panel has at least one time and that no two overlap."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.0, 2.5), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    ax = figure.subplots()
    scale_axes(ax, pd.Series(seconds), pd.Series([80.0, 81.0]))
    canvas.draw()
    low, high = ax.get_xlim()
    labels = [label for label in ax.get_xticklabels() if low <= label.get_position()[0] <= high]
    boxes = [label.get_window_extent() for label in labels]
    assert boxes
    assert all(left.x1 < right.x0 for left, right in zip(boxes[:-1], boxes[1:], strict=True))


def test_calibration_error_of_two_bins():
    """Check the error by hand: bins (0.8, 0.867] and (0.933, 1], one bound on the edge of bins."""
    confidence = np.array([0.85, 0.85, 0.85, 0.85, 0.95, 1.0])
    is_correct = np.array([True, True, False, False, True, True])
    # 4/6 of the rows are right half of the time, 2/6 always: |0.5 - 0.85| and |1 - 0.975|.
    expected = 4 / 6 * 0.35 + 2 / 6 * 0.025
    assert expected_calibration_error(is_correct, confidence) == pytest.approx(expected)
    assert expected_calibration_error(is_correct, np.ones(6)) == pytest.approx(2 / 6)


def test_over_and_under_confidence_cancel_only_within_a_bin():
    """Check that a bin holds its upper bound, and that bins are not mixed."""
    is_correct = np.array([False, True])
    assert expected_calibration_error(is_correct, np.array([0.5, 0.5]), n_bins=2) == 0
    apart = expected_calibration_error(is_correct, np.array([0.5, 0.51]), n_bins=2)
    assert apart == pytest.approx((0.5 + 0.49) / 2)


def test_classes_that_were_not_learned_are_mistakes_without_a_loss():
    """Check both measures of the probabilities where a row has a new class."""
    probabilities = np.array([[0.5, 0.5], [0.25, 0.75]], dtype=np.float32)
    measured = probability_scores(pd.Series(["b", "new"]), probabilities, np.array(["a", "b"]))
    assert measured["ece"] == pytest.approx((0.5 + 0.75) / 2)
    assert measured["log_loss"] == pytest.approx(np.log(2))


def test_recalls_are_by_class():
    """Check support and recall, with no row for a class that was predicted only."""
    table = recalls(np.array(["b", "a", "b", "b"]), np.array(["b", "c", "b", "a"]))
    assert table["class"].tolist() == ["a", "b"]
    assert table["support"].tolist() == [1, 3]
    assert table["recall"].tolist() == [0, pytest.approx(2 / 3)]


def test_interval_of_rows_is_that_of_the_binomial():
    """Check against the normal approximation, for rows that are their own groups."""
    difference = np.repeat([1.0, 0.0], [300, 700])
    low, high = paired_interval(difference, np.arange(1000))
    half = 1.96 * np.sqrt(0.3 * 0.7 / 1000)
    assert (low, high) == pytest.approx((0.3 - half, 0.3 + half), abs=0.003)


def test_interval_of_groups_is_wider():
    """Check that ten equal rows in a group count as one, and groups by their size."""
    difference = np.repeat([1.0, 0.0] * 20, 10)
    groups = np.repeat(np.arange(40), 10)
    low, high = paired_interval(difference, groups)
    half = 1.96 * np.sqrt(0.5 * 0.5 / 40)
    assert (low, high) == pytest.approx((0.5 - half, 0.5 + half), abs=0.03)
    # Two groups, of 3 rows and of 1: drawn again, the mean is that of one of them or of all rows.
    assert paired_interval(np.array([1.0, 1, 1, 0]), np.array([7, 7, 7, 2])) == (0.0, 1.0)
    assert np.isnan(paired_interval(difference, np.zeros(400))).all()


def test_best_baseline_is_compared_over_all_seeds(tmp_path):
    """Check the difference, against means of seeds, and that failures are left out."""
    store, sizes = Store(tmp_path), {"n_train": 9, "n_test": 4}
    right = {"lr": [[0, 1]], "fasttext": [[0, 1, 2], [0, 1, 2]], "context-memory": [[0], [0, 1]]}
    keys = []
    for model, seeds in right.items():
        for seed, rows in enumerate(seeds):
            keys.append(Key("texts", model, seed, "test", "d", "v"))
            predicted = np.isin(np.arange(4), rows).astype(int)
            arrays = {"true": np.ones(4, int), "predicted": predicted, "group": np.arange(4)}
            arrays["classes"] = np.array(["no", "yes"])
            store.add(keys[-1], sizes | {"accuracy": len(rows) / 4}, arrays)
    keys.append(Key("texts", "crf", 0, "test", "d", "v"))
    store.add(keys[-1], sizes | {"parameters": "{}"}, {})
    (row,) = compare_all(store, keys).to_dict("records")
    assert (row["model"], row["baseline"]) == ("context-memory", "fasttext")
    assert row["difference"] == pytest.approx(0.375 - 0.75)
    assert row["low"] < row["difference"] < row["high"]
    assert (row["n_rows"], row["n_groups"]) == (4, 4)
    table = recalls_of_all(store, keys)
    assert table["class"].tolist() == ["yes"] * 5
    assert table["recall"].tolist() == [0.5, 0.75, 0.75, 0.25, 0.5]


def test_report_shows_intervals_and_limits():
    """Check the sentences below the table, on the terminal and in Markdown."""
    results = make_results(
        model=["lr", "crf", "fasttext"],
        accuracy=0.5,
        parameters=["{}", '{"iterations": 200}', '{"most_epochs": 12}'],
    )
    columns = {"corpus": ["calls"] * 2, "model": ["a", "b"], "baseline": ["crf"] * 2}
    columns |= {"difference": [0.02, -0.01], "low": [-0.01, np.nan], "high": [0.05, np.nan]}
    text = text_table(results, make_comparisons(**columns))
    first = "a less crf: +2.0 points, 95 % interval -1.0 to +5.0, no clear difference"
    assert f"  {first}\n  b less crf: -1.0 points\n" in text
    assert "crf was stopped after 200 iterations on calls." in text
    assert "fasttext read at most 200,000,000 words in a fit on calls." in text
    markdown = markdown_table(results, make_comparisons(**columns))
    assert f"- calls: {first}\n" in markdown
    assert "| calls | lr | 50.0\\* | 50.0 | 50.0 | 50.0 | 10.0 | 0.700 | 2.0 | 1.0 |" in markdown


def test_errors_are_relative_to_lr(tmp_path):
    """Check the ratios, and that corpora without mistakes of lr or without lr are left out."""
    results = make_results(
        corpus=["a", "a", "a", "b", "c", "c"],
        model=["lr", "crf", "crf", "crf", "lr", "crf"],
        accuracy=[0.8, 0.85, 0.95, 0.9, 1.0, 0.9],
    )
    errors = relative_errors(results)
    assert errors.index.tolist() == ["a"]
    assert errors.loc["a", ["lr", "crf"]].tolist() == pytest.approx([1.0, 0.5])
    write_error_plot(results, tmp_path / "errors.png")
    assert (tmp_path / "errors.png").read_bytes().startswith(b"\x89PNG")
    write_error_plot(results[results["corpus"] != "a"], tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_errors_have_a_line_for_each_corpus_and_no_model_that_was_not_run():
    """Check the ticks, the markers and their places, without a marker for NaN."""
    from matplotlib.figure import Figure

    errors = pd.DataFrame(
        {"lr": [1.0, 1.0], "crf": [0.5, np.nan], "fasttext": [np.nan] * 2}, index=["a", "b"]
    )
    ax = Figure().subplots()
    handles = draw_errors(ax, errors)
    assert list(handles) == ["lr", "crf"]
    assert handles["crf"].get_xdata().tolist()[:1] == [0.5]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]


def test_every_row_of_the_table_has_a_style():
    """Check that all models can be drawn, each with a colour and a marker of its own."""
    corpus = Corpus("calls", pd.DataFrame({"group": [1]}))
    single = Corpus("texts", pd.DataFrame({"text": ["a"]}))
    rows = {row for one in (corpus, single) for row in model_rows(MODELS, CONTEXTS, one)}
    assert rows == set(STYLES)
    colours, markers = zip(*STYLES.values(), strict=True)
    assert len(set(colours)) == len(set(markers)) == len(STYLES)
