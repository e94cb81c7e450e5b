"""Tests that each callback of skorch has its effect in a fit, or is refused by name."""

import inspect
import json
import os
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import skorch.callbacks
import torch
from sklearn.metrics import accuracy_score, f1_score
from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    EpochTimer,
    Freezer,
    GradientNormClipping,
    Initializer,
    InputShapeSetter,
    LoadInitState,
    LRScheduler,
    MlflowLogger,
    NeptuneLogger,
    ParamMapper,
    PassthroughScoring,
    PrintLog,
    ProgressBar,
    SacredLogger,
    TensorBoard,
    TrainEndCheckpoint,
    Unfreezer,
    WandbLogger,
)
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer
from sk_ctxmem._training._user_callbacks import FitSetting, adapt_callbacks
from sk_ctxmem.datasets import make_conversations

HOLD_OUT = {"n_iter_no_change": 9}
TABLES, DENSE = "*table.weight", "decoder.*"


@pytest.fixture(scope="module")
def few_talks():
    """Conversations for fits of a second."""
    return make_conversations(24, random_state=0)


@pytest.fixture
def fit(few_talks):
    """Return a function that fits a small classifier with callbacks."""

    def fit(*callbacks, **parameters):
        common = {"hidden_size": 4, "random_state": 0, "max_epochs": 2, "batch_size": 64}
        roles = {"text_column": "text", "group_column": "group", "callbacks": list(callbacks)}
        clf = ContextMemoryClassifier(**common | roles | parameters)
        return clf.fit(few_talks.data, few_talks.target)

    return fit


class Watch(Callback):
    """Hands the net over at the ends of epochs and of training, and when gradients are there."""

    def __init__(self, at_epoch=None, at_end=None, at_gradients=None):
        self.at_epoch = at_epoch
        self.at_end = at_end
        self.at_gradients = at_gradients

    def on_epoch_end(self, net, **kwargs):
        if self.at_epoch:
            self.at_epoch(net)

    def on_train_end(self, net, **kwargs):
        if self.at_end:
            self.at_end(net)

    def on_grad_computed(self, net, named_parameters, **kwargs):
        if self.at_gradients:
            self.at_gradients(net, dict(named_parameters))


def column(name, seen):
    """Return a callback that appends to a list the column of the history."""
    return Watch(at_end=lambda net: seen.extend(net.history[:, name]))


def weights_by_epoch(seen):
    """Return a callback that appends copies of the weights to a list."""
    return Watch(
        at_epoch=lambda net: seen.append(
            {name: weight.detach().clone() for name, weight in net.module_.named_parameters()}
        )
    )


class FailingVectorizer(TextSequenceVectorizer):
    """Fails where an error should have come earlier."""

    def fit(self, *args, **kwargs):
        raise AssertionError("the texts are vectorized already")

    fit_transform = fit


TRIED = {
    *("BatchScoring", "Checkpoint", "EarlyStopping", "EpochScoring", "EpochTimer", "Freezer"),
    *("GradientNormClipping", "Initializer", "LRScheduler", "MlflowLogger", "NeptuneLogger"),
    *("ParamMapper", "PassthroughScoring", "PrintLog", "ProgressBar", "SacredLogger"),
    *("TensorBoard", "TrainEndCheckpoint", "Unfreezer", "WandbLogger"),
}
REFUSED = {"InputShapeSetter", "LoadInitState"}


def test_every_callback_of_skorch_is_tried_or_refused():
    """Check that a later version of skorch has no callback that this file does not know."""
    offered = {name: getattr(skorch.callbacks, name) for name in skorch.callbacks.__all__}
    found = {
        name
        for name, kind in offered.items()
        if inspect.isclass(kind) and issubclass(kind, Callback) and kind is not Callback
    }
    assert found == TRIED | REFUSED


@pytest.mark.parametrize(
    ("callback", "message"),
    [
        (InputShapeSetter(), "InputShapeSetter cannot be used.*leave the callback out"),
        (LoadInitState(Checkpoint()), "LoadInitState cannot be used.*pass checkpoint= to continue"),
        (Checkpoint(f_pickle="net.pkl"), "Checkpoint cannot be used.*pass f_pickle=None"),
        (TrainEndCheckpoint(f_pickle="net.pkl"), "TrainEndCheckpoint cannot.*pass f_pickle=None"),
        (BatchScoring("accuracy", use_caching=False), "BatchScoring cannot.*use_caching=True"),
        (EarlyStopping(), r"EarlyStopping needs held-out.*n_iter_no_change=.*monitor='train_loss'"),
        (Checkpoint(monitor="valid_score_best"), "Checkpoint needs held-out.*'train_loss_best'"),
        (EpochScoring("accuracy"), "EpochScoring needs held-out.*pass on_train=True"),
        (BatchScoring("accuracy"), "BatchScoring needs held-out.*pass on_train=True"),
        (PassthroughScoring("valid_loss"), "PassthroughScoring needs held-out.*on_train=True"),
        (WandbLogger(None), "WandbLogger needs held-out rows.*pass save_model=False"),
        (LRScheduler("ReduceLROnPlateau", monitor="valid_loss"), "LRScheduler needs held-out"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Callback) else "",
)
def test_a_callback_that_cannot_work_is_refused_by_name(fit, callback, message):
    """Check that the message names the callback and the remedy, before texts are vectorized."""
    with pytest.raises(ValueError, match=message):
        fit(callback, vectorizer=FailingVectorizer())


def test_too_few_rows_to_hold_out_are_none(few_talks):
    """Check the error where n_iter_no_change is set, but there are too few rows."""
    clf = ContextMemoryClassifier(callbacks=[EarlyStopping()], **HOLD_OUT)
    with pytest.raises(ValueError, match="EarlyStopping needs held-out.*at least 10"):
        clf.fit(few_talks.data["text"][:20], few_talks.target[:20])


def test_partial_fit_says_that_it_holds_no_rows_out(few_talks):
    """Check the remedies in partial_fit, where n_iter_no_change= would not help."""
    clf = ContextMemoryClassifier(text_column="text", group_column="group", **HOLD_OUT)
    for callback, message in [
        (EarlyStopping(), "partial_fit holds none out; pass monitor='train_loss'"),
        (LRScheduler("StepLR", step_size=1), r"partial_fit.*set_params\(learning_rate=...\)"),
    ]:
        clf.set_params(callbacks=[callback])
        with pytest.raises(ValueError, match=message):
            clf.partial_fit(few_talks.data, few_talks.target, classes=few_talks.target_names)


def test_a_scheduler_is_refused_beside_a_checkpoint_of_ours(fit, tmp_path):
    """Check that a fit that would go on at other rates does not begin."""
    with pytest.raises(ValueError, match="LRScheduler cannot be used with checkpoint="):
        fit(LRScheduler("StepLR", step_size=1), checkpoint=tmp_path)


def test_several_processes_share_the_callbacks_that_train():
    """Check which callbacks are called where, and which are refused."""
    callbacks = [GradientNormClipping(1.0), PrintLog(), LRScheduler(), Freezer("*"), Watch()]
    first, other = (
        adapt_callbacks(callbacks, FitSetting(holds_out=True, n_processes=2, rank=rank))
        for rank in range(2)
    )
    assert first == callbacks
    assert other == [callbacks[0], callbacks[2], callbacks[3]]
    for callback in (EpochScoring("accuracy"), ParamMapper("*"), Initializer("*")):
        with pytest.raises(ValueError, match="cannot be used in 2 processes"):
            adapt_callbacks([callback], FitSetting(holds_out=True, n_processes=2, rank=1))


def test_scoring_rows_of_files_needs_the_cache():
    """Check that rows that are not in memory are not asked for once more."""
    scoring = EpochScoring("accuracy", on_train=True, use_caching=False)
    with pytest.raises(ValueError, match="EpochScoring needs use_caching=True"):
        adapt_callbacks([scoring], FitSetting(holds_out=True, in_memory=False))


def total_norm(gradients):
    """Return the norm of all gradients together."""
    return float(torch.stack([gradient.norm() for gradient in gradients]).norm())


@pytest.mark.parametrize("word_memory", [False, True])
def test_gradient_norm_clipping_reaches_dense_and_sparse_gradients(fit, word_memory):
    """Check the norm that the step sees, and that what is learned is something else."""
    norms, seen = defaultdict(list), {}

    def record(place):
        def add(net, parameters):
            shown = [p.grad for p in parameters.values() if p.grad is not None]
            held = [p.grad for p in net.module_.parameters() if p.grad is not None]
            held = [grad.coalesce().values() if grad.is_sparse else grad for grad in held]
            norms[place].append(total_norm(held))
            assert total_norm(shown) == pytest.approx(norms[place][-1], rel=1e-5)
            seen.update({name: tuple(p.shape) for name, p in parameters.items()})

        return Watch(at_gradients=add)

    callbacks = [record("before"), GradientNormClipping(0.02), record("after")]
    options = {"word_memory": word_memory, "max_epochs": 1}
    clipped = fit(*callbacks, **options)
    assert max(norms["before"]) > 0.02
    assert max(norms["after"]) <= 0.02 * (1 + 1e-5)
    assert seen.keys() == dict(clipped._model.network.named_parameters()).keys()
    losses = [clf.history_["train_loss"][0] for clf in (clipped, fit(**options))]
    assert losses[0] != pytest.approx(losses[1], abs=0.01)


def test_a_callback_may_replace_gradients_of_tables(fit):
    """Check that tables stay where they were if their gradients are removed."""
    seen = []

    def remove(net, parameters):
        parameters["table.weight"].grad = None

    fit(Watch(at_gradients=remove), weights_by_epoch(seen))
    assert torch.equal(seen[0]["table.weight"], seen[1]["table.weight"])
    assert not torch.equal(seen[0]["decoder.weight"], seen[1]["decoder.weight"])


@pytest.mark.parametrize("step_every", ["epoch", "batch"])
def test_a_scheduler_sets_the_rates_of_both_groups(fit, step_every):
    """Check the rates of each step, in the place of the linear decay."""
    rates = []
    watch = Watch(
        at_gradients=lambda net, _: rates.append([g["lr"] for g in net.optimizer_.param_groups])
    )
    scheduler = LRScheduler(LambdaLR, lr_lambda=lambda step: 0.5**step, step_every=step_every)
    events = []
    if step_every == "epoch":
        scheduled = fit(watch, scheduler, column("event_lr", events))
    else:
        scheduled = fit(watch, scheduler)
    n_steps = len(rates) // 2
    steps = np.arange(2 * n_steps) // (n_steps if step_every == "epoch" else 1)
    np.testing.assert_allclose(rates, np.outer(0.5**steps, rates[0]), rtol=1e-12)
    assert len(rates[0]) == 2
    assert rates[0][0] == 0.006
    if step_every == "epoch":
        assert events == [0.006, 0.003]
    plain = fit(watch)
    assert (scheduled.history_["train_loss"] != plain.history_["train_loss"]).all()
    assert rates[-1][0] < 0.006 / 40  # the linear decay is back


def test_a_scheduler_sees_the_validation_loss(fit):
    """Check the one that waits for a better loss: here none ever is."""
    rates = []
    watch = Watch(at_epoch=lambda net: rates.append(net.optimizer_.param_groups[1]["lr"]))
    policy = {"policy": ReduceLROnPlateau, "monitor": "valid_loss", "patience": 0, "factor": 0.5}
    fit(LRScheduler(**policy, threshold=10.0, mode="max"), watch, **HOLD_OUT, max_epochs=3)
    assert rates == [rates[0], rates[0] / 2, rates[0] / 4]


def test_early_stopping_watches_the_validation_loss(fit):
    """Check the defaults, but for an improvement that no epoch makes."""
    options = HOLD_OUT | {"max_epochs": 5}
    assert fit(EarlyStopping(), **options).n_iter_ == 5
    stopped = fit(EarlyStopping(patience=2, threshold=0.999), **options)
    assert stopped.n_iter_ == 3
    assert stopped.stop_reason_ == "stopped by the callback EarlyStopping in epoch 3"


def test_early_stopping_restores_the_weights_that_it_chose(fit):
    """Check load_best, which has the last word on the weights."""
    seen = []
    stopping = EarlyStopping(patience=2, threshold=0.999, load_best=True)
    fitted = fit(stopping, weights_by_epoch(seen), **HOLD_OUT, max_epochs=5)
    for name, weight in fitted._model.network.named_parameters():
        torch.testing.assert_close(weight.detach(), seen[0][name].to(weight.dtype))


@pytest.mark.parametrize("options", [HOLD_OUT, {}], ids=["held out", "all rows"])
def test_checkpoint_writes_the_weights_of_the_best_epoch(fit, tmp_path, options):
    """Check the files with default parameters, and which loss decides."""
    seen, events = [], []
    name = "valid_loss" if options else "train_loss"
    checkpoint = Checkpoint(dirname=str(tmp_path))
    fitted = fit(weights_by_epoch(seen), checkpoint, column("event_cp", events), **options)
    losses = fitted.history_[name]
    assert events == (losses < losses.shift(fill_value=np.inf).cummin()).tolist()
    assert checkpoint.monitor == "valid_loss_best"
    kept = seen[len(events) - 1 - events[::-1].index(True)]
    for weight_name, weight in torch.load(tmp_path / "params.pt").items():
        torch.testing.assert_close(weight, kept[weight_name])
    written = json.loads((tmp_path / "history.json").read_text())
    assert [row["train_loss"] for row in written] == fitted.history_["train_loss"].tolist()
    groups = torch.load(tmp_path / "optimizer.pt")["param_groups"]
    assert [group["name"] for group in groups] == ["dense", "tables"]
    assert (tmp_path / "criterion.pt").exists()


def test_checkpoint_loads_the_best_epoch_and_keeps_the_history(fit, tmp_path):
    """Check load_best where the first epoch is the best, and that all epochs are reported."""
    seen = []
    checkpoint = Checkpoint(
        monitor=lambda net: len(net.history) == 1, dirname=str(tmp_path), load_best=True
    )
    fitted = fit(weights_by_epoch(seen), checkpoint, **HOLD_OUT, max_epochs=3)
    for name, weight in fitted._model.network.named_parameters():
        torch.testing.assert_close(weight.detach(), seen[0][name].to(weight.dtype))
    assert fitted.history_["epoch"].tolist() == [1, 2, 3]
    assert fitted.stop_reason_ == "all 3 epochs done"


def test_train_end_checkpoint_writes_the_weights_that_predict(fit, tmp_path):
    """Check that the mean over the epochs is in the file, not the weights of the last one."""
    fitted = fit(TrainEndCheckpoint(dirname=str(tmp_path)), max_epochs=3)
    written = torch.load(tmp_path / "train_end_params.pt")
    for name, weight in fitted._model.network.named_parameters():
        torch.testing.assert_close(weight.detach(), written[name].to(weight.dtype))


@pytest.mark.parametrize("use_caching", [True, False])
def test_epoch_scoring_scores_held_out_rows(fit, use_caching):
    """Check accuracy against ours, and other kinds of scorers, with and without a cache."""

    def share_of_zeros(net, X, y):
        assert len(X) == len(y) == len(net.predict(X))
        return float(np.mean(y == 0))

    options = {"lower_is_better": False, "use_caching": use_caching}
    found = {name: [] for name in ("accuracy", "f1_score", "neg_log_loss", "share_of_zeros")}
    scorings = [EpochScoring(name, **options) for name in ("accuracy", "neg_log_loss")]
    scorings += [EpochScoring(share_of_zeros, **options), EpochScoring(macro_f1, **options)]
    found["macro_f1"] = found.pop("f1_score")
    watches = [column(name, seen) for name, seen in found.items()]
    history = fit(*scorings, *watches, **HOLD_OUT, validation_fraction=0.3).history_
    np.testing.assert_allclose(found["accuracy"], history["valid_score"], rtol=1e-6)
    assert (np.array(found["neg_log_loss"]) < 0).all()
    assert found["neg_log_loss"][1] > found["neg_log_loss"][0]
    assert 0 < found["macro_f1"][-1] < 1
    assert 0 < found["share_of_zeros"][0] == found["share_of_zeros"][1] < 1


def macro_f1(net, X, y):
    """Score as a function of the net, X and y."""
    return f1_score(y, net.predict(X), average="macro", zero_division=0)


@pytest.mark.parametrize("use_caching", [True, False])
def test_epoch_scoring_scores_training_rows(fit, use_caching):
    """Check that scores rise, that without a cache nothing is dropped, and what is learned."""
    found, plain = [], fit()
    scoring = EpochScoring(
        accuracy_score, on_train=True, use_caching=use_caching, lower_is_better=False
    )
    fitted = fit(scoring, column("accuracy_score", found))
    assert 0.1 < found[0] < found[1] < 1
    assert fitted.history_["train_loss"].tolist() == plain.history_["train_loss"].tolist()


def test_scores_decide_when_to_stop(fit):
    """Check that other callbacks see the score, and that its best value is marked."""
    scoring = EpochScoring(lambda net, X, y: -len(net.history), name="own", lower_is_better=False)
    stopping = EarlyStopping(monitor="own", lower_is_better=False, patience=1)
    best = []
    stopped = fit(scoring, stopping, column("own_best", best), **HOLD_OUT, max_epochs=9)
    assert stopped.n_iter_ == 2
    assert best == [True, False]


@pytest.mark.parametrize("on_train", [True, False])
def test_batch_scoring_averages_over_batches(fit, on_train):
    """Check the mean over the rows of all batches."""
    found = []
    scoring = BatchScoring("accuracy", on_train=on_train, name="score", lower_is_better=False)
    history = fit(scoring, column("score", found), **HOLD_OUT).history_
    if on_train:
        assert 0.1 < found[0] < found[1] < 1
    else:
        np.testing.assert_allclose(found, history["valid_score"], rtol=1e-6)


def test_passthrough_scoring_averages_what_another_callback_recorded(fit):
    """Check the mean of a value that is recorded batch by batch."""

    class Ones(Callback):
        def on_batch_end(self, net, training=False, **kwargs):
            net.history.record_batch("ones", 1.0)

    found = []
    fit(Ones(), PassthroughScoring("ones", on_train=True), column("ones", found))
    assert found == [1.0, 1.0]


def test_freezer_and_unfreezer_hold_weights_for_a_while(fit):
    """Check a table and dense weights: frozen from the second epoch, trained in the third."""
    seen = []
    callbacks = [Freezer([TABLES, DENSE], at=2), Unfreezer(DENSE, at=3), weights_by_epoch(seen)]
    fitted = fit(*callbacks, max_epochs=3)

    def moved(name):
        return [not torch.equal(seen[k][name], seen[k + 1][name]) for k in range(2)]

    assert moved("table.weight") == [False, False]
    assert moved("decoder.weight") == [False, True]
    assert sum(moved(name)[0] for name in seen[0]) > 5
    assert all(weight.requires_grad for weight in fitted._model.network.parameters())


@pytest.mark.parametrize("kind", [Initializer, ParamMapper])
def test_weights_can_be_set_before_an_epoch(fit, kind):
    """Check that a function is applied to the weights that the pattern names, at its epoch."""
    seen = []
    callbacks = [kind(DENSE, fn=torch.nn.init.zeros_, at=2), Freezer(DENSE, at=2)]
    fit(*callbacks, weights_by_epoch(seen))
    assert seen[0]["decoder.weight"].any()
    assert not seen[1]["decoder.weight"].any()
    assert seen[1]["table.weight"].any()


def test_print_log_prints_a_line_for_each_epoch(fit, capsys):
    """Check that it prints though verbose is 0, and comes after scores, as in skorch."""
    fit(PrintLog(), EpochScoring("accuracy", on_train=True))
    header, _, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ["epoch", "accuracy", "train_loss", "dur"]
    assert [line.split()[0] for line in lines] == ["1", "2"]
    fit(Watch())
    assert capsys.readouterr() == ("", "")


def test_progress_bar_counts_batches(fit, capsys):
    """Check that the bar shows losses, and as many batches as there are."""
    batches = []
    watch = Watch(at_epoch=lambda net: batches.append(net.history[-1, "train_batch_count"]))
    fit(ProgressBar(), watch, max_epochs=1)
    shown = capsys.readouterr().err
    assert "train_loss=" in shown
    assert f"/{batches[0]} [" in shown


def test_epoch_timer_writes_its_own_seconds(fit):
    """Check with a timer that began an hour ago."""

    class Late(EpochTimer):
        def on_epoch_begin(self, net, **kwargs):
            super().on_epoch_begin(net, **kwargs)
            self.epoch_start_time_ -= 3600

    assert (fit(Late()).history_["seconds"] > 3600).all()


class WandbRun(SimpleNamespace):
    """A stand-in for a run of Weights and Biases."""

    def watch(self, module):
        self.module = module

    def log(self, values):
        self.rows.append(values)


@pytest.mark.parametrize("holds_out", [True, False])
def test_wandb_gets_losses_and_the_best_weights(fit, tmp_path, holds_out):
    """Check a stand-in for its run; without held-out rows it can log, but not choose weights."""
    run = WandbRun(dir=str(tmp_path), rows=[])
    fitted = fit(WandbLogger(run, save_model=holds_out), **HOLD_OUT if holds_out else {})
    names = ["train_loss"] + ["valid_loss", "valid_score"] * holds_out
    for name in names:
        assert [row[name] for row in run.rows] == fitted.history_[name].tolist()
    assert isinstance(run.module, torch.nn.Module)
    assert (tmp_path / "best_model.pth").exists() == holds_out


def test_sacred_gets_losses_of_epochs_and_batches(fit):
    """Check a stand-in for its experiment."""
    logged = defaultdict(list)
    experiment = SimpleNamespace(log_scalar=lambda name, value, *step: logged[name].append(value))
    fitted = fit(SacredLogger(experiment, log_on_batch_end=True))
    assert logged["train_loss_epoch"] == fitted.history_["train_loss"].tolist()
    assert len(logged["train_loss_batch"]) > 2


class NeptuneRun(defaultdict):
    """A stand-in for a run of Neptune: a tree of names, whose leaves can be appended to."""

    def __init__(self):
        super().__init__(NeptuneRun)
        self.values, self.is_stopped = [], False

    def append(self, value):
        self.values.append(value)

    def stop(self):
        self.is_stopped = True


def test_neptune_gets_losses_and_settings(fit, monkeypatch):
    """Check stand-ins for its run and its package."""
    types, handler = ModuleType("neptune.types"), ModuleType("neptune.handler")
    types.File = SimpleNamespace(from_content=lambda text, extension: text)
    handler.Handler = type("Handler", (), {})
    for module in (ModuleType("neptune"), types, handler):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    run = NeptuneRun()
    fitted = fit(NeptuneLogger(run))
    training = run["training"]
    assert training["train"]["epoch"]["loss"].values == fitted.history_["train_loss"].tolist()
    assert training["config/epochs"] == 2
    assert training["config/optimizer"] == "TwoRateOptimizer"
    assert run.is_stopped


def test_tensorboard_gets_what_other_callbacks_recorded(fit):
    """Check a stand-in for its writer; a real one is in test_callbacks.py."""
    written = defaultdict(list)
    writer = SimpleNamespace(
        add_scalar=lambda tag, scalar_value, global_step: written[tag].append(scalar_value),
        close=lambda: written["closed"].append(True),
    )
    fitted = fit(EpochScoring("accuracy", on_train=True), TensorBoard(writer))
    assert written["Loss/train_loss"] == fitted.history_["train_loss"].tolist()
    assert len(written["accuracy"]) == 2
    assert written["closed"] == [True]


@pytest.fixture
def mlflow(tmp_path, monkeypatch):
    """MLflow with a store of its own."""
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    mlflow.create_experiment("tests", artifact_location=str(tmp_path / "artifacts"))
    mlflow.set_experiment("tests")
    yield mlflow
    mlflow.set_tracking_uri(None)


def test_mlflow_gets_losses_and_files(fit, mlflow):
    """Check the metrics and artifacts of a run, with default parameters."""
    with mlflow.start_run() as run:
        fitted = fit(MlflowLogger(), **HOLD_OUT)
    client = mlflow.MlflowClient()
    for name in ("train_loss", "valid_loss", "valid_score"):
        points = client.get_metric_history(run.info.run_id, name)
        assert [point.step for point in points] == [1, 2]
        assert [point.value for point in points] == pytest.approx(fitted.history_[name].tolist())
    files = {item.path for item in client.list_artifacts(run.info.run_id)}
    assert files == {"params.pth", "optimizer.pth", "criterion.pth", "history.json"}
    assert client.get_run(run.info.run_id).info.status == "FINISHED"


def test_mlflow_without_a_run_is_refused_before_the_fit(fit, mlflow):
    """Check that the message says what to write."""
    with pytest.raises(ValueError, match=r"no active run; call fit inside .with mlflow.start_run"):
        fit(MlflowLogger())


def test_an_error_at_the_end_of_training_loses_nothing(fit, tmp_path):
    """Check that it is a warning, that callbacks after it are called, and what is learned."""

    def fail(net):
        raise ConnectionError("the server is gone")

    plain, ended = fit(), []
    message = "Watch failed in on_train_end.*is fitted all the same. ConnectionError: the server"
    with pytest.warns(RuntimeWarning, match=message):
        fitted = fit(Watch(at_end=fail), Watch(at_end=ended.append), checkpoint=tmp_path)
    assert len(ended) == 1
    assert fitted.stop_reason_ == "all 2 epochs done"
    assert not os.listdir(tmp_path)
    for name, weight in fitted._model.network.state_dict().items():
        assert torch.equal(weight, plain._model.network.state_dict()[name])


def test_an_error_at_the_end_of_a_chunk_loses_nothing(few_talks):
    """Check the same in partial_fit."""

    def fail(net):
        raise OSError("the disk is full")

    clf = ContextMemoryClassifier(text_column="text", group_column="group", hidden_size=4)
    clf.set_params(callbacks=[Watch(at_end=fail)])
    with pytest.warns(RuntimeWarning, match="OSError: the disk is full") as warned:
        clf.partial_fit(few_talks.data, few_talks.target, classes=few_talks.target_names)
    assert clf.n_iter_ == 1
    assert warned[0].filename == __file__


def test_files_are_written_where_the_callback_says(fit, tmp_path, monkeypatch):
    """Check that nothing lands in the working directory."""
    monkeypatch.chdir(tmp_path)
    fit(Checkpoint(dirname="best"), TrainEndCheckpoint(dirname="last", f_criterion=None))
    found = {str(path) for path in Path().rglob("*.*")}
    files = {"params.pt", "optimizer.pt", "history.json"}
    expected = {f"best/{name}" for name in files | {"criterion.pt"}}
    assert found == expected | {f"last/train_end_{name}" for name in files}
