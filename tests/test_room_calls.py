"""Test of calls between rooms: they go down, from the estimator to its ground floor."""

import sys
from collections import Counter
from pathlib import Path

import pytest
from sklearn.base import clone
from test_imports import FLOORS, GROUND

import sk_ctxmem
from sk_ctxmem import ContextMemoryClassifier

PACKAGE = Path(sk_ctxmem.__file__).parent
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS, start=1) for room in rooms}
FLOOR_OF |= dict.fromkeys(GROUND, 0)


def trace_climbs(function):
    """Run a function, and count the calls from a room into another one not below it.

    The caller is the nearest frame of this package: calls that go through scikit-learn, skorch or
    torch count as those of the code that called them.
    """
    climbs = Counter()

    def note(frame, event, argument):
        if event != "call" or (callee := _room_of(frame)) is None:
            return
        caller = frame.f_back
        while caller is not None and _room_of(caller) is None:
            caller = caller.f_back
        if caller is None or (room := _room_of(caller)) == callee:
            return
        if FLOOR_OF[callee] >= FLOOR_OF[room]:
            climbs[f"{room}.{caller.f_code.co_name} -> {callee}.{frame.f_code.co_name}"] += 1

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return climbs


def _room_of(frame):
    """Return the room of the code that a frame runs, or None if it is not ours."""
    path = Path(frame.f_code.co_filename)
    if not path.is_relative_to(PACKAGE):
        return None
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.fixture(scope="module")
def fitted(talks):
    """Return a small classifier with speakers, fitted, and its data."""
    X = talks.drop(columns="target").assign(who="a")
    clf = ContextMemoryClassifier(
        text_column="text",
        group_column="group",
        speaker_column="who",
        hidden_size=8,
        max_epochs=3,
        random_state=0,
    )
    return clf.fit(X, talks["target"]), X, talks["target"]


def _embed(texts):
    """Return a vector of each text."""
    return [[len(text), text.count("red")] for text in texts]


CALLS = {
    "fit": lambda clf, X, y: clf.fit(X, y),
    "fit with an embedder": lambda clf, X, y: clone(clf).set_params(embedder=_embed).fit(X, y),
    "explain with an embedder": lambda clf, X, y: (
        clone(clf)
        .set_params(embedder=_embed)
        .fit(X, y)
        .explain(X, rows=[3], method="leave_one_out")
    ),
    "fit with early stopping": lambda clf, X, y: clf.set_params(n_iter_no_change=1).fit(X, y),
    "partial_fit": lambda clf, X, y: clf.partial_fit(X, y),
    "predict": lambda clf, X, y: clf.predict(X),
    "explain": lambda clf, X, y: clf.explain(X, rows=[3]),
    "predict_one": lambda clf, X, y: clf.session().predict_one("red", speaker="a"),
    "sessions": lambda clf, X, y: clf.sessions(2).predict(["red", "blue"], speakers=["a", "a"]),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.slow
def test_calls_go_down(name, fitted):
    """Check that no call climbs from a room into another one that is not below it."""
    assert trace_climbs(lambda: CALLS[name](*fitted)) == {}


HOOKS = {  # functions that a room is given, or methods of the objects that it reads
    "_files._write_object -> _model.check_safe_params",
    "_files._read_known -> _model.check_safe_params",
    "_files._read_known -> _features.__init__",
    "_files._read_known -> _features._check_learned",
}


def test_files_go_down(fitted, tmp_path):
    """Check the same of save and load, but for the hooks of the codec."""
    path = tmp_path / "model"
    assert set(trace_climbs(lambda: fitted[0].save(path))) <= HOOKS
    assert set(trace_climbs(lambda: ContextMemoryClassifier.load(path))) <= HOOKS


SKLEARN_HOOKS = {  # how scikit-learn makes the fitted_estimator that its callbacks ask for
    "_training.<lambda> -> _classifier.fitted_attributes",
    "_training.end_epoch -> _classifier.__copy__",
    "_training.end -> _classifier.__copy__",
}


def test_callbacks_of_scikit_learn_climb_by_name(talks):
    """Check that a callback that asks for a fitted classifier brings these climbs and no other."""
    pytest.importorskip("sklearn.callback", reason="in scikit-learn since 1.9")

    class KeepsFitted:
        def setup(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context, *, fitted_estimator):
            self.fitted = fitted_estimator

        def teardown(self, estimator, context):
            pass

    clf = ContextMemoryClassifier(text_column="text", hidden_size=8, max_epochs=1)
    clf.set_callbacks(KeepsFitted())
    X = talks.drop(columns=["target", "group"])
    assert set(trace_climbs(lambda: clf.fit(X, talks["target"]))) == SKLEARN_HOOKS


def test_a_climb_is_seen():
    """Check that a call of the classifier from a room below counts."""
    code = compile("call()", str(PACKAGE / "_network" / "_net.py"), "exec")
    climbs = trace_climbs(lambda: exec(code, {"call": ContextMemoryClassifier}))
    assert climbs == {"_network.<module> -> _classifier.__init__": 1}
