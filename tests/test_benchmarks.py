"""Tests of the comparison from end to end: the command line, jobs, and runs that go on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from _benchmark_data import make_frame, run

from benchmarks.comparison import __main__, jobs
from benchmarks.comparison.__main__ import build_parser, main, plan
from benchmarks.corpora.corpus import Corpus
from benchmarks.measuring import measure, processes
from benchmarks.measuring.files import write_atomically
from benchmarks.measuring.processes import call_in_process
from benchmarks.measuring.resources import peak_memory_mb
from benchmarks.measuring.store import COLUMNS, Key, Store
from benchmarks.measuring.versions import short_hash, source_hash, versions_of
from benchmarks.models import build
from benchmarks.models.build import BASELINES, is_installed
from sk_ctxmem._compare import _linear
from sk_ctxmem.comparison import LOGISTIC_REGRESSION, SGD

ROOT = Path(__file__).parents[1]


@pytest.fixture
def calls(tmp_path):
    """CSV file with groups."""
    path = tmp_path / "calls.csv"
    make_frame().to_csv(path, index=False)
    return path


def test_command_line_reports_bad_input(tmp_path, capsys):
    """Check that mistakes give exit code 2 and one line, not a traceback."""
    with pytest.raises(SystemExit, match="2"):
        main(["--data", str(tmp_path / "gone.csv")])
    assert capsys.readouterr().err.startswith("error: ")
    with pytest.raises(SystemExit, match="2"):
        main(["--models", "lr,svm"])
    assert "'svm' is unknown; choose from lr, lr-window, svm-char" in capsys.readouterr().err


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
    monkeypatch.setattr(_linear, "MAX_LBFGS_WORK", 0)
    results = run(calls, tmp_path / "out", "--models", "lr", "--seeds", "0,1")[1]
    assert results["seed"].tolist() == [0, 1]
    assert json.loads(results["parameters"][0])["solver"] == SGD
    table = capsys.readouterr().out
    assert "lr [1]" in table
    assert f"[1] {SGD} in place of LogisticRegression" in table
    assert "standard deviation over the seeds 0, 1" in table


def test_scored_on_validation_rows(calls, tmp_path, capsys):
    """Check that --score valid uses the valid split, and the test split where there is none."""
    frame = make_frame().assign(split=np.repeat(["train", "valid", "test"], [60, 30, 10]))
    path = tmp_path / "split.csv"
    frame.to_csv(path, index=False)
    options = ("--models", "lr", "--score", "valid")
    results = run(path, tmp_path / "out", *options)[1]
    assert results[["n_train", "n_test"]].to_numpy().tolist() == [[60, 30]]
    assert "Scored on validation rows" in capsys.readouterr().out
    assert run(calls, tmp_path / "other", *options)[1]["n_test"].tolist() == [20]
    assert "Scored on validation rows" not in capsys.readouterr().out


def test_failed_job_does_not_stop_the_others(calls, tmp_path, capsys, monkeypatch):
    """Check that a failure is reported with its message and gives exit code 1."""
    build_model = measure.build_model

    def build_or_fail(name, *arguments):
        if name == "lr":
            raise MemoryError("no room\nfor more")
        return build_model(name, *arguments)

    monkeypatch.setattr(measure, "build_model", build_or_fail)
    code, results = run(calls, tmp_path / "out", "--models", "lr,lr-window")
    assert code == 1
    assert results["accuracy"].isna().tolist() == [True, False]
    assert json.loads(results["parameters"][0])["error"] == "MemoryError: no room"
    table = capsys.readouterr().out
    assert "Failed: calls, lr, seed 0: MemoryError: no room" in table
    assert run(calls, tmp_path / "out", "--models", "lr")[0] == 1


def kill_this_process():
    """Die as the system kills a process that takes too much memory."""
    os._exit(9)


def test_killed_process_is_reported():
    """Check that a process that dies is an error that says what may have happened."""
    with pytest.raises(processes.BrokenProcessPool) as info:
        call_in_process(kill_this_process)
    assert processes.describe_error(info.value) == (
        "the process of the job was killed, perhaps for lack of memory"
    )


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux has a peak per process")
def test_peak_memory_is_that_of_the_child():
    """Check that memory of the process that starts a job is not counted."""
    large = b"1" * 700_000_000
    assert peak_memory_mb() > 700
    del large
    assert 20 < call_in_process(peak_memory_mb) < 600


@pytest.fixture
def fitted(monkeypatch):
    """List of the rows of the table that were fitted since the start of the test."""
    build_model, names = measure.build_model, []

    def build_and_note(name, train, seed, chosen):
        names.append(f"{name} {seed}")
        return build_model(name, train, seed, chosen)

    monkeypatch.setattr(measure, "build_model", build_and_note)
    return names


def test_second_run_fits_and_searches_nothing(calls, tmp_path, capsys, fitted, monkeypatch):
    """Check that files and table stay the same to the last digit, and that --fresh deletes them."""
    output, options = tmp_path / "out", ("--models", "lr,context-memory", "--contexts", "past")
    first = run(calls, output, *options, "--seeds", "0,1")[1]
    assert fitted == ["lr 0", "context-memory (past) 0", "context-memory (past) 1"]
    content, table = (output / "results.csv").read_bytes(), capsys.readouterr().out
    monkeypatch.setattr(jobs, "search_baseline", None)
    assert run(calls, output, *options, "--seeds", "0,1")[0] == 0
    assert len(fitted) == 3
    assert (output / "results.csv").read_bytes() == content
    assert capsys.readouterr().out == table
    more = run(calls, output, *options, "--seeds", "2")[1]
    assert fitted[3:] == ["context-memory (past) 2"]
    pd.testing.assert_frame_equal(more[:3], first)
    fresh = ("--models", "context-memory", "--contexts", "past", "--seeds", "2", "--fresh")
    assert len(run(calls, output, *fresh)[1]) == 1
    assert len(fitted) == 5
    assert len(list((output / "predictions").iterdir())) == 1


def test_other_rows_or_versions_are_run_again(calls, tmp_path, capsys, fitted, monkeypatch):
    """Check that a result is replaced when what it depends on has changed."""
    options = ("--models", "lr", "--seeds", "0")
    run(calls, tmp_path / "out", *options)
    frame = pd.read_csv(calls)
    frame.loc[0, "text"] = "good morning"
    frame.to_csv(calls, index=False)
    run(calls, tmp_path / "out", *options)
    assert len(fitted) == 2
    monkeypatch.setattr(jobs, "versions_of", lambda model: {"numpy": "99"})
    results = run(calls, tmp_path / "out", *options)[1]
    assert len(fitted) == 3
    assert len(results) == 1
    versions = json.loads((tmp_path / "out" / "versions.json").read_text())
    assert versions[results["versions"][0]] == {"numpy": "99"}
    assert len(list((tmp_path / "out" / "predictions").iterdir())) == 1


def test_failed_jobs_are_run_again(calls, tmp_path, capsys, fitted, monkeypatch):
    """Check that the next run repeats what failed and nothing else, and forgets the failure."""
    noted = measure.build_model

    def build_or_fail(name, *arguments):
        if name == "svm-char":
            raise MemoryError("no room")
        return noted(name, *arguments)

    options = ("--models", "lr,svm-char", "--seeds", "0,1")
    monkeypatch.setattr(measure, "build_model", build_or_fail)
    assert run(calls, tmp_path / "out", *options)[0] == 1
    monkeypatch.setattr(measure, "build_model", noted)
    code, results = run(calls, tmp_path / "out", *options)
    assert code == 0
    assert fitted == ["lr 0", "svm-char 0"]
    assert results["accuracy"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("file", ["results.csv", "searches.json", ".npz"])
def test_run_that_is_killed_goes_on(calls, tmp_path, capsys, fitted, monkeypatch, file):
    """Check that all files can be read after a stop while the second job writes a file."""
    output, replace = tmp_path / "out", os.replace
    run(calls, output, "--models", "lr", "--seeds", "0")
    before = (output / "results.csv").read_bytes()

    def stop_at(source, target):
        if str(target).endswith(file):
            raise KeyboardInterrupt
        replace(source, target)

    options = ("--models", "lr,lr-window", "--seeds", "0")
    monkeypatch.setattr(os, "replace", stop_at)
    with pytest.raises(KeyboardInterrupt):
        run(calls, output, *options)
    assert (output / "results.csv").read_bytes() == before
    json.loads((output / "searches.json").read_text())
    fitted.clear()
    monkeypatch.setattr(os, "replace", replace)
    code, results = run(calls, output, *options)
    assert code == 0
    assert fitted == ["lr-window 0"]
    assert results["model"].tolist() == ["lr", "lr-window"]


def test_files_are_complete_or_absent(tmp_path, monkeypatch):
    """Check that content is never written to the file itself."""
    path = tmp_path / "results.csv"
    write_atomically(path, b"old")
    monkeypatch.setattr(os, "replace", lambda source, target: None)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"old"


def test_lost_predictions_are_made_again(calls, tmp_path, capsys, fitted):
    """Check that a result without the file that comparisons need does not count."""
    options = ("--models", "lr", "--seeds", "0")
    run(calls, tmp_path / "out", *options)
    (file,) = (tmp_path / "out" / "predictions").iterdir()
    file.unlink()
    run(calls, tmp_path / "out", *options)
    assert len(fitted) == 2
    assert file.exists()


def test_results_of_an_earlier_version_give_a_clear_error(calls, tmp_path, capsys):
    """Check that the file is not overwritten, and that the message says what to do."""
    (tmp_path / "results.csv").write_text("corpus,accuracy\nold,0.5\n")
    with pytest.raises(SystemExit, match="2"):
        main(["--data", str(calls), "--models", "lr", "--output", str(tmp_path)])
    assert "other columns than this version writes; pass --fresh" in capsys.readouterr().err
    assert (tmp_path / "results.csv").read_text() == "corpus,accuracy\nold,0.5\n"


def test_names_that_look_missing_or_like_numbers_are_found_again(tmp_path):
    """Check that corpora may have any name, and hashes may look like numbers."""
    keys = [Key(name, "lr", 0, "test", "1e5", "007") for name in ("NA", "12", "a/b")]
    store = Store(tmp_path)
    for key in keys:
        sizes = {"n_train": 2, "n_test": 1, "parameters": "{}"}
        store.add(key, sizes | {"accuracy": 1 / 3}, {"true": np.zeros(1, int)})
    again = Store(tmp_path)
    assert [again.find(key) for key in keys] == keys
    assert again.results(keys)["accuracy"].tolist() == [1 / 3] * 3


def test_two_runs_share_a_folder(tmp_path):
    """Check that neither run takes from the files what the other wrote meanwhile."""
    first, second = Store(tmp_path), Store(tmp_path)
    arrays = {"predicted": np.zeros(1)}
    keys = [Key("calls", model, 0, "test", "d", "v") for model in ("lr", "crf", "svm-char")]
    for store, key in zip((first, second, first), keys, strict=True):
        result = {"n_train": 2, "n_test": 1, "accuracy": 0.5, "parameters": "{}"}
        store.add(key, result, arrays)
        store.add_search(key, {"seconds": 1.0})
        store.add_versions(key.model, {"python": "3"})
    third = Store(tmp_path)
    assert all(third.find(key) and third.find_search(key) for key in keys)
    assert set(json.loads((tmp_path / "versions.json").read_text())) == {k.model for k in keys}


def test_failure_does_not_count_beside_predictions_of_an_earlier_success(tmp_path, monkeypatch):
    """Check that a stop between the new result and the end of the old predictions does no harm."""
    key, sizes = Key("calls", "lr", 0, "test", "d", "v"), {"n_train": 2, "n_test": 1}
    store = Store(tmp_path)
    store.add(key, sizes | {"accuracy": 1.0, "parameters": "{}"}, {"true": np.zeros(1, int)})
    assert store.find(key) == key
    monkeypatch.setattr(Path, "unlink", lambda path, missing_ok: None)
    store.add(key, sizes | {"parameters": "{}"}, {})
    assert (tmp_path / "predictions" / key.file_name).exists()
    assert Store(tmp_path).find(key) is None


def test_versions_name_what_a_model_uses():
    """Check the packages, and that a change of our source files counts as a version."""
    assert list(versions_of("lr")) == ["python", "numpy", "pandas", "scipy", "scikit-learn"]
    assert list(versions_of("crf"))[5:] == ["python-crfsuite"]
    ours = versions_of("context-memory (past)")
    assert list(ours)[5:] == ["torch", "skorch", "sk-ctxmem"]
    assert ours["sk-ctxmem"].endswith("+" + source_hash("sk_ctxmem"))
    assert short_hash(ours) != short_hash(ours | {"torch": "0"})
    assert versions_of("context-memory-cv (both)") == ours


def test_source_hash_follows_the_files(tmp_path, monkeypatch):
    """Check that a change of any file of a package changes its hash."""
    package = tmp_path / "some_package"
    package.mkdir()
    for name in ("__init__.py", "inner.py"):
        (package / name).write_text("a = 1")
    monkeypatch.syspath_prepend(tmp_path)
    before = source_hash("some_package")
    assert source_hash("some_package") == before
    (package / "inner.py").write_text("a = 2")
    assert source_hash("some_package") != before


def test_models_without_their_package_are_left_out(calls, tmp_path, capsys, monkeypatch):
    """Check that a note says how to get them, and that there must be something left."""
    monkeypatch.setattr(build, "find_spec", lambda module: None)
    results = run(calls, tmp_path / "out", "--models", "lr,fasttext,crf", "--seeds", "0")[1]
    assert results["model"].tolist() == ["lr"]
    notes = capsys.readouterr().err
    for name in ("fasttext", "crf"):
        assert f'{name} is left out, as its package is missing: pip install ".[bench' in notes
    with pytest.raises(SystemExit, match="2"):
        main(["--data", str(calls), "--models", "crf", "--output", str(tmp_path / "none")])
    assert "error: there is nothing to run" in capsys.readouterr().err


def test_the_demo_is_of_few_models_and_one_seed(monkeypatch):
    """Check what is planned without options, on rows that are quick to load."""
    corpus = Corpus("docstrings", make_frame())
    monkeypatch.setattr(__main__, "load_docstring_sections_corpus", lambda demo: corpus)
    demo = plan(build_parser().parse_args(["--demo"]))
    models = ["lr", "lr-window", "context-memory (past)", "context-memory (both)"]
    assert [(job.corpus.name, job.model) for job in demo] == [
        (name, model) for name in ("service dialogues", "docstrings") for model in models
    ]
    assert {job.seed for job in demo} == {0}


def test_default_of_a_full_run_is_all_that_is_installed(calls, capsys):
    """Check models and seeds."""
    jobs = plan(build_parser().parse_args(["--data", str(calls)]))
    expected = [model for model in BASELINES if is_installed(model)]
    models = list(dict.fromkeys(job.model for job in jobs))
    assert models == [*expected, "context-memory (past)", "context-memory (both)"]
    assert [job.seed for job in jobs[:3]] == [0, 1, 2]


def test_all_files_are_written(calls, tmp_path, capsys):
    """Check recalls, comparison and calibration of a small run with groups."""
    output = tmp_path / "out"
    options = ("--models", "lr,context-memory", "--contexts", "past", "--seeds", "0")
    results = run(calls, output, *options)[1]
    assert results["ece"].between(0, 0.5).all()
    assert results["log_loss"].between(0, 0.7).all()
    recalls = pd.read_csv(output / "recalls.csv")
    assert recalls.groupby("model")["support"].sum().tolist() == [20, 20]
    assert set(recalls["class"]) == {"close", "open"}
    comparisons = pd.read_csv(output / "comparisons.csv")
    assert comparisons[["model", "baseline"]].to_numpy().tolist() == [
        ["context-memory (past)", "lr"]
    ]
    assert comparisons["n_groups"].tolist() == [4]
    assert "context-memory (past) less lr: " in capsys.readouterr().out
    assert not list(output.rglob("*.part"))


@pytest.mark.slow
def test_command_from_end_to_end(calls, tmp_path):
    """Check that the command works in a shell, with child processes and a progress bar."""
    output = tmp_path / "out"
    command = [sys.executable, "-m", "benchmarks", "--data", calls, "--models", "lr"]
    done = subprocess.run(
        [*command, "--seeds", "0", "--output", output],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert "1/1" in done.stderr
    assert "1/1" not in done.stdout
    results = pd.read_csv(output / "results.csv")
    assert results["peak_memory_mb"][0] > 20
    assert results["fit_seconds"][0] > 0
