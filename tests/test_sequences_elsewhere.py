"""Tests of tools that know rows alone, with classifiers of sequences, and of the chat program."""

import io

import pandas as pd
import pytest
from _forecasts import SMALL, fit, make_frames, make_talks
from numpy.testing import assert_allclose

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.distributed import FramePredictor, fit_distributed, fit_parquet, predict_dask

pytestmark = pytest.mark.filterwarnings("ignore::sk_ctxmem.UnknownSpeakersWarning")


def test_predictions_of_partitions_refuse_sequences():
    """Check that predictions on clusters name what to use in their place."""
    talks, labels = make_talks()
    classifier, match = fit(talks, labels), "fitted on sequences, but partitions .* to_sequences"
    with pytest.raises(ValueError, match=match):
        FramePredictor(classifier)


def test_predictions_of_dask_refuse_sequences():
    """Check that the message comes before anything is computed."""
    frame = pytest.importorskip("dask.dataframe")
    talks, labels = make_talks()
    table = frame.from_pandas(make_frames(2)[0][0], npartitions=1)
    with pytest.raises(ValueError, match="fitted on sequences, but partitions"):
        predict_dask(fit(talks, labels), table)


@pytest.mark.parametrize("column", ["said", "label"])
def test_fits_of_files_refuse_sequences(column, tmp_path):
    """Check that lists of texts, and lists of labels, are named with their file."""
    pytest.importorskip("pyarrow")
    table = pd.DataFrame({"said": ["yes", "no"] * 4, "label": ["deal", "lost"] * 4})
    table[column] = [[value, value] for value in table[column]]
    table.to_parquet(tmp_path / "talks.parquet")
    match = f"Column '{column}' of '.*talks.parquet' has lists .* fit_parquet fits rows"
    with pytest.raises(ValueError, match=match):
        fit_parquet(ContextMemoryClassifier(**SMALL, text_column="said"), tmp_path)


def test_fits_in_several_processes_refuse_sequences():
    """Check that fit_distributed says so before it looks for other processes."""
    with pytest.raises(ValueError, match=r"X contains sequences; use clf\.fit"):
        fit_distributed(ContextMemoryClassifier(**SMALL), *make_talks())


@pytest.mark.parametrize("columns", [{}, {"text_column": "said", "speaker_column": "who"}])
def test_the_chat_forecasts_after_each_turn(columns):
    """Check the probability that is shown, and the earlier turns that counted most."""
    pytest.importorskip("rich")
    from sk_ctxmem._chat._conversation import Chat, as_rows
    from sk_ctxmem._chat._screen import Screen

    X, labels = make_frames(80) if columns else make_talks(80)
    classifier = fit(X, labels, max_epochs=6, **columns)
    output = io.StringIO()
    chat = Chat(classifier, Screen(output), speakers=["client", "agent"] if columns else ())
    turns = ["no two", "yes yes", "red"]
    for turn in turns:
        chat.process_line(turn)
    X, options = as_rows(classifier, chat._turns)
    assert options == {}
    history = chat._sessions[-1].history_
    probabilities = classifier.predict_proba(X)[0]
    assert_allclose(history["probability"].iloc[-1], probabilities.max(), atol=1e-6)
    strongest = chat._strongest_turns()
    assert [number for number, _, _ in strongest] == [1, 0]
    lines = classifier.explain(X)
    sums = lines.groupby("from_row")["contribution"].sum()
    assert_allclose([amount for _, _, amount in strongest], sums[[1, 0]])
    assert "turn 2" in output.getvalue()
