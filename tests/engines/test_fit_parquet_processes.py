"""Tests of a fit from Parquet files in several real processes."""

import numpy as np
import pytest
from _fits import run

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import make_conversations
from sk_ctxmem.distributed import fit_parquet

SCRIPT = """
from sk_ctxmem.distributed import fit_parquet
folder = os.environ["FOLDER"]

def fit(name, **params):
    columns = {"text_column": "text", "group_column": "group", "speaker_column": "speaker"}
    clf = ContextMemoryClassifier(**columns, device="cpu", hidden_size=16, random_state=0, **params)
    fit_parquet(clf, folder + "/files", target="target", buffer_rows=400)
    say(name=name, digest=digest(clf), history=clf.history_.to_dict("list"),
        temperature=clf.temperature_, n_features=len(clf.vectorizer_.idf_),
        speakers=len(clf.speakers_))
    return clf

clf = fit("whole", max_epochs=6)
clf.save(folder + f"/{RANK}.ctxmem")
fit("judged", max_epochs=3, n_iter_no_change=1)

try:
    fit_parquet(clf, folder + "/one", target="target")
except ValueError as error:
    say(name="one file", message=str(error))
try:
    fit_parquet(clf, folder + "/cut", target="target")
except ValueError as error:
    say(name="cut group", message=str(error))
say(name="end", is_open=dist.is_initialized())
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder of three files of unequal length, and one of a single file."""
    folder = tmp_path_factory.mktemp("talks")
    talks = make_conversations(300, random_state=0).frame
    talks["part"] = np.digitize(talks["group"], [90, 200])
    for name in ("files", "one", "cut"):
        (folder / name).mkdir()
    for part, rows in talks.groupby("part"):
        rows.drop(columns="part").to_parquet(folder / "files" / f"{part}.parquet")
    rows.drop(columns="part").to_parquet(folder / "one" / "0.parquet")
    rows[:7].drop(columns="part").to_parquet(folder / "cut" / "0.parquet")
    rows[7:].drop(columns="part").to_parquet(folder / "cut" / "1.parquet")
    return folder


@pytest.fixture(scope="module")
def fits(folder):
    """Return what two processes have said of several fits."""
    first, second = run(SCRIPT, folder, FOLDER=str(folder), every=True)
    assert first == second
    return {said.pop("name"): said for said in first}


def test_processes_learn_from_the_files_of_all(fits, folder):
    """Check n-grams, speakers and accuracy against those of one process."""
    columns = {"text_column": "text", "group_column": "group", "speaker_column": "speaker"}
    alone = ContextMemoryClassifier(
        **columns, device="cpu", hidden_size=16, random_state=0, max_epochs=6
    )
    fit_parquet(alone, folder / "files", target="target", buffer_rows=400)
    new = make_conversations(60, random_state=1).frame
    X, y = new[["text", "group", "speaker"]], new["target"]
    loaded = [ContextMemoryClassifier.load(folder / f"{rank}.ctxmem") for rank in (0, 1)]
    assert np.array_equal(loaded[0].predict_proba(X), loaded[1].predict_proba(X))
    assert loaded[0].score(X, y) > alone.score(X, y) - 0.05
    assert alone.score(X, y) > 0.7  # chance is 0.4
    assert set(loaded[0].speakers_) == set(alone.speakers_)
    names = [clf.vectorizer_.get_feature_names_out() for clf in (loaded[0], alone)]
    assert len(set(names[0]) ^ set(names[1])) < 0.02 * len(names[1])  # of rows held out
    assert fits["whole"]["temperature"] == pytest.approx(alone.temperature_, rel=0.3)
    assert not fits["end"]["is_open"]


def test_early_stopping_is_judged_by_the_rows_of_all(fits):
    """Check that there are scores, the same in both: see the fixture."""
    scores = fits["judged"]["history"]["valid_score"]
    assert 1 <= len(scores) <= 3
    assert all(0.2 < score <= 1 for score in scores)


def test_fewer_files_than_processes_are_an_error_in_all(fits):
    """Check what is said."""
    message = fits["one file"]["message"]
    assert message.startswith("The folder has 1 Parquet file(s) with rows, but 2 processes need")


def test_a_group_in_files_of_two_processes_is_an_error_in_all(fits):
    """Check that a conversation is not cut without a word."""
    message = fits["cut group"]["message"]
    assert message.startswith("Rows of the same 'group' are in files of two processes")
