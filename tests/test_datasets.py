"""Tests of the data sets: splits, labels and leaks."""

import gc
import random
from hashlib import sha256

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from sk_ctxmem.datasets import _docstring_sections, load_docstring_sections, make_conversations

SECTION_NAMES = [
    "Attributes",
    "Examples",
    "Methods",
    "Notes",
    "Parameters",
    "Raises",
    "References",
    "Returns",
    "See Also",
    "Summary",
]
DOCSTRING = """Add two numbers.

Works for arrays, too.

Parameters
----------
a, b : int
    What to add.
    Notes:
    any integer.

Other Parameters
----------------
c : int

Yields
------
nothing

See also
--------
sum : Adds many.

Table
-----
1  2
"""


@pytest.fixture(scope="module")
def sections():
    """Load the docstring sections once: reading takes seconds."""
    return load_docstring_sections()


def _write_package(folder, files):
    """Write a package with one function per file, which has the given docstring."""
    package = folder / "toy"
    package.mkdir()
    for name, docstring in files.items():
        path = package / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'def add(a, b):\n    r"""{docstring}"""\n', encoding="utf-8")
    (package / "__init__.py").write_text("")
    return package


@pytest.fixture
def toy_frame(tmp_path, monkeypatch):
    """Return a function that reads a toy package with the given files."""

    def read(files):
        _write_package(tmp_path, files)
        monkeypatch.syspath_prepend(tmp_path)
        return _docstring_sections._build_frame(["toy"])

    return read


def test_lines_are_labelled_with_their_section(toy_frame):
    """Check headings, aliases, dropped sections and tables."""
    frame = toy_frame({"module.py": DOCSTRING})
    assert frame[["text", "target"]].to_numpy().tolist() == [
        ["Add two numbers.", "Summary"],
        ["Works for arrays, too.", "Summary"],
        ["a, b : int", "Parameters"],
        ["What to add.", "Parameters"],
        ["any integer.", "Parameters"],
        ["c : int", "Parameters"],
        ["sum : Adds many.", "See Also"],
        ["Table", "See Also"],
        ["-----", "See Also"],
        ["1  2", "See Also"],
    ]
    assert frame["order"].tolist() == list(range(10))
    assert set(frame["group"]) == {"toy.module.add"}


def test_copies_tests_and_broken_files_are_dropped(toy_frame):
    """Check that one docstring in five files gives one group."""
    frame = toy_frame(
        {
            "a.py": DOCSTRING,
            "b_copy.py": DOCSTRING,
            "c_plain.py": "Summary only.\n\n    ---\n",
            "d_broken.py": '"""\n---\nx = = 1\n"""',
            "tests/test_e.py": DOCSTRING.replace("two", "three"),
        }
    )
    assert set(frame["group"]) == {"toy.a.add"}


def test_the_real_data_have_the_documented_size(sections):
    """Check that the installed packages give about 185,000 lines in ten sections."""
    assert 150_000 < len(sections.frame) < 250_000
    assert 4_500 < sections.groups.nunique() < 7_500
    assert sections.target_names == SECTION_NAMES
    assert sections.target.value_counts(normalize=True).max() < 0.4
    columns = ["text", "group", "order", "package", "split", "target"]
    assert sections.frame.columns.tolist() == columns
    assert sections.data.columns.tolist() == ["text", "group", "order"]
    assert f"rows         {len(sections.frame)}" in sections.DESCR
    assert "BSD-3-Clause" in sections.DESCR


def test_no_line_is_a_heading_or_indented(sections):
    """Check that no text is empty, indented or only the name of a section."""
    text = sections.frame["text"]
    assert (text == text.str.strip()).all()
    assert (text != "").all()
    names = {name.lower() for name in SECTION_NAMES} - {"summary"}
    assert not text.str.lower().str.rstrip(":").isin(names).any()


def test_each_docstring_has_two_sections_and_numbered_lines(sections):
    """Check that groups are contiguous, numbered from 0 and have two or more sections."""
    frame = sections.frame
    assert (frame.groupby("group")["target"].nunique() >= 2).all()
    assert (frame.groupby("group", sort=False).cumcount() == frame["order"]).all()
    n_runs = (frame["group"] != frame["group"].shift()).sum()
    assert n_runs == frame["group"].nunique()


def test_no_docstring_occurs_twice(sections):
    """Check that no two groups have the same lines, which would leak into the test split."""
    documents = sections.frame.groupby("group")["text"].agg("\n".join)
    assert documents.duplicated().sum() == 0


def test_train_and_test_split_share_no_docstring(sections):
    """Check that the hash of the name selects a fifth of the docstrings for the test split."""
    split = sections.frame.drop_duplicates("group").set_index("group")["split"]
    assert 0.18 < (split == "test").mean() < 0.22
    groups = random.Random(0).sample(sorted(split.index), 100)
    expected = [int(sha256(group.encode()).hexdigest(), 16) % 5 == 0 for group in groups]
    assert (split[groups] == "test").tolist() == expected
    assert (sections.frame.groupby("group")["split"].nunique() == 1).all()


def test_train_and_test_together_are_the_whole_data_set():
    """Check that train and test, loaded separately, have the rows of subset="all"."""
    whole = load_docstring_sections(packages=("numpy",)).frame
    for subset in ("train", "test"):
        part = load_docstring_sections(subset=subset, packages=("numpy",))
        expected = whole[whole["split"] == subset].reset_index(drop=True)
        pd.testing.assert_frame_equal(part.frame, expected)
        pd.testing.assert_series_equal(part.target, expected["target"])
    assert set(whole["package"]) == {"numpy"}


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"subset": "valid"}, ValueError, r"subset='valid' must be one of .*use 'all'"),
        ({"packages": ("numpy", "pandas")}, ValueError, r"'pandas'.* must contain one or more of"),
        ({"packages": ()}, ValueError, r"packages=\(\) must contain one or more of"),
        ({"packages": "numpy"}, TypeError, r"not a string; use packages=\('numpy',\)"),
    ],
)
def test_docstring_sections_refuse_wrong_arguments(arguments, error, match):
    """Check that the message has the argument, its value and a remedy."""
    with pytest.raises(error, match=match):
        load_docstring_sections(**arguments)


@pytest.mark.parametrize("is_enabled", [True, False])
def test_reading_leaves_the_garbage_collector_as_it_was(is_enabled):
    """Check that the collector is off while files are read, and that its state is restored."""
    try:
        (gc.enable if is_enabled else gc.disable)()
        with _docstring_sections._collector_paused():
            assert not gc.isenabled()
        assert gc.isenabled() == is_enabled
    finally:
        gc.enable()


def test_a_package_without_source_files_is_an_error():
    """Check that a broken installation raises an error that contains the package."""
    with pytest.raises(ImportError, match=r"source files of 'no_such_package' are not found"):
        _docstring_sections._build_frame(["no_such_package"])


def _find_colour(text, colours):
    (colour,) = set(text.split()) & set(colours)
    return colour


@pytest.mark.parametrize("lag", [0, 1, 3])
def test_the_label_is_the_colour_of_lag_turns_earlier(lag):
    """Check each label against the text of the earlier turn, or "red" without one."""
    data = make_conversations(20, n_turns=(4, 6), lag=lag, n_classes=4, random_state=1)
    assert data.groups.nunique() == 20
    for _, turns in data.frame.groupby("group"):
        assert 4 <= len(turns) <= 6
        assert turns["order"].tolist() == list(range(len(turns)))
        colours = [_find_colour(text, data.target_names) for text in turns["text"]]
        assert turns["target"].tolist() == ["red"] * lag + colours[: len(turns) - lag]
        speakers = "".join(turns["speaker"])
        assert speakers in "ABABABAB"


def _score_on_single_turns(lag):
    """Return the accuracy of logistic regression on words and speaker, and of chance."""
    train = make_conversations(600, lag=lag, random_state=0)
    test = make_conversations(300, lag=lag, random_state=1)
    vectorizer = CountVectorizer()
    X = vectorizer.fit_transform(train.data["text"] + " speaker" + train.data["speaker"])
    classifier = LogisticRegression().fit(X, train.target)
    X_test = vectorizer.transform(test.data["text"] + " speaker" + test.data["speaker"])
    return classifier.score(X_test, test.target), (test.target == "red").mean()


def test_single_turns_do_not_predict_the_label():
    """Check that a classifier without memory stays at chance, about 0.41 for 3 classes."""
    score, chance = _score_on_single_turns(lag=1)
    assert chance == pytest.approx(0.41, abs=0.02)
    assert score <= chance + 0.01


def test_single_turns_predict_the_label_without_a_lag():
    """Check that lag=0 needs no memory."""
    score, _ = _score_on_single_turns(lag=0)
    assert score > 0.999


def test_the_documented_accuracy_of_chance_is_right():
    """Check the frequency of the most frequent label against the docstring's formula."""
    data = make_conversations(2000, n_turns=(8, 8), lag=2, n_classes=4, random_state=0)
    share = data.target.value_counts(normalize=True)
    assert share.index[0] == "red"
    assert share.iloc[0] == pytest.approx((2 + (8 - 2) / 4) / 8, abs=0.01)
    assert f"{share.iloc[0]:.3f}" in data.DESCR


def test_the_speaker_does_not_identify_the_first_turn():
    """Check that either speaker begins half of the conversations."""
    frame = make_conversations(1000, random_state=0).frame
    first = frame.loc[frame["order"] == 0, "speaker"]
    assert (first == "A").mean() == pytest.approx(0.5, abs=0.05)


def test_the_seed_determines_the_conversations():
    """Check equal and different seeds, and that NumPy's global generator is unchanged."""
    np.random.seed(0)
    expected = np.random.random()
    np.random.seed(0)
    first = make_conversations(5, random_state=3).frame
    assert np.random.random() == expected
    pd.testing.assert_frame_equal(make_conversations(5, random_state=3).frame, first)
    assert make_conversations(5, random_state=4).frame["text"][0] != first["text"][0]


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"n_conversations": 0}, ValueError, r"n_conversations=0 must be at least 1; use 100"),
        ({"n_conversations": 2.5}, TypeError, r"n_conversations=2.5 must be an integer"),
        ({"lag": -1}, ValueError, r"lag=-1 must be at least 0; use 1 if unsure"),
        ({"lag": True}, TypeError, r"lag=True must be an integer"),
        ({"n_classes": 1}, ValueError, r"n_classes=1 must be from 2 to 12; use 3"),
        ({"n_classes": 13}, ValueError, r"n_classes=13 must be from 2 to 12"),
        ({"n_turns": 5}, TypeError, r"n_turns=5 must be a pair .*use \(5, 12\)"),
        ({"n_turns": (0, 3)}, ValueError, r"n_turns\[0\]=0 must be at least 1"),
        (
            {"n_turns": (6, 5)},
            ValueError,
            r"n_turns=\(6, 5\) must be .*lag < fewest <= most",
        ),
        ({"n_turns": (3, 5), "lag": 3}, ValueError, r"where lag=3; use \(7, 14\) if unsure"),
    ],
)
def test_conversations_refuse_wrong_arguments(arguments, error, match):
    """Check that the message has the argument, its value and a remedy."""
    with pytest.raises(error, match=match):
        make_conversations(**arguments)
