"""Tests of how corpora are read and split."""

import pandas as pd
import pytest
from _benchmark_data import make_frame

from benchmarks.corpora import files
from benchmarks.corpora.corpus import order_keys
from benchmarks.corpora.files import Columns, add_split, load_files
from sk_ctxmem.comparison import take_whole_groups


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
        ("text,label\nhello,a\n,b\nhello,\n", r"1 missing value.*label column.*data row\(s\) 3 "),
        ("text,label\nhello,a\nhello,\n,\n", r"2 missing value.*label column.*data row\(s\) 2, 3 "),
        ("text,label\nhello,a,b\nhello,b\n", "rows have more cells than the header. Texts with"),
        ("text,label\nhello,a\nhello,a,b\n", "Expected 2 fields in line 3, saw 3. Texts with"),
        ('text,label\n"hello,a\nhello,a\n', "EOF inside string .* need quotation marks"),
        ("", "cannot be read as a table: No columns to parse from file"),
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


@pytest.mark.slow
def test_the_embedded_corpus_has_a_name_among_files(tmp_path):
    """Check that it can be compared on beside files, in one run."""
    path = tmp_path / "calls.csv"
    make_frame().to_csv(path, index=False)
    corpora = load_files(["docstrings", path], Columns())
    assert [corpus.name for corpus in corpora] == ["calls", "docstring sections"]


GAPS = {"label": [2, 9], "group": [5, 6, 7, 30, 31, 32], "order": [11], "speaker": [0, 4]}


def write_gaps(path, frame):
    """Write rows with an empty text too, where the cells of GAPS are empty."""
    messy = frame.astype(object)
    for column, rows in GAPS.items():
        messy.loc[rows, column] = None
    messy.loc[7, "group"] = " "
    messy.loc[30, "group"] = "nan"
    messy.loc[[3, 8], "text"] = None
    messy.to_csv(path, index=False)


def test_all_gaps_are_named_at_once_and_their_remedies_survive_a_file(tmp_path):
    """Check one message for all columns, and that what it says to write can be read again."""
    path, names = tmp_path / "gaps.csv", Columns(speaker="speaker")
    frame = make_frame().assign(speaker=["A", "B"] * 50)
    write_gaps(path, frame)
    with pytest.raises(ValueError, match="missing value") as info:
        load_files([path], names)
    assert str(info.value) == (
        f"{path} has 2 missing value(s) in the label column 'label', the first in data row(s) 3, "
        "10 (give them a class, such as 'other', or drop the rows); 6 missing value(s) in the "
        "group column 'group', the first in data row(s) 6, 7, 8, 31, 32, ... (give each the id of "
        "its conversation, or one of its own, such as 'alone 6'); 1 missing value(s) in the order "
        "column 'order', the first in data row(s) 12 (give each its place in the group, or drop "
        "the rows); 2 missing value(s) in the speaker column 'speaker', the first in data row(s) "
        "1, 5 (write 'unknown')."
    )
    mended = pd.read_csv(path, keep_default_na=False)
    mended.loc[GAPS["label"], "label"] = "other"
    mended.loc[GAPS["group"], "group"] = [f"alone {row + 1}" for row in GAPS["group"]]
    mended.loc[GAPS["order"], "order"] = "1"
    mended.loc[GAPS["speaker"], "speaker"] = "unknown"
    mended.to_csv(path, index=False)
    found = load_files([path], names)[0].frame
    assert found["text"].tolist() == frame["text"].where(~frame.index.isin([3, 8]), "").tolist()
    assert found["order"].tolist() == frame["order"].tolist()
    assert found["group"].nunique() == 20 + 6


def test_gaps_of_parquet_are_those_of_csv(tmp_path):
    """Check that a missing text is an empty one, and that other gaps are named."""
    path = tmp_path / "gaps.parquet"
    frame = make_frame().assign(text=["hello", None] * 50)
    frame.to_parquet(path)
    assert load_files([path], Columns())[0].frame["text"].tolist() == ["hello", ""] * 50
    frame.assign(label=frame["label"].where(frame.index != 4, "")).to_parquet(path)
    with pytest.raises(ValueError, match=r"1 missing value\(s\) in the label column.* 5 \(give"):
        load_files([path], Columns())


def test_ids_are_read_as_they_are_written(tmp_path):
    """Check that ids of digits are not joined, as they would be as numbers."""
    path = tmp_path / "ids.csv"
    ids = ["7", "007", "7.0", "1e3", "1000"]
    make_frame().assign(group=ids * 20, speaker=ids * 20).to_csv(path, index=False)
    frame = load_files([path], Columns())[0].frame
    assert frame["group"].tolist() == frame["speaker"].tolist() == ids * 20


ORDERS = {
    "numbers": [str(n) for n in range(12)],
    "numbers in spaces": [f" {n} " for n in range(12)],
    "dates": [f"2026-1-{n + 1} 10:00" for n in range(12)],
    "dates with an offset": [f"2026-01-01T{n + 10}:00:00+0{n % 3}:00" for n in range(0, 12, 3)],
    "dates of many offsets": [f"2026-01-01T0{9 - n}:00:00-0{n}:00" for n in (3, 2, 1, 0)][::-1],
}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("values", ORDERS.values(), ids=ORDERS)
def test_orders_that_are_strings_are_read_as_numbers_or_dates(tmp_path, values, suffix):
    """Check that rows are sorted as times and numbers are, in whatever form the file has them."""
    path = tmp_path / f"calls.{suffix}"
    frame = make_frame(10, len(values)).assign(turn=values * 10)
    write = frame.to_csv if suffix == "csv" else frame.to_parquet
    write(path, index=False)
    found = load_files([path], Columns(order="turn"))[0].frame
    assert not pd.api.types.is_string_dtype(found["order"])
    times = pd.to_datetime(pd.Series(values), utc=True, errors="coerce", format="ISO8601")
    numbers = pd.Series(values) if "-" not in values[0] else times
    expected = numbers.astype(float) if "-" not in values[0] else times
    ranks = expected.rank(method="dense").astype(int) - 1
    assert order_keys(found).tolist() == ranks.tolist() * 10


@pytest.mark.parametrize(
    ("values", "row"),
    [
        (["1", "2", "end"], 3),
        (["turn 9", "turn 10"], 1),
        (["31/12/2025", "05/01/2026"], 1),
        (["2026-01-01T10:00Z", "2026-01-01T10:00"], 1),
        (["9:00", "10:00"], 1),
        (["1", "nan"], 2),
    ],
)
def test_orders_that_stay_strings_are_warned_about(tmp_path, values, row):
    """Check that the warning names the file, the column and a row, and what to write."""
    path = tmp_path / "calls.csv"
    make_frame(10, len(values)).assign(turn=values * 10).to_csv(path, index=False)
    message = f"strings in the order column 'turn', such as '{values[row - 1]}' in data row {row}, "
    with pytest.warns(UserWarning, match=f"calls.csv has {message}.*; write numbers, or dates"):
        load_files([path], Columns(order="turn"))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", [".csv", ".tsv"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_files_of_spreadsheets_are_read(tmp_path, separator, ending, encoding):
    """Check separators of other countries, a byte order mark, and line breaks in texts."""
    texts = ['He said "well,\nno"; yes', "café\tnaïve", "a, b; c|d", ""]
    path = tmp_path / f"calls{ending}"
    frame = make_frame(10, 4).assign(text=texts * 10)
    frame.to_csv(path, index=False, sep=separator, encoding=encoding)
    assert load_files([path], Columns())[0].frame["text"].tolist() == texts * 10


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_another_encoding_is_named(tmp_path, encoding):
    """Check that bytes of another encoding are not guessed, and that the remedy is there."""
    path = tmp_path / "calls.csv"
    make_frame().assign(text="café").to_csv(path, index=False, encoding=encoding)
    with pytest.raises(ValueError, match=r"calls.csv is not written in UTF-8 .* iconv -f cp1252"):
        load_files([path], Columns())


def test_cells_after_the_last_column_may_be_empty(tmp_path):
    """Check that a separator at the end of each row does not shift the columns."""
    path = tmp_path / "calls.csv"
    path.write_text("text,label\n" + "hello,a,\nthere,b,\n" * 5)
    frame = load_files([path], Columns())[0].frame
    assert frame["text"].tolist() == ["hello", "there"] * 5


def test_the_embedded_corpus_is_not_built_unless_asked_for(tmp_path, monkeypatch):
    """Check that a run on files does not read the docstrings of all packages, which takes long."""
    monkeypatch.setattr(files, "load_docstring_sections_corpus", lambda: pytest.fail("built"))
    path = tmp_path / "calls.csv"
    make_frame().to_csv(path, index=False)
    assert len(load_files([path], Columns())) == 1
