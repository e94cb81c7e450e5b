"""Tests of the baselines and of the features that they share."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from _benchmark_data import make_frame

from benchmarks.corpora.corpus import Corpus, sequences, split_by_group
from benchmarks.models import crf, fasttext
from benchmarks.models.build import (
    BASELINES,
    MODELS,
    build_model,
    is_deterministic,
    is_installed,
    model_rows,
    search_baseline,
)
from benchmarks.models.crf import CRF, row_features, words_and_pairs
from benchmarks.models.fasttext import FastText, limited_grid
from sk_ctxmem.comparison import GRIDS, LOGISTIC_REGRESSION, SGD, SVM, choose_solver


def test_solver_is_chosen_by_the_amount_of_work():
    """Check that two classes count as one, as their weights are one column."""
    assert choose_solver(60_000_000, 2) == LOGISTIC_REGRESSION
    assert choose_solver(60_000_000, 3) == SGD


def test_variants_follow_the_corpus():
    """Check that windows, sequences and contexts are left out where rows have no groups."""
    grouped = Corpus("calls", make_frame())
    single = Corpus("texts", make_frame().drop(columns=["group", "order"]))
    contexts = ["past", "both"]
    assert model_rows(MODELS, contexts, grouped) == [
        "lr",
        "lr-window",
        "svm-char",
        "fasttext",
        "crf",
        "context-memory (past)",
        "context-memory (both)",
        "context-memory-cv (past)",
        "context-memory-cv (both)",
    ]
    assert model_rows(MODELS, contexts, single) == [
        "lr",
        "svm-char",
        "fasttext",
        "context-memory",
        "context-memory-cv",
    ]


def test_sequences_follow_the_order_within_each_group():
    """Check that rows of a group are brought together and sorted."""
    frame = pd.DataFrame({"group": ["b", "a", "b", "a"], "order": [9, 2, 8, 1]})
    assert [rows.tolist() for rows in sequences(frame)] == [[2, 0], [3, 1]]
    in_place = sequences(frame.drop(columns="order"))
    assert [rows.tolist() for rows in in_place] == [[0, 2], [1, 3]]


def fit_after_search(name, frame):
    """Model that was tuned on a fifth of the groups and fitted on all of them."""
    chosen = search_baseline(name, *split_by_group(frame, test_size=0.2))
    return build_model(name, frame, seed=0, chosen=chosen).fit(frame, frame["label"])


@pytest.mark.parametrize("name", BASELINES)
def test_each_baseline_is_tuned_learns_and_has_probabilities(name):
    """Check the labels, and that probabilities agree with them and add up to one."""
    if not is_installed(name):
        pytest.skip(f"the package of {name} is not installed")
    frame = make_frame()
    model = fit_after_search(name, frame)
    assert model.predict(frame).tolist() == frame["label"].tolist()
    probabilities = model.predict_proba(frame)
    assert (probabilities is None) == (name == "svm-char")
    if probabilities is not None:
        assert probabilities.sum(axis=1) == pytest.approx(1)
        most_probable = np.asarray(model.classes)[probabilities.argmax(axis=1)]
        assert most_probable.tolist() == frame["label"].tolist()


def test_svm_sees_parts_of_words():
    """Check that misspelt words, which the vocabulary of words lacks, are classified."""
    model = fit_after_search("svm-char", make_frame())
    assert model.predict(pd.DataFrame({"text": ["farewel", "welcom"]})).tolist() == [
        "close",
        "open",
    ]


def test_baselines_have_the_same_budget():
    """Check that each grid has five different trials."""
    grids = [GRIDS[LOGISTIC_REGRESSION], GRIDS[SVM], fasttext.GRID, crf.GRID]
    assert [len(set(grid)) for grid in grids] == [5, 5, 5, 5]


def test_fasttext_does_not_read_rows_class_by_class(monkeypatch):
    """Check that rows which are sorted by class are shuffled before."""
    module = pytest.importorskip("fasttext")
    read = []
    monkeypatch.setattr(
        module,
        "train_supervised",
        lambda path, **_: read.extend(Path(path).read_text().splitlines()),
    )
    frame = pd.DataFrame({"text": ["hello"] * 50 + ["bye"] * 50, "label": [0] * 50 + [1] * 50})
    FastText(0).fit(frame, frame["label"])
    assert sorted(read) == ["#:0 hello"] * 50 + ["#:1 bye"] * 50
    assert 30 < sum(one != other for one, other in zip(read[1:], read, strict=False)) < 70


def test_fasttext_reads_a_limited_number_of_words():
    """Check that epochs are cut on large corpora, and that equal trials are not repeated."""
    assert limited_grid(1000) == list(fasttext.GRID)
    assert limited_grid(fasttext.MAX_WORDS // 20) == [(10, 0.5), (20, 0.5), (20, 1.0)]
    assert limited_grid(10 * fasttext.MAX_WORDS) == [(1, 0.5), (1, 1.0)]


@pytest.mark.skipif(not is_installed("fasttext"), reason="needs fasttext-numpy2")
def test_fasttext_falls_back_on_the_shares_of_the_classes():
    """Check the probabilities of a text without known words."""
    frame = pd.DataFrame({"text": ["good"] * 3 + ["bad"], "label": ["+"] * 3 + ["-"]})
    model = FastText(seed=0)
    model.fit(frame, frame["label"])
    model.model = NoWordsKnown()
    assert model.predict_proba(frame[:1]).tolist() == [[0.75, 0.25]]


class NoWordsKnown:
    """Stand-in for a network that finds nothing to predict from."""

    def predict(self, lines, k):
        return [()] * len(lines), [()] * len(lines)


def test_features_of_a_row_name_its_neighbours():
    """Check words, pairs, prefixes and places, in the middle and at the end of a group."""
    terms = [words_and_pairs(words) for words in (["a"], ["b", "c", "b"], ["d"])]
    assert row_features(terms, 1) == [
        *("bias", "from start=1", "from end=1", "part=1"),
        *("before:a", "here:b", "here:c", "here:b c", "here:c b", "after:d"),
    ]
    assert row_features(terms, 2) == [
        *("bias", "from start=2", "from end=0", "part=3"),
        *("before:b", "before:c", "before:b c", "before:c b", "here:d"),
    ]


@pytest.mark.skipif(not is_installed("crf"), reason="needs python-crfsuite")
def test_crf_learns_from_the_row_before(talks):
    """Check that labels told by the turn before are found, in rows of any order."""
    frame = talks.rename(columns={"target": "label"}).sample(frac=1, random_state=0)
    train, test = split_by_group(frame.reset_index(drop=True), test_size=0.3)
    model = CRF(c2=0.1).fit(train, train["label"])
    alone = build_model("lr", train, 0, {"solver": LOGISTIC_REGRESSION, "strength": 1.0})
    alone.fit(train, train["label"])
    gain = np.mean(model.predict(test) == test["label"]) - np.mean(
        alone.predict(test) == test["label"]
    )
    assert gain > 0.2
    assert 1 < model.parameters["iterations"] <= crf.MAX_ITERATIONS


@pytest.mark.slow  # ten fits
def test_the_tuned_model_searches_with_its_context_and_says_what_it_chose():
    """Check the parameters for the table of results, which are written as JSON."""
    frame = make_frame(n_groups=60)
    model = build_model("context-memory-cv (both)", frame, seed=0)
    assert model.classifier.estimator.context == "both"
    model.fit(frame, frame["label"])
    assert (model.predict(frame) == frame["label"]).mean() > 0.9
    assert model.predict_proba(frame).shape == (300, 2)
    assert 1 < json.loads(json.dumps(model.parameters))["cost"] <= 10
    assert list(model.parameters)[-2:] == ["best_params", "cost"]


def test_only_models_that_depend_on_the_seed_run_with_each():
    """Check who runs once."""
    assert is_deterministic("lr", {"solver": LOGISTIC_REGRESSION})
    assert is_deterministic("svm-char", {"solver": SVM})
    assert is_deterministic("crf", {"c2": 1.0})
    assert not is_deterministic("lr-window", {"solver": SGD})
    assert not is_deterministic("fasttext", {"epoch": 5})
    assert not is_deterministic("context-memory (past)", {})
