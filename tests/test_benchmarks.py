import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from benchmarks import _models, _run
from benchmarks.__main__ import main
from benchmarks._corpora import Columns, Corpus, add_split, load_files, take_whole_groups
from benchmarks._models import (
    LOGISTIC_REGRESSION,
    MODELS,
    SGD,
    choose_solver,
    lacks_spaces,
    model_rows,
    window_features,
)
from benchmarks._report import closing_sentence, notes, scale_axes, text_table, write_plot
from benchmarks._run import COLUMNS, Runner, peak_memory_mb, scores

ROOT = Path(__file__).parents[1]


def make_frame(n_groups=20, rows_per_group=5):
    """Rows whose label is in their text: even turns greet, odd ones say goodbye."""
    turn = np.tile(np.arange(rows_per_group), n_groups)
    group = np.repeat(np.arange(n_groups), rows_per_group)
    text = np.where(turn % 2, "goodbye and farewell", "hello and welcome")
    label = np.where(turn % 2, "close", "open")
    return pd.DataFrame({"group": group, "order": turn, "text": text, "label": label})


@pytest.fixture
def calls(tmp_path):
    """CSV file with groups."""
    path = tmp_path / "calls.csv"
    make_frame().to_csv(path, index=False)
    return path


def make_results(**columns):
    """Rows as the runner gives them, with the values of `columns`."""
    defaults = {
        "corpus": "calls",
        "seed": 0,
        "n_train": 1000,
        "n_test": 200,
        "macro_f1": 0.5,
        "weighted_f1": 0.5,
        "macro_recall": 0.5,
        "fit_seconds": 2.0,
        "predict_rows_per_second": 1000.0,
        "peak_memory_mb": 300.0,
        "parameters": "{}",
    }
    frame = pd.DataFrame(columns)
    return frame.assign(**{k: v for k, v in defaults.items() if k not in frame})[list(COLUMNS)]


def run(path, output, *options):
    """Run in this process; return the exit code and the results."""
    code = main(["--data", str(path), "--output", str(output), "--no-isolate", *options])
    return code, pd.read_csv(output / "results.csv")


def test_window_is_the_row_and_two_neighbours_on_each_side():
    """Check that neighbours are those of the group, in its order, and zero where it ends."""
    features = sparse.csr_matrix([[1.0], [10.0], [2.0], [3.0], [20.0]])
    groups = np.array([0, 1, 0, 0, 1])
    expected = [
        [0, 0, 1, 2, 3],
        [0, 0, 10, 20, 0],
        [0, 1, 2, 3, 0],
        [1, 2, 3, 0, 0],
        [0, 10, 20, 0, 0],
    ]
    assert window_features(features, groups).toarray().tolist() == expected


def test_window_respects_the_order_within_the_group():
    """Check that the order column, not the place in the frame, decides who is a neighbour."""
    features = sparse.csr_matrix([[3.0], [1.0], [2.0]])
    window = window_features(features, np.zeros(3, int), np.array([30, 10, 20]))
    assert window.toarray().tolist() == [[1, 2, 3, 0, 0], [0, 0, 1, 2, 3], [0, 1, 2, 3, 0]]


def test_window_of_a_single_row_is_the_row():
    """Check that frames shorter than the window work."""
    window = window_features(sparse.csr_matrix([[7.0]]), np.array([0]))
    assert window.toarray().tolist() == [[0, 0, 7, 0, 0]]


def test_split_by_group_does_not_cut_a_group():
    """Check that no group stands in two splits and that a fifth of them is kept for test."""
    frame = add_split(make_frame().drop(columns="order"))
    assert (frame.groupby("group")["split"].nunique() == 1).all()
    assert frame.loc[frame["split"] == "test", "group"].nunique() == 4


def test_split_without_groups_keeps_the_shares_of_the_classes():
    """Check that the split is stratified, and is not where a class has one row."""
    frame = pd.DataFrame({"text": "a", "label": ["x"] * 80 + ["y"] * 20})
    assert add_split(frame)["label"][add_split(frame)["split"] == "test"].eq("y").sum() == 4
    frame.loc[0, "label"] = "rare"
    assert add_split(frame)["split"].eq("test").sum() == 20


def test_rows_takes_whole_groups():
    """Check that groups stay whole, that rows keep their order and that the part is fixed."""
    frame = make_frame()
    part = take_whole_groups(frame, 23)
    assert (part.groupby("group").size() == 5).all()
    assert len(part) == 25
    assert part.index.is_monotonic_increasing
    pd.testing.assert_frame_equal(part, take_whole_groups(frame, 23))


@pytest.mark.parametrize(("ending", "separator"), [(".csv", ","), (".tsv", "\t")])
def test_texts_that_look_missing_or_like_numbers_stay_texts(tmp_path, ending, separator):
    """Check that "NA", "null" and "007" are read as they are written."""
    texts = ["NA", "null", "007", "nan", "None", "hello"]
    path = tmp_path / f"odd{ending}"
    pd.DataFrame({"text": texts, "label": ["a", "null"] * 3}).to_csv(path, sep=separator)
    frame = load_files([path], Columns())[0].frame
    assert frame["text"].tolist() == texts
    assert set(frame["label"]) == {"a", "null"}


def test_numbers_as_texts_are_read_as_texts(tmp_path):
    """Check that a text column of numbers only keeps its leading zeros."""
    path = tmp_path / "codes.csv"
    path.write_text("text,label\n" + "".join(f"00{i},{i % 2}\n" for i in range(10)))
    frame = load_files([path], Columns())[0].frame
    assert frame["text"].tolist() == [f"00{i}" for i in range(10)]
    assert frame["label"].tolist() == [0, 1] * 5


def test_columns_of_other_names(tmp_path):
    """Check that asked columns get our names and that others are left out."""
    path = tmp_path / "other.parquet"
    names = {"text": "utterance", "label": "act", "group": "call", "order": "turn"}
    make_frame().rename(columns=names).assign(extra=1).to_parquet(path)
    columns = Columns(text="utterance", label="act", group="call", order="turn")
    corpus = load_files([path], columns)[0]
    assert list(corpus.frame) == ["text", "label", "group", "order", "split"]
    assert corpus.has_groups


def test_folder_gives_all_its_files(tmp_path):
    """Check that files of a folder come by name, and that equal names are told apart."""
    for name in ("b.csv", "a.csv", "a.tsv"):
        separator = "\t" if name.endswith("tsv") else ","
        make_frame().to_csv(tmp_path / name, sep=separator, index=False)
    (tmp_path / "notes.txt").write_text("not a corpus")
    names = [corpus.name for corpus in load_files([tmp_path], Columns())]
    assert names == [str(tmp_path / "a.csv"), str(tmp_path / "a.tsv"), "b"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,act\nhello,a\n", "no label column 'label'; its columns are: text, act"),
        ("text,label\nhello,a\n,b\nhello,\n", "1 missing value.*text column.*data row 2"),
        ("text,label\nhello,a\nhello,\n,\n", "1 missing value.*text column.*data row 3"),
        ("text,label\nhello,a\nthere,a\n", r"one class only \(a\)"),
        ("text,label\n", "one class only"),
        ("text,label,split\nhello,a,train\nthere,b,dev\n", "holds .*dev.*train, valid, test"),
        ("text,label,split\nhello,a,train\nthere,b,train\n", "has no test rows"),
        ("text,label,split\nhello,a,train\nthere,b,test\n", "training rows .* one class only"),
        ("text,label,group\nhello,a,1\nthere,b,1\n", "two groups or more"),
    ],
)
def test_bad_content_gives_a_clear_error(tmp_path, content, message):
    """Check that the message says what is wrong with the rows or columns."""
    path = tmp_path / "bad.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        load_files([path], Columns())


def test_bad_paths_give_clear_errors(tmp_path):
    """Check that a missing file, an unknown ending and an empty folder are named."""
    with pytest.raises(FileNotFoundError, match="gone.csv does not exist"):
        load_files([tmp_path / "gone.csv"], Columns())
    with pytest.raises(ValueError, match=r"holds no file that ends in \.csv"):
        load_files([tmp_path], Columns())
    (tmp_path / "rows.xlsx").write_text("")
    with pytest.raises(ValueError, match=r"rows.xlsx must end in one of \.csv, \.tsv, \.parquet"):
        load_files([tmp_path / "rows.xlsx"], Columns())


def test_command_line_reports_bad_input(tmp_path, capsys):
    """Check that mistakes give exit code 2 and one line, not a traceback."""
    assert main(["--data", str(tmp_path / "gone.csv")]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    with pytest.raises(SystemExit, match="2"):
        main(["--models", "lr,svm"])
    assert "'svm' is unknown; choose from lr, lr-window" in capsys.readouterr().err


def test_results_have_all_columns(calls, tmp_path, capsys):
    """Check the files, the columns and the figures of a small comparison."""
    code, results = run(calls, tmp_path / "out", "--models", "lr,lr-window")
    assert code == 0
    assert tuple(results) == COLUMNS
    assert results["model"].tolist() == ["lr", "lr-window"]
    assert results["accuracy"].tolist() == [1.0, 1.0]
    assert results["n_train"].tolist() == [80, 80]
    parameters = json.loads(results["parameters"][0])
    assert parameters.pop("search_seconds") > 0
    assert parameters == {"solver": LOGISTIC_REGRESSION, "C": 1.0}
    assert (tmp_path / "out" / "results.png").read_bytes().startswith(b"\x89PNG")
    markdown = (tmp_path / "out" / "results.md").read_text(encoding="utf-8")
    assert r"| calls | lr | 100.0\* | 100.0 |" in markdown
    assert "calls: 80 training rows, scored on 20 rows" in capsys.readouterr().out


def test_logistic_regression_runs_once_for_all_seeds(calls, tmp_path, capsys):
    """Check that fits which would repeat each other are left out, and that the table says so."""
    results = run(calls, tmp_path / "out", "--models", "lr", "--seeds", "0,1,2")[1]
    assert results["seed"].tolist() == [0]


def test_sgd_stands_in_and_runs_with_each_seed(calls, tmp_path, capsys, monkeypatch):
    """Check that the stand-in is marked, has a footnote and is named in the parameters."""
    monkeypatch.setattr(_models, "MAX_LBFGS_WORK", 0)
    results = run(calls, tmp_path / "out", "--models", "lr", "--seeds", "0,1")[1]
    assert results["seed"].tolist() == [0, 1]
    assert json.loads(results["parameters"][0])["solver"] == SGD
    table = capsys.readouterr().out
    assert "lr [1]" in table
    assert f"[1] {SGD} in place of LogisticRegression" in table
    assert "standard deviation over the seeds 0, 1" in table


def test_solver_is_chosen_by_the_amount_of_work():
    """Check that two classes count as one, as their weights are one column."""
    assert choose_solver(60_000_000, 2) == LOGISTIC_REGRESSION
    assert choose_solver(60_000_000, 3) == SGD


def test_scored_on_validation_rows(calls, tmp_path, capsys):
    """Check that --score valid uses the valid split, and the test split where there is none."""
    frame = make_frame().assign(split=np.repeat(["train", "valid", "test"], [60, 30, 10]))
    path = tmp_path / "split.csv"
    frame.to_csv(path, index=False)
    options = ("--models", "lr", "--score", "valid")
    results = run(path, tmp_path / "out", *options)[1]
    assert results[["n_train", "n_test"]].to_numpy().tolist() == [[60, 30]]
    assert "Scored on validation rows" in capsys.readouterr().out
    assert run(calls, tmp_path / "out", *options)[1]["n_test"].tolist() == [20]
    assert "Scored on validation rows" not in capsys.readouterr().out


def test_failed_job_does_not_stop_the_others(calls, tmp_path, capsys, monkeypatch):
    """Check that a failure is reported with its message and gives exit code 1."""
    build_model = _run.build_model

    def build_or_fail(name, *arguments):
        if name == "lr":
            raise MemoryError("no room\nfor more")
        return build_model(name, *arguments)

    monkeypatch.setattr(_run, "build_model", build_or_fail)
    code, results = run(calls, tmp_path / "out", "--models", "lr,lr-window")
    assert code == 1
    assert results["accuracy"].isna().tolist() == [True, False]
    assert json.loads(results["parameters"][0])["error"] == "MemoryError: no room"
    table = capsys.readouterr().out
    assert "Failed: calls, lr, seed 0: MemoryError: no room" in table
    assert run(calls, tmp_path / "out", "--models", "lr")[0] == 1


def kill_this_process():
    """Die as the system kills a process that takes too much memory."""
    import os

    os._exit(9)


def test_killed_process_is_reported():
    """Check that a process that dies is an error that says what may have happened."""
    with pytest.raises(_run.BrokenProcessPool) as info:
        Runner()._call(kill_this_process)
    assert _run.describe(info.value) == (
        "the process of the job was killed, perhaps for lack of memory"
    )


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux has a peak per process")
def test_peak_memory_is_that_of_the_child():
    """Check that memory of the process that starts a job is not counted."""
    large = b"1" * 700_000_000
    assert peak_memory_mb() > 700
    del large
    assert 20 < Runner()._call(peak_memory_mb) < 600


def test_macro_averages_are_over_the_classes_of_the_rows_scored():
    """Check that a class predicted by mistake lowers the scores but is not averaged over."""
    measured = scores(pd.Series(["a", "a", "b", "b"]), np.array(["a", "a", "b", "c"]))
    assert measured["accuracy"] == 0.75
    assert measured["macro_recall"] == 0.75
    assert measured["macro_f1"] == pytest.approx((1 + 2 / 3) / 2)


def test_chinese_texts_are_told_by_their_characters():
    """Check that Chinese gets character features, and English with a foreign word does not."""
    assert lacks_spaces(pd.Series(["房间很干净,服务也好 OK", "距离川沙公路较近"]))
    assert not lacks_spaces(pd.Series(["the word 房间 means room", "nothing else"]))


def test_variants_follow_the_corpus():
    """Check that windows and contexts are left out where rows have no groups."""
    grouped = Corpus("calls", make_frame())
    single = Corpus("texts", make_frame().drop(columns=["group", "order"]))
    contexts = ["past", "both"]
    assert model_rows(MODELS, contexts, grouped) == [
        "lr",
        "lr-window",
        "context-memory (past)",
        "context-memory (both)",
    ]
    assert model_rows(MODELS, contexts, single) == ["lr", "context-memory"]


def test_table_shows_spread_ratio_and_best():
    """Check the cells of a small table, with and without several seeds."""
    results = make_results(
        model=["lr", "context-memory", "context-memory"],
        seed=[0, 0, 1],
        accuracy=[0.8, 0.9, 0.92],
        fit_seconds=[2.0, 3.0, 5.0],
    )
    lines = text_table(results).splitlines()
    assert lines[2].split()[:5] == ["lr", "80.0", "50.0", "2.0", "1.0"]
    assert lines[3].split()[:4] == ["context-memory", "91.0", "±", "1.4*"]
    assert lines[3].split()[-3:] == ["2.0", "1,000", "300"]
    assert len({len(line) for line in lines[1:4]}) == 1
    assert not any("SGD" in note for note in notes(results))


@pytest.mark.parametrize(
    ("ours", "sentence"),
    [
        (0.9, "context-memory (both) is ahead of lr-window by 10.0 points of accuracy: 90.0 %"),
        (0.75, "lr-window is ahead of context-memory (both) by 5.0 points of accuracy: 80.0 %"),
        (0.8, "context-memory (both) and lr-window, the better baseline, are level at 80.0 %."),
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


def test_command_from_end_to_end(calls, tmp_path):
    """Check that the command works in a shell, with child processes and a progress bar."""
    output = tmp_path / "out"
    command = [sys.executable, "-m", "benchmarks", "--data", calls, "--models", "lr"]
    done = subprocess.run(
        [*command, "--output", output], cwd=ROOT, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert "1/1" in done.stderr
    assert "1/1" not in done.stdout
    results = pd.read_csv(output / "results.csv")
    assert results["peak_memory_mb"][0] > 20
    assert results["fit_seconds"][0] > 0
