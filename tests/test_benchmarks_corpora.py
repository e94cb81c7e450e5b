"""Tests of how corpora are read and split."""

import pandas as pd
import pytest
from _benchmark_data import make_frame

from benchmarks.corpora.corpus import take_whole_groups
from benchmarks.corpora.files import Columns, add_split, load_files


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


def test_the_embedded_corpus_has_a_name_among_files(tmp_path):
    """Check that it can be compared on beside files, in one run."""
    path = tmp_path / "calls.csv"
    make_frame().to_csv(path, index=False)
    corpora = load_files(["docstrings", path], Columns())
    assert [corpus.name for corpus in corpora] == ["calls", "docstring sections"]
