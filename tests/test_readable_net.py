"""Tests of the net of skorch that is left to be read after training."""

import gc
import pickle
from types import BuiltinFunctionType, FunctionType, ModuleType

import numpy as np
import pytest
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochScoring, LRScheduler
from skorch.exceptions import SkorchTrainingImpossibleError

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem._network._batch import RowBatch
from sk_ctxmem._rows._row_set import RowSet
from sk_ctxmem._training._dataset import TrainingRows
from sk_ctxmem.datasets import make_conversations

HELD = (RowSet, TrainingRows, RowBatch, Callback, torch.optim.Optimizer, torch.utils.data.Dataset)
WAYS = ("fit", "early stopping", "partial_fit")


@pytest.fixture(scope="module")
def few_talks():
    """Conversations for fits of a second."""
    return make_conversations(24, random_state=0)


def fitted(talks, way):
    """Return a classifier that was fitted with callbacks that keep much."""
    callbacks = [EpochScoring("accuracy", on_train=True)]
    if way != "partial_fit":
        callbacks.append(LRScheduler("StepLR", step_size=1))
    clf = ContextMemoryClassifier(text_column="text", group_column="group", random_state=0)
    clf.set_params(hidden_size=4, max_epochs=3, callbacks=callbacks)
    if way == "partial_fit":
        for _ in range(2):
            clf.partial_fit(talks.data, talks.target, classes=talks.target_names)
        return clf
    return clf.set_params(n_iter_no_change=2 if way == "early stopping" else None).fit(
        talks.data, talks.target
    )


def referents(thing):
    """List what an object holds, but not the modules and classes that it belongs to."""
    if isinstance(thing, ModuleType | type | BuiltinFunctionType):
        return []
    if isinstance(thing, FunctionType):
        return [thing.__closure__, thing.__defaults__, thing.__kwdefaults__]
    return gc.get_referents(thing)


def reachable(thing):
    """Return all objects that are kept alive by one."""
    seen, waiting = {}, [thing]
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen[id(one)] = one
            waiting += referents(one)
    return list(seen.values())


@pytest.mark.parametrize("way", WAYS)
def test_the_net_has_history_and_module(few_talks, way):
    """Check that it is what history_ shows, and the network that predicts."""
    clf = fitted(few_talks, way)
    net = clf.net_
    assert isinstance(net, NeuralNet)
    assert net.history[:, "train_loss"] == clf.history_["train_loss"].tolist()
    assert net.history[-1, "accuracy"] > 0
    assert net.module_ is clf._model.network
    assert net.classes_.tolist() == list(range(len(clf.classes_)))
    assert net.max_epochs == (3 if way != "partial_fit" else 2)
    assert "ContextMemoryNet" in repr(net)
    names = dict(net.get_all_learnable_params())
    assert names.keys() == dict(clf._model.network.named_parameters()).keys()


@pytest.mark.parametrize("way", WAYS)
def test_the_net_holds_no_rows(few_talks, way):
    """Check everything that can be reached from it, and how large it is in a pickle."""
    net = fitted(few_talks, way).net_
    found = reachable(net)
    assert [type(one).__name__ for one in found if isinstance(one, HELD)] == []
    texts = set(few_talks.data["text"])
    assert not any(isinstance(one, str) and one in texts and len(one) > 8 for one in found)
    n_bytes = sum(weight.nbytes for weight in net.module_.state_dict().values())
    assert len(pickle.dumps(net)) < n_bytes + 200_000  # history and settings


def test_the_walk_finds_rows_where_there_are_some(few_talks):
    """Check the walk above against a function that holds rows in its closure."""
    rows = TrainingRows.__new__(TrainingRows)
    assert any(one is rows for one in reachable([lambda: rows]))
    assert any(one is few_talks.data for one in reachable({"X": (few_talks.data,)}))


def test_the_net_cannot_be_trained(few_talks):
    """Check the message of skorch for somebody who tries."""
    net = fitted(few_talks, "fit").net_
    with pytest.raises(SkorchTrainingImpossibleError, match="trimmed for prediction"):
        net.fit(np.zeros((2, 2)), np.zeros(2))


def test_weights_can_be_saved_by_skorch(few_talks, tmp_path):
    """Check save_params and get_params, as users of skorch know them."""
    clf = fitted(few_talks, "fit")
    clf.net_.save_params(f_params=tmp_path / "params.pt", f_history=tmp_path / "history.json")
    written = torch.load(tmp_path / "params.pt")
    for name, weight in clf._model.network.state_dict().items():
        assert torch.equal(weight, written[name])
    assert clf.net_.get_params()["batch_size"] == clf.net_.batch_size
