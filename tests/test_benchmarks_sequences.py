"""Tests of the accuracy on sequences of vectors."""

import sys

import numpy as np
import pandas as pd
import pytest

from benchmarks.sequences.__main__ import find_interpreter, main
from benchmarks.sequences.data import load_data, mean_and_deviation, pad, read_file
from benchmarks.sequences.measure import MODELS, SHORTEST, measure, plan
from benchmarks.sequences.report import summarise

AEON = '''
import numpy as np


class MiniRocketClassifier:
    """Nearest mean."""

    def __init__(self, n_kernels, n_jobs, random_state):
        assert (n_kernels, n_jobs) in {(84, 1), (10_000, 1), (5_000, 1)}

    def fit(self, X, y):
        assert X.ndim == 3 and X.dtype == np.float32
        self.classes = np.unique(y)
        self.means = np.stack([X[y == one].mean(axis=0) for one in self.classes])
        return self

    def predict(self, X):
        distances = ((X[:, None] - self.means) ** 2).sum(axis=(2, 3))
        return self.classes[distances.argmin(axis=1)]


RocketClassifier = MiniRocketClassifier
'''


def make_arrays(n_sequences=60, shortest=3, longest=14):
    """Return sequences of two classes, whose first feature rises or falls."""
    random = np.random.RandomState(0)
    lengths = random.randint(shortest, longest + 1, n_sequences)
    lengths[0] = longest
    label = np.where(np.arange(n_sequences) % 2, "up", "down")
    sign = np.where(label == "up", 1, -1)
    frames = [
        np.c_[one * np.linspace(0, 3, n), random.randn(n)]
        for one, n in zip(sign, lengths, strict=True)
    ]
    split = np.where(np.arange(n_sequences) < 2 * n_sequences // 3, "train", "test")
    arrays = {"frames": np.concatenate(frames), "lengths": lengths, "label": label}
    return arrays | {"split": split}


@pytest.fixture
def path(tmp_path):
    """NPZ file of sequences of unequal length."""
    np.savez(tmp_path / "lines.npz", **make_arrays())
    return tmp_path / "lines.npz"


@pytest.fixture
def interpreter(tmp_path, monkeypatch):
    """Interpreter that finds a package with the names of aeon, and no other one of that name."""
    folder = tmp_path / "packages" / "aeon" / "classification"
    folder.mkdir(parents=True)
    for parent in (folder, folder.parent):
        (parent / "__init__.py").touch()
    (folder / "convolution_based.py").write_text(AEON)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "packages"))
    return sys.executable


def test_files_are_cut_at_the_lengths(path):
    """Check names, parts, shapes and labels."""
    data, arrays = read_file(path), make_arrays()
    assert data.name == "lines"
    assert (len(data.X), len(data.X_test)) == (40, 20)
    assert [len(one) for one in [*data.X, *data.X_test]] == arrays["lengths"].tolist()
    assert np.concatenate([*data.X, *data.X_test]) == pytest.approx(arrays["frames"])
    assert [*data.y, *data.y_test] == arrays["label"].tolist()
    assert data.n_steps == 14


def test_digits_are_rows_of_pixels():
    """Check that no file is needed, and that the split is fixed."""
    first, second = load_data(["digits", "digits"])
    assert (len(first.y), len(first.y_test)) == (1257, 540)
    assert {one.shape for one in first.X} == {(8, 8)}
    assert first.y_test.tolist() == second.y_test.tolist()


def test_padding_adds_zeros_and_cuts():
    """Check shorter and longer sequences, and features of the whole."""
    sequences = [np.array([[1.0, 2], [3, 6]]), np.arange(8.0).reshape(4, 2)]
    assert pad(sequences, 3).tolist() == [[[1, 2], [3, 6], [0, 0]], [[0, 1], [2, 3], [4, 5]]]
    assert mean_and_deviation(sequences)[0].tolist() == [2, 4, 1, 2]


def without(arrays, name):
    """Return arrays but one."""
    return {key: value for key, value in arrays.items() if key != name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: without(a, "lengths"), "no array 'lengths'; it needs frames, lengths, label"),
        (lambda a: a | {"lengths": a["lengths"] + 1}, r"\d+ frames for lengths of \d+ in all"),
        (lambda a: a | {"label": a["label"][1:]}, "60 lengths, 59 labels and 60 splits"),
        (lambda a: a | {"split": np.full(60, "train")}, "'split' of .* has no 'test'"),
        (lambda a: a | {"label": np.array([{}] * 60)}, "Object arrays cannot be loaded"),
    ],
)
def test_bad_files_give_clear_errors(tmp_path, capsys, change, message):
    """Check that the error is one line that says what is wrong with the arrays."""
    np.savez(tmp_path / "bad.npz", **change(make_arrays()))
    with pytest.raises(ValueError, match=message):
        read_file(tmp_path / "bad.npz")
    with pytest.raises(SystemExit, match="2"):
        main(["--data", str(tmp_path / "gone.npz")])
    assert "gone.npz does not exist; pass an NPZ file" in capsys.readouterr().err


def test_all_models_are_planned_where_they_suit(path, tmp_path):
    """Check seeds, contexts, and that kernels longer than the sequences are left out."""
    np.savez(tmp_path / "short.npz", **make_arrays(longest=SHORTEST - 1))
    data = load_data([str(path), str(tmp_path / "short.npz")])
    jobs = [job[:3] for job in plan(data, MODELS, ["past", "both"], [0, 1], "python")]
    ours = [(f"context-memory ({way})", seed) for way in ("past", "both") for seed in (0, 1)]
    regressions = [("lr-flat", 0), ("lr-mean-std", 0)]
    external = [(name, seed) for name in ("minirocket", "rocket") for seed in (0, 1)]
    assert [job[1:] for job in jobs if job[0] is data[0]] == [*regressions, *external, *ours]
    assert [job[1:] for job in jobs if job[0] is data[1]] == [*regressions, *ours]
    without_aeon = plan(data[:1], MODELS, ["past"], [0], None)
    assert [job[1] for job in without_aeon] == [*dict(regressions), "context-memory (past)"]


def test_models_learn_and_are_timed(path, interpreter):
    """Check accuracy and seconds of each model, in this interpreter and in another."""
    jobs = plan([read_file(path)], MODELS, ["past"], [0], interpreter)
    results = pd.DataFrame([row for job in jobs for row in measure(*job)])
    accuracy = results.set_index("model")["accuracy"]
    assert accuracy["context-memory (past)"] > 0.9
    assert (accuracy.drop("context-memory (past)") > 0.9).all()
    assert (results["fit_cpu_seconds"] > 0).all()
    assert (results["n_train"] == 40).all()
    table = summarise(results)
    assert table["model"].tolist() == list(accuracy.index)
    assert list(table) == ["data", "model", "accuracy", "fit, CPU s", "predict, CPU s"]


def test_failure_in_the_other_interpreter_is_shown(path, interpreter, tmp_path):
    """Check that its last lines are part of the error."""
    module = tmp_path / "packages" / "aeon" / "classification" / "convolution_based.py"
    module.write_text("raise ImportError('numba is broken')")
    job = plan([read_file(path)], ["rocket"], [], [0], interpreter)[0]
    with pytest.raises(RuntimeError, match=r"rocket failed in .*\n(.*\n)*.*numba is broken"):
        measure(*job)


def test_interpreters_without_aeon_are_refused(tmp_path, monkeypatch, capsys):
    """Check the message, and what is said if none is named."""
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho 'No module named aeon' >&2\nexit 1\n")
    script.chmod(0o755)
    with pytest.raises(ValueError, match=r"python of --external cannot import aeon: No module"):
        find_interpreter(str(script))
    monkeypatch.setattr("benchmarks.sequences.__main__.find_spec", lambda name: None)
    assert find_interpreter(None) is None
    assert main(["--models", "rocket", "--output", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert "rocket left out, as aeon is missing; see --external." in said.err
    assert said.out == "There is nothing to measure.\n"


@pytest.mark.slow
def test_command_writes_a_table(path, tmp_path, capsys):
    """Check the command from end to end, with a fresh process for each fit."""
    options = ["--data", str(path), "--seeds", "0", "--output", str(tmp_path)]
    assert main([*options, "--models", "lr-flat,context-memory"]) == 0
    results = pd.read_csv(tmp_path / "sequences.csv")
    assert results["model"].tolist() == ["lr-flat", "context-memory (past)"]
    assert "lines" in capsys.readouterr().out
