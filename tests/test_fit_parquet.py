"""Tests of fits from a folder of Parquet files."""

import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback

from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer
from sk_ctxmem._features._text_counts import TextCounts
from sk_ctxmem._input._targets import check_sample_weight, weigh_counted_classes
from sk_ctxmem.distributed import fit_parquet
from sk_ctxmem.distributed._first_pass import FirstPass
from sk_ctxmem.distributed._held_out import HeldOut, hash_groups
from sk_ctxmem.distributed._parquet_rows import ParquetRows

NAMES = {"text_column": "text", "group_column": "talk", "speaker_column": "who"}


def make_rows(n_talks=60, seed=0):
    """Conversations in which a question is answered as the speaker before wants it."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 12, n_talks)
    talk = np.repeat([f"talk-{number}" for number in range(n_talks)], lengths)
    n_rows = len(talk)
    label = random.choice(["answer", "question", "thanks"], n_rows)
    words = {"answer": "yes it is", "question": "is it so ?", "thanks": "thank you"}
    rare = random.integers(0, 200, n_rows)
    text = [f"{words[kind]} w{number}" for kind, number in zip(label, rare, strict=True)]
    who = np.where(np.arange(n_rows) % 2, "ann", "bob")
    frame = {"text": text, "label": label, "talk": talk, "who": who, "turn": np.arange(n_rows)}
    return pd.DataFrame(frame)


def write(rows, folder, n_files=3, row_group_rows=25):
    """Write whole conversations to some files, in row groups that cut them."""
    folder.mkdir(exist_ok=True)
    talks = rows["talk"].unique()
    for number, chosen in enumerate(np.array_split(talks, n_files)):
        part = rows[rows["talk"].isin(chosen)]
        path = folder / f"part-{number}.parquet"
        part.to_parquet(path, index=False, row_group_size=row_group_rows)
    return folder


def make_classifier(**parameters):
    """Return a small classifier that reads the columns of the rows."""
    small = {"max_epochs": 2, "hidden_size": 16, "random_state": 0}
    return ContextMemoryClassifier(**(NAMES | small | parameters))


@pytest.fixture(scope="module")
def rows():
    """Rows of 60 conversations."""
    return make_rows()


@pytest.fixture(scope="module")
def folder(rows, tmp_path_factory):
    """Return a folder with these rows in three files."""
    return write(rows, tmp_path_factory.mktemp("rows"))


@pytest.fixture(scope="module")
def many_rows():
    """Rows of so many conversations that some are held out."""
    return make_rows(360, seed=1)


@pytest.fixture(scope="module")
def large_folder(many_rows, tmp_path_factory):
    """Return a folder with these rows."""
    return write(many_rows, tmp_path_factory.mktemp("many"), row_group_rows=400)


@pytest.mark.parametrize("row_group_rows", [1, 7, 1000])
@pytest.mark.parametrize("slice_rows", [1, 6, 1000])
def test_each_group_is_read_whole_and_once(rows, tmp_path, row_group_rows, slice_rows):
    """Check that row groups give each conversation once and whole, wherever they are cut."""
    rows = rows[rows["talk"].isin(rows["talk"].unique()[:15])]
    write(rows, tmp_path, 2, row_group_rows)
    source = ParquetRows(tmp_path, list(rows.columns), "talk", None, slice_rows)
    in_order = pd.concat([frame for frame, _ in source.frames_in_order()], ignore_index=True)
    pd.testing.assert_frame_equal(in_order, rows, check_dtype=False)
    frames = [f for part in source.row_groups[::-1] for f in source.frames_of(part)]
    together = [talk for frame in frames for talk in frame["talk"].unique()]
    assert sorted(together) == sorted(rows["talk"].unique())
    again = pd.concat(frames).sort_values("turn", ignore_index=True)
    pd.testing.assert_frame_equal(again, rows, check_dtype=False)


class RowCounter(Callback):
    """Counts the rows of each epoch, and notes the largest batch, for all copies of itself."""

    n_rows: list[int]
    largest: int

    def on_train_begin(self, net, **kwargs):
        """Start with no epoch."""
        RowCounter.n_rows, RowCounter.largest = [], 0

    def on_epoch_begin(self, net, **kwargs):
        """Start an epoch."""
        self.n_rows.append(0)

    def on_batch_end(self, net, batch=None, training=False, **kwargs):
        """Count."""
        if training:
            self.n_rows[-1] += len(batch[0])
            RowCounter.largest = max(self.largest, len(batch[0]))


@pytest.mark.parametrize("buffer_rows", [30, 10_000])
def test_each_epoch_has_all_rows(rows, folder, buffer_rows):
    """Check that no row is lost or read twice, whatever the size of the buffer."""
    fit_parquet(make_classifier(callbacks=[RowCounter()]), folder, buffer_rows=buffer_rows)
    assert RowCounter.n_rows == [len(rows)] * 2
    assert RowCounter.largest <= 30


def test_learned_are_the_same_words_classes_and_speakers_as_in_memory(rows, folder):
    """Check that all but the weights is what a fit in memory learns of the same rows."""
    streamed = fit_parquet(make_classifier(), folder, buffer_rows=50)
    in_memory = make_classifier().fit(rows.drop(columns="label"), rows["label"])
    np.testing.assert_array_equal(streamed.classes_, in_memory.classes_)
    assert streamed.speakers_ == in_memory.speakers_ == {"ann": 1, "bob": 2}
    assert streamed.vectorizer_.vocabulary_ == in_memory.vectorizer_.vocabulary_
    np.testing.assert_array_equal(streamed.vectorizer_.idf_, in_memory.vectorizer_.idf_)
    assert streamed.scaler_.norm_ == pytest.approx(in_memory.scaler_.norm_, rel=1e-3)
    assert streamed.history_["epoch"].tolist() == [1, 2]
    assert streamed.stop_reason_ == in_memory.stop_reason_ == "all 2 epochs done"


def test_accuracy_is_that_of_a_fit_in_memory(many_rows, large_folder):
    """Check that what a stream teaches is as good as what all rows at once do."""
    test = make_rows(200, seed=2)
    streamed = fit_parquet(make_classifier(max_epochs=3), large_folder, buffer_rows=500)
    in_memory = make_classifier(max_epochs=3).fit(many_rows.drop(columns="label"), many_rows.label)
    scores = [fitted.score(test, test["label"]) for fitted in (streamed, in_memory)]
    assert min(scores) > 0.99
    assert abs(streamed.temperature_ - in_memory.temperature_) < 0.5


def test_the_classifier_is_an_ordinary_one_afterwards(rows, folder, tmp_path):
    """Check that it predicts, explains, is saved, and leads conversations."""
    classifier = make_classifier()
    assert fit_parquet(classifier, folder) is classifier
    proba = classifier.predict_proba(rows)
    classifier.save(tmp_path / "model.ctxmem")
    loaded = ContextMemoryClassifier.load(tmp_path / "model.ctxmem")
    np.testing.assert_allclose(loaded.predict_proba(rows), proba, atol=1e-6)
    session = classifier.session()
    assert session.predict_one("thank you w1", speaker="ann") in classifier.classes_
    assert set(classifier.explain(rows[:5])["row"]) == set(range(5))
    classifier.partial_fit(rows.drop(columns="label"), rows["label"])
    assert len(classifier.history_) == 3


def test_the_seed_decides_everything(folder, large_folder, many_rows):
    """Check that the same seed gives the same weights, and another one does not."""
    fits = [
        fit_parquet(make_classifier(random_state=seed, max_epochs=1), large_folder, buffer_rows=500)
        for seed in (0, 0, 1)
    ]
    first, second, other = (fitted.predict_proba(many_rows[:50]) for fitted in fits)
    np.testing.assert_array_equal(first, second)
    assert fits[0].temperature_ == fits[1].temperature_
    assert np.abs(first - other).max() > 1e-4


def test_global_random_state_is_left_alone(folder):
    """Check that a fit draws from no generator that others use."""
    before = np.random.get_state()[1].copy()
    fit_parquet(make_classifier(), folder)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_held_out_rows_are_never_trained_on(many_rows, large_folder):
    """Check that a twentieth of the rows is held out, whole groups, and tells the temperature."""
    classifier = fit_parquet(make_classifier(callbacks=[RowCounter()]), large_folder)
    n_held_out = len(many_rows) - RowCounter.n_rows[0]
    assert int(0.05 * len(many_rows)) <= n_held_out < 0.05 * len(many_rows) + 12
    assert RowCounter.n_rows[0] == RowCounter.n_rows[1]
    assert classifier.temperature_ != 1


def hold_out(rows, n_wanted, n_slices, target="label"):
    """Hold rows out slice by slice, and return the rows of both parts."""
    held, rest = HeldOut(n_wanted), []
    talks = np.array_split(rows["talk"].unique(), n_slices)
    for chosen in talks:
        frame = rows[rows["talk"].isin(chosen)]
        rest.append(held.take(frame, hash_groups(frame, "talk", 5)))
    given_back = held.spare_classes(target, pd.concat(rest)[target].value_counts())
    return held.frame, pd.concat([*rest, given_back])


def test_held_out_groups_do_not_depend_on_the_order_of_rows(many_rows):
    """Check that the same groups are chosen from one slice, many, or rows in another order."""
    held, rest = hold_out(many_rows, 100, 1)
    for frame, n_slices in ((many_rows, 40), (many_rows[::-1], 7)):
        again, others = hold_out(frame, 100, n_slices)
        assert set(again["turn"]) == set(held["turn"])
        assert set(others["turn"]) == set(rest["turn"])
    last = hash_groups(held, "talk", 5).max()
    assert len(held[hash_groups(held, "talk", 5) < last]) < 100 <= len(held)
    assert set(held["talk"]).isdisjoint(rest["talk"])
    assert sorted([*held["turn"], *rest["turn"]]) == many_rows["turn"].tolist()


def test_groups_that_alone_have_a_class_are_not_held_out(many_rows):
    """Check that each class is left to learn from."""
    rare = many_rows.assign(label=many_rows["label"].where(many_rows["turn"] % 97 > 0, "rare"))
    held, _ = hold_out(many_rows, 300, 5)
    alone = many_rows.assign(label=np.where(many_rows["talk"].isin(held["talk"]), "x", "y"))
    for frame, target in ((rare, "label"), (alone, "label")):
        _, rest = hold_out(frame, 300, 5, target)
        assert set(rest[target]) == set(frame[target])


def test_groups_that_are_given_back_are_counted(many_rows, tmp_path):
    """Check that a class of one group, which would be held out, is known, with its texts."""
    hashes = hash_groups(many_rows, "talk", 5)
    first = hashes == hashes.min()
    rows = many_rows.assign(label=many_rows["label"].where(~first, "rare"))
    source = ParquetRows(write(rows, tmp_path), list(rows.columns), "talk", "who", 100)
    columns = {"text": "text", "group": "talk", "order": None, "speaker": "who"}
    texts = TextCounts(TextSequenceVectorizer())
    found = FirstPass(source, columns, "label", texts, n_held_out=100, seed=5).run(None)
    counts = dict(zip(found.classes, found.counts, strict=True))
    assert counts["rare"] == first.sum()
    assert texts.n_texts == found.counts.sum() == len(rows) - len(found.held_out)
    assert 100 - first.sum() <= len(found.held_out) < 112
    assert "rare" not in set(found.held_out.frame["label"])


def test_early_stopping_is_judged_by_rows_held_out(many_rows, large_folder):
    """Check that n_iter_no_change holds validation_fraction of the rows out, and stops."""
    classifier = make_classifier(
        n_iter_no_change=1, validation_fraction=0.2, max_epochs=9, callbacks=[RowCounter()]
    )
    fit_parquet(classifier, large_folder)
    assert classifier.n_iter_ < 9
    assert classifier.history_["valid_score"].max() > 0.9
    assert "no better valid_score" in classifier.stop_reason_
    n_held_out = len(many_rows) - RowCounter.n_rows[0]
    assert 0.2 * len(many_rows) <= n_held_out < 0.2 * len(many_rows) + 12


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_sample_is_found_where_a_buffer_is_a_single_row(rows, tmp_path, seed):
    """Check that a fit finds rows that are not held out, however few are read at a time."""
    write(rows[rows["talk"].isin(rows["talk"].unique()[:25])], tmp_path, 1, 1000)
    early = {"n_iter_no_change": 1, "validation_fraction": 0.5, "max_epochs": 1}
    classifier = make_classifier(random_state=seed, **early)
    fit_parquet(classifier, tmp_path, buffer_rows=1)
    assert 0 <= classifier.history_["valid_score"][0] <= 1


def test_rows_without_groups_stand_alone(many_rows, large_folder):
    """Check that a fit without group_column takes each row for itself, and holds rows out."""
    names = {"group_column": None, "speaker_column": None}
    classifier = make_classifier(callbacks=[RowCounter()], **names)
    fit_parquet(classifier, large_folder, buffer_rows=700)
    assert RowCounter.n_rows[0] == len(many_rows) - int(0.05 * len(many_rows))
    assert classifier.score(many_rows, many_rows["label"]) > 0.95


def test_an_order_column_sorts_the_rows_of_a_group(many_rows, tmp_path):
    """Check that rows of a group in any order are trained on in that of the order column."""
    tidy = many_rows.sort_values("talk", kind="stable")
    mixed = many_rows.sample(frac=1, random_state=0).sort_values("talk", kind="stable")
    fits = [
        fit_parquet(
            make_classifier(order_column="turn", max_epochs=1),
            write(frame, tmp_path / name, row_group_rows=400),
        )
        for name, frame in {"tidy": tidy, "mixed": mixed}.items()
    ]
    tidy_proba, mixed_proba = (fitted.predict_proba(many_rows[:40]) for fitted in fits)
    np.testing.assert_allclose(mixed_proba, tidy_proba, atol=1e-5)


def test_speakers_may_be_missing(rows, tmp_path):
    """Check that rows of an unknown speaker are trained on."""
    some = rows.assign(who=rows["who"].where(rows["turn"] % 3 > 0))
    classifier = fit_parquet(make_classifier(), write(some, tmp_path))
    assert classifier.speakers_ == {"ann": 1, "bob": 2}


@pytest.mark.parametrize("kind", ["int64", "category", "bool"])
def test_classes_and_groups_may_be_of_any_kind(rows, tmp_path, kind):
    """Check numbers, categories and truth values as classes, and numbers as groups."""
    numbers = rows["label"].map({"answer": 0, "question": 1, "thanks": 1}).astype("int64")
    changed = rows.assign(label=numbers.astype(kind), talk=pd.factorize(rows["talk"])[0])
    classifier = fit_parquet(make_classifier(), write(changed, tmp_path))
    expected = make_classifier().fit(changed.drop(columns="label"), changed["label"]).classes_
    np.testing.assert_array_equal(classifier.classes_, expected)
    assert classifier.classes_.dtype == expected.dtype
    assert set(classifier.predict(changed)) <= set(classifier.classes_)


@pytest.mark.parametrize("class_weight", [None, "balanced", {"b": 3.0, "c": 0.5}])
def test_class_weights_are_those_of_a_fit_in_memory(class_weight):
    """Check that weights from counts are those from all rows, with a mean of 1."""
    classes = np.array(["a", "b", "c"])
    targets = np.repeat([0, 1, 2], [5, 2, 13])
    expected = check_sample_weight(None, class_weight, classes, targets)
    weights = weigh_counted_classes(class_weight, classes, np.array([5, 2, 13]))
    np.testing.assert_allclose(weights[targets], expected, rtol=1e-6)


def test_class_weights_must_leave_two_classes():
    """Check that weights of zero for all classes but one are an error."""
    with pytest.raises(ValueError, match="fewer than two classes"):
        weigh_counted_classes({"a": 0}, np.array(["a", "b"]), np.array([3, 4]))


def test_a_vectorizer_that_needs_no_fit_is_used_as_it_is(many_rows, large_folder):
    """Check a fit on hashed words."""
    vectorizer = HashingVectorizer(n_features=2**10, alternate_sign=False)
    classifier = fit_parquet(make_classifier(vectorizer=vectorizer), large_folder)
    assert classifier.score(many_rows, many_rows["label"]) > 0.95


def test_a_fitted_vectorizer_may_give_dense_features(many_rows, large_folder):
    """Check that a pipeline that was fitted beforehand is used as it is."""
    vectorizer = make_pipeline(TfidfVectorizer(), TruncatedSVD(8, random_state=0))
    vectorizer.fit(many_rows["text"])
    classifier = fit_parquet(make_classifier(vectorizer=vectorizer), large_folder)
    assert type(classifier.scaler_) is StandardScaler
    assert classifier.score(many_rows, many_rows["label"]) > 0.9


def test_the_vectorizer_of_the_classifier_is_not_fitted_itself(folder):
    """Check that the parameters of a TextSequenceVectorizer count, and it stays as it was."""
    vectorizer = TextSequenceVectorizer(max_features=20, char_ngram_range=None)
    classifier = fit_parquet(make_classifier(vectorizer=vectorizer), folder)
    assert len(classifier.vectorizer_.idf_) == 20
    assert not hasattr(vectorizer, "vocabulary_")


def break_rows(rows, column, row, value):
    """Return rows with another value in one place."""
    changed = rows.copy()
    changed[column] = changed[column].astype(object)
    changed.loc[row, column] = value
    return changed


@pytest.mark.parametrize("column", ["text", "label", "talk"])
def test_a_missing_value_is_told_by_file_and_row(rows, tmp_path, column):
    """Check that the message of a missing value says where it is."""
    last = rows["talk"].unique()[-20:]
    row = int(np.flatnonzero(rows["talk"].isin(last))[0]) + 30
    write(rows, tmp_path, row_group_rows=7)
    path = tmp_path / "part-2.parquet"
    frame = break_rows(pd.read_parquet(path), column, 30, None)
    schema = pq.read_schema(tmp_path / "part-0.parquet")
    pq.write_table(pa.Table.from_pandas(frame, schema, preserve_index=False), path, 7)
    assert row < len(rows)
    with pytest.raises(ValueError, match=rf"part-2.parquet' has no value of '{column}' in row 30 "):
        fit_parquet(make_classifier(), tmp_path, buffer_rows=40)


def test_a_group_that_comes_back_in_the_same_rows_is_an_error(rows, tmp_path):
    """Check that a conversation between whose rows others stand is told by file and row."""
    write(pd.concat([rows[:40], rows[:1]]), tmp_path, 1, row_group_rows=50)
    with pytest.raises(ValueError, match=r"part-0.parquet' has rows of group 'talk-0'.*row 40"):
        fit_parquet(make_classifier(), tmp_path)


@pytest.mark.parametrize("n_files", [1, 2])
def test_a_group_that_comes_back_far_away_is_an_error(rows, tmp_path, n_files):
    """Check that a conversation in two files, or in two far places of one, is told."""
    write(rows, tmp_path, n_files=1)
    path = tmp_path / "part-0.parquet"
    again = pd.concat([rows, rows[:2]]) if n_files == 1 else rows[:2]
    path = path if n_files == 1 else tmp_path / "part-1.parquet"
    again.to_parquet(path, index=False, row_group_size=25)
    with pytest.raises(ValueError, match=f"group 'talk-0' are in several.*{path.name}"):
        fit_parquet(make_classifier(), tmp_path, buffer_rows=60)


def test_a_missing_column_is_an_error(rows, folder):
    """Check that the message names the file, the column and those there are."""
    with pytest.raises(ValueError, match=r"part-0.parquet' has no column 'speech'.*'text'"):
        fit_parquet(make_classifier(text_column="speech"), folder)
    with pytest.raises(ValueError, match="no column 'act'"):
        fit_parquet(make_classifier(), folder, target="act")


def test_texts_must_be_strings(rows, tmp_path):
    """Check that numbers in the place of texts are refused."""
    write(rows, tmp_path)
    with pytest.raises(TypeError, match=r"column 'turn' has 0 of type int in row 0"):
        fit_parquet(make_classifier(text_column="turn"), tmp_path)


def test_unlike_schemas_are_an_error(rows, tmp_path):
    """Check that a column of another type in one of the files is told."""
    write(rows, tmp_path)
    path = tmp_path / "part-1.parquet"
    pd.read_parquet(path).assign(talk=7).to_parquet(path)
    with pytest.raises(ValueError, match=r"Column 'talk' has the type int64 in .*part-1.parquet"):
        fit_parquet(make_classifier(), tmp_path)


def test_one_class_is_an_error(rows, tmp_path):
    """Check that a target of one value is refused."""
    write(rows.assign(label="all"), tmp_path)
    with pytest.raises(ValueError, match="target='label' has only one class, 'all'"):
        fit_parquet(make_classifier(), tmp_path)


def test_a_target_of_far_too_many_values_is_an_error(rows, folder, monkeypatch):
    """Check that ids in the place of classes are refused before training."""
    monkeypatch.setattr("sk_ctxmem.distributed._first_pass.MAX_CLASSES", 40)
    with pytest.raises(ValueError, match="target='turn' has more than 40 values"):
        fit_parquet(make_classifier(), folder, target="turn")


def test_a_folder_without_files_is_an_error(tmp_path):
    """Check folders that are missing, empty, or have files without rows."""
    with pytest.raises(FileNotFoundError, match="is not a folder"):
        fit_parquet(make_classifier(), tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="no file whose name ends with .parquet"):
        fit_parquet(make_classifier(), tmp_path)
    make_rows()[:0].to_parquet(tmp_path / "empty.parquet")
    with pytest.raises(ValueError, match="have no row"):
        fit_parquet(make_classifier(), tmp_path)


def test_a_file_that_is_not_parquet_is_an_error(rows, tmp_path):
    """Check that a broken file is named."""
    write(rows, tmp_path)
    (tmp_path / "part-1.parquet").write_bytes(b"not this")
    with pytest.raises(ValueError, match=r"part-1.parquet' cannot be read as a Parquet file"):
        fit_parquet(make_classifier(), tmp_path)


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"checkpoint": "somewhere"}, "checkpoint='somewhere' is not supported"),
        ({"warm_start": True}, "warm_start=True is not supported"),
        ({"text_column": None}, "text_column is None"),
        ({"text_column": "label"}, "one role only, but text_column='label'.*target='label'"),
        ({"hidden_size": 0}, "hidden_size=0"),
        (
            {"vectorizer": TfidfVectorizer()},
            "can only fit a TextSequenceVectorizer",
        ),
    ],
    ids=str,
)
def test_parameters_that_do_not_fit_are_refused(folder, parameters, match):
    """Check that what cannot play its part is refused at the door."""
    with pytest.raises(ValueError, match=match):
        fit_parquet(make_classifier(**parameters), folder)


def test_arguments_of_another_kind_are_refused(folder):
    """Check that other estimators, targets and sizes of buffers are refused."""
    with pytest.raises(TypeError, match="clf is a Pipeline"):
        fit_parquet(make_pipeline(make_classifier()), folder)
    with pytest.raises(TypeError, match="target=3 must be the name"):
        fit_parquet(make_classifier(), folder, target=3)
    with pytest.raises(ValueError, match="buffer_rows=0"):
        fit_parquet(make_classifier(), folder, buffer_rows=0)
    with pytest.raises(TypeError, match="vectorizer='words'"):
        fit_parquet(make_classifier(vectorizer="words"), folder)


class FileRemover(Callback):
    """Removes a file when training begins."""

    def __init__(self, path):
        self.path = path

    def on_train_begin(self, net, **kwargs):
        """Remove it."""
        self.path.unlink()


def test_an_error_leaves_the_classifier_as_it_was(rows, folder, tmp_path):
    """Check that a file that is lost in training ends the fit, and nothing is half fitted."""
    write(rows, tmp_path)
    classifier = fit_parquet(make_classifier(), folder)
    before = classifier.predict_proba(rows)
    classifier.set_params(callbacks=[FileRemover(tmp_path / "part-1.parquet")])
    with pytest.raises(FileNotFoundError, match="part-1.parquet"):
        fit_parquet(classifier, tmp_path)
    np.testing.assert_array_equal(classifier.predict_proba(rows), before)
    new = make_classifier(callbacks=[FileRemover(tmp_path / "part-2.parquet")])
    write(rows, tmp_path)
    with pytest.raises(FileNotFoundError, match="part-2.parquet"):
        fit_parquet(new, tmp_path)
    assert not hasattr(new, "classes_")


def test_without_pyarrow_the_message_says_what_to_install(folder, monkeypatch):
    """Check that the extra is named where pyarrow is missing."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ImportError, match=r'pip install "sk-ctxmem\[distributed\]"'):
        fit_parquet(make_classifier(), folder)


def test_a_bar_is_shown(folder, capsys):
    """Check that verbose=1 shows the rows that are read, and then trained on."""
    fit_parquet(make_classifier(verbose=1), folder)
    shown = capsys.readouterr().err
    assert "reading texts" in shown
    assert "all 2 epochs done" in shown


def test_a_share_of_the_files_has_whole_conversations(tmp_path):
    """Check that conversations which row groups cut are whole, whichever process reads them."""
    rows = pd.DataFrame({"text": "a", "group": np.repeat(np.arange(20), 6)})
    for part in range(4):
        path = tmp_path / f"{part}.parquet"
        rows[rows["group"] // 5 == part].to_parquet(path, row_group_size=4)
    for rank in range(2):
        shared = ParquetRows(tmp_path, ["text", "group"], "group", None, 100)
        shared.shard(rank, 2)
        in_order = pd.concat([frame for frame, _ in shared.frames_in_order()])
        parts = [frame for part in shared.row_groups for frame in shared.frames_of(part)]
        assert len(in_order) == 60
        assert pd.concat(parts).sort_index().equals(in_order.sort_index())


def test_columns_of_the_files_that_are_not_read_are_ignored(folder, tmp_path):
    """Check that columns which no role names are reported, after a save too, and not the target."""
    streamed = fit_parquet(make_classifier(max_epochs=1), folder)
    assert streamed.columns_ == {"text": "text", "group": "talk", "speaker": "who"}
    assert streamed.ignored_columns_.tolist() == ["turn"]
    streamed.save(tmp_path / "model.ctxmem")
    loaded = ContextMemoryClassifier.load(tmp_path / "model.ctxmem")
    assert loaded.ignored_columns_.tolist() == ["turn"]
