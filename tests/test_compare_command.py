"""Tests of python -m sk_ctxmem compare."""

import pandas as pd
import pytest
from test_compare import make_calls

from sk_ctxmem.__main__ import main
from sk_ctxmem._compare import _linear

OPTIONS = ["--text", "utterance", "--label", "act", "--group", "call"]
QUICK = ["--models", "lr,lr-window", "--folds", "2"]


def make_table(**columns):
    """Return a table of calls as users have them."""
    X, y = make_calls(12)
    table = pd.DataFrame({"call": X["call"], "utterance": X["text"], "act": y})
    return table.assign(**columns).reset_index(drop=True)


def write(table, path):
    """Write a table to a file of the kind that its name says."""
    if path.suffix == ".parquet":
        pytest.importorskip("pyarrow")
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    return str(path)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_a_file_is_compared(suffix, tmp_path, capsys):
    """Check the table, the bar, the last line and the file for each kind of file."""
    output = tmp_path / "table.csv"
    path = write(make_table(), tmp_path / f"calls{suffix}")
    assert main(["compare", path, *OPTIONS, *QUICK, "--output", str(output)]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[1].split()[:2] == ["lr", "66.7"]
    assert "24 rows in 12 groups, 2 folds." in printed.out
    assert printed.out.splitlines()[-1].startswith("Whether context pays was not asked")
    assert "4/4" in printed.err
    assert pd.read_csv(output)["model"].tolist() == ["lr", "lr-window"]


def test_default_columns_and_some_rows(tmp_path, capsys):
    """Check columns named text, label and group, an empty text, and whole groups."""
    table = make_table().set_axis(["group", "text", "label"], axis=1)
    table.loc[3, "text"] = None
    path = write(table, tmp_path / "calls.csv")
    assert main(["compare", path, *QUICK, "--rows", "19"]) == 0
    assert "20 rows in 10 groups" in capsys.readouterr().out


def test_an_interrupt_prints_what_is_done(tmp_path, capsys, monkeypatch):
    """Check the table of the first model after Ctrl-C in the second one, and the status."""

    def interrupt(**parameters):
        raise KeyboardInterrupt

    path = write(make_table(), tmp_path / "calls.csv")
    monkeypatch.setattr(_linear, "LinearSVC", interrupt)
    assert main(["compare", path, *OPTIONS, "--models", "lr,svm"]) == 130
    printed = capsys.readouterr()
    assert "Interrupted: the table is that of 1 of 5 folds and 1 of 2 models." in printed.err
    assert "24 rows in 12 groups, 1 fold." in printed.out


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (
            {},
            ["--text", "uterance"],
            "no column 'uterance' for --text; its columns are: 'call', 'utt",
        ),
        ({}, ["--order", "turn"], "no column 'turn' for --order"),
        ({}, ["--text", "act"], "The column 'act' is named for two options"),
        ({"act": "ask"}, [], "has one class only (ask); at least two are needed"),
        ({"act": None}, [], "24 missing value(s) in the label column 'act'"),
        ({"call": None}, [], "24 missing value(s) in the group column 'call'"),
        ({"call": "a"}, [], "All rows are of one group"),
        ({}, ["--models", "lr,forest"], "models contains 'forest'"),
        ({}, ["--models", ","], "There is nothing to compare"),
        ({}, ["--folds", "1"], "must be an integer of at least 2"),
        ({}, ["--output", "nowhere/table.csv"], "in a folder that does not exist"),
    ],
)
def test_wrong_input_is_named_in_one_line(change, options, message, tmp_path, capsys):
    """Check columns, cells, classes, groups, models and files, with status 2 and no traceback."""
    path = write(make_table(**change), tmp_path / "calls.csv")
    assert main(["compare", path, *OPTIONS, *QUICK, *options]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("sk_ctxmem compare: ")
    assert message in lines[-1]


@pytest.mark.parametrize(
    ("name", "message"),
    [("missing.csv", "does not exist"), ("calls.xlsx", "must be a file that ends in one of .csv")],
)
def test_wrong_files_are_named(name, message, tmp_path, capsys):
    """Check a file that is not there, a folder, and another kind of file."""
    (tmp_path / "calls.xlsx").write_text("")
    assert main(["compare", str(tmp_path / name)]) == 2
    assert message in capsys.readouterr().err
    assert main(["compare", str(tmp_path)]) == 2
    assert "must be a file" in capsys.readouterr().err


def test_an_output_that_cannot_be_written(tmp_path, capsys, monkeypatch):
    """Check that the rows are not overwritten, and the table is printed if the disk is full."""
    path = write(make_table(), tmp_path / "calls.csv")
    rows = (tmp_path / "calls.csv").read_text()
    assert main(["compare", path, *OPTIONS, *QUICK, "--output", path]) == 2
    assert "would overwrite the rows" in capsys.readouterr().err
    assert (tmp_path / "calls.csv").read_text() == rows

    def fail(table, path, **options):
        raise OSError("No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", fail)
    output = str(tmp_path / "table.csv")
    assert main(["compare", path, *OPTIONS, *QUICK, "--output", output]) == 2
    printed = capsys.readouterr()
    assert "the table was not written" in printed.err
    assert "24 rows in 12 groups" in printed.out


def test_a_space_in_the_header_can_be_seen(tmp_path, capsys):
    """Check that the names of columns are shown with quotes."""
    path = write(make_table().rename(columns={"act": " act"}), tmp_path / "calls.csv")
    assert main(["compare", path, *OPTIONS]) == 2
    assert "columns are: 'call', 'utterance', ' act'" in capsys.readouterr().err
