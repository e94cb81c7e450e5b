"""Tests of the service over HTTP, with a real Redis, and of its workers."""

import json
import os
import shutil
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
from _serving import RedisServer, run_app, wait_for
from _sessions import TOLERANCE, fit

httpx = pytest.importorskip("httpx")
redis = pytest.importorskip("redis")
pytest.importorskip("fastapi")
uvicorn = pytest.importorskip("uvicorn")

import app as service  # noqa: E402
from conversations import name_models  # noqa: E402

JSON = {"Content-Type": "application/json"}

pytestmark = [
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork"),
]


@pytest.fixture(scope="module")
def model(talks):
    """Fit a classifier on conversations without speakers."""
    return fit(talks)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Start a Redis for the tests of this file."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture
def database(server):
    """Return a client of an empty Redis."""
    with service.connect(server.address) as client:
        client.flushdb()
        yield client


@contextmanager
def serve_here(model, database):
    """Run the app in a thread of this process; yield a client."""
    app, listener = service.make_app(name_models([model]), database, 60), socket.socket()
    listener.bind(("127.0.0.1", 0))
    http = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=http.run, args=[[listener]])
    thread.start()
    wait_for(port := listener.getsockname()[1])
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, headers=JSON) as client:
        yield client
    http.should_exit = True
    thread.join()


@pytest.fixture
def client(model, database):
    """Return a client of the app in this process."""
    with serve_here(model, database) as client:
        yield client


def say(client, turn, text, conversation="a", **others):
    """Send a turn; return the status and the answer."""
    request = {"conversation": conversation, "turn": turn, "text": text} | others
    response = client.post("/turn", content=json.dumps(request))
    return response.status_code, response.json()


def test_a_conversation_over_http_is_the_batch(client, model, talks, database):
    """Check labels and probabilities, and that the record leaves after its time."""
    rows = talks[talks["group"] == 0]
    answers = [say(client, turn, text)[1] for turn, text in enumerate(rows["text"])]
    assert [answer["label"] for answer in answers] == model.predict(rows).tolist()
    found = [answer["probability"] for answer in answers]
    np.testing.assert_allclose(found, model.predict_proba(rows).max(axis=1), atol=TOLERANCE)
    assert say(client, 1, rows["text"].iloc[1]) == (200, answers[1])
    assert 0 < database.ttl("conversation:a") <= 60
    assert client.get("/health").json() == {"models": [answers[0]["model"]]}


BAD = {
    "a text that is none": ({"text": 3}, "body.text: Input should be a valid string"),
    "no text": ({"text": None}, "body.text"),
    "a text of bytes": ({"text": ["a"]}, "body.text"),
    "a long text": ({"text": "a" * 10_001}, "at most 10000 characters"),
    "lone surrogates": ({"text": "\ud800"}, "body.text"),
    "an empty id": ({"conversation": ""}, "body.conversation"),
    "a blank id": ({"conversation": " "}, "body.conversation"),
    "an id that is none": ({"conversation": 7}, "body.conversation"),
    "a long id": ({"conversation": "a" * 201}, "body.conversation"),
    "a negative turn": ({"turn": -1}, "body.turn"),
    "a turn as text": ({"turn": "0"}, "body.turn"),
    "a bool": ({"turn": False}, "body.turn"),
    "a fraction": ({"turn": 0.5}, "body.turn"),
    "a huge turn": ({"turn": 10**400}, "body.turn"),
    "another field": ({"color": "red"}, "body.color: Extra inputs are not permitted"),
    "another field with surrogates": ({"\ud800": 1}, "body: Input should be"),
    "a speaker that is none": ({"speaker": 3}, "body.speaker"),
    "an empty speaker": ({"speaker": ""}, "body.speaker"),
    "a speaker too many": ({"speaker": "A"}, "the model was fitted without speakers"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named_and_stores_nothing(name, client, database):
    """Check the status and the name of the field."""
    change, message = BAD[name]
    request = {"conversation": "a", "turn": 0, "text": "red"} | change
    response = client.post("/turn", content=json.dumps(request))
    assert response.status_code == 422
    assert message in response.json()["detail"]
    assert database.dbsize() == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"[]", 422),
        (b"null", 422),
        (b"\xff", 400),
        (b"[" * 100_000, 400),
        (b" " * 131_073, 413),
    ],
)
def test_a_body_that_is_no_request_is_refused(body, status, client, database):
    """Check what is no JSON, no object, too deep or too long."""
    response = client.post("/turn", content=body)
    assert response.status_code in (status, 422)
    assert "detail" in response.json()
    assert database.dbsize() == 0


def test_a_body_of_unknown_length_is_refused(client):
    """Check that no stream without an end is read."""
    response = client.post("/turn", content=iter([b"a"]))
    assert (response.status_code, response.json()["reason"]) == (411, "length")


def test_the_longest_text_is_answered(client):
    """Check that the limit of the body leaves room for it, however it is written."""
    assert say(client, 0, "\U0001f600" * 10_000)[0] == 200


@pytest.mark.parametrize("damage", ["bytes", "cut", "exchanged", "list", "hash"])
def test_damage_is_named_and_the_conversation_begins_anew(damage, client, database):
    """Check what somebody else may have left in Redis, keys of another kind too."""
    first = [say(client, turn, text) for turn, text in enumerate(["red", "so ?"])]
    say(client, 0, "blue", "b")
    key, record = "conversation:a", database.get("conversation:a")
    database.delete(key)
    {
        "bytes": lambda: database.set(key, b"\x80\x04."),
        "cut": lambda: database.set(key, record[:-100]),
        "exchanged": lambda: database.set(key, database.get("conversation:b")),
        "list": lambda: database.rpush(key, record),
        "hash": lambda: database.hset(key, "record", record),
    }[damage]()
    status, refused = say(client, 2, "green")
    assert (status, refused["reason"], refused["expected"]) == (409, "damaged", 0)
    assert [say(client, turn, text) for turn, text in enumerate(["red", "so ?"])] == first


def test_requests_at_once_count_one_turn(client):
    """Check that of several texts one is added, and the same text has one answer."""
    for turn, texts in enumerate([["red", "blue", "green", "red"] * 2, ["so ?"] * 8]):
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(partial(say, client, turn), texts))
        added = [answer for status, answer in answers if status == 200]
        refused = [answer["reason"] for status, answer in answers if status == 409]
        assert added == [added[0]] * len(added)
        assert refused == ["text"] * (8 - len(added))
        assert len(added) in ((2, 4) if turn == 0 else (8,))
    assert say(client, 9, "red")[1]["expected"] == 2


@pytest.mark.slow
def test_a_redis_that_is_away_is_named_and_no_turn_is_lost(model, tmp_path):
    """Check the answer while it is killed, and that its file has all turns afterwards."""
    server = RedisServer(tmp_path)
    try:
        database = service.connect(server.address)
        with serve_here(model, database) as client:
            first = say(client, 0, "red")
            server.kill()
            status, answer = say(client, 1, "so ?")
            assert (status, answer["reason"]) == (503, "redis")
            assert "send the same turn again, it counts once" in answer["detail"]
            assert client.get("/health").status_code == 503
            server.start()
            assert say(client, 0, "red") == first
            assert say(client, 1, "so ?")[0] == 200
            assert say(client, 9, "red")[1]["expected"] == 2
        database.close()
    finally:
        server.kill()


@pytest.fixture
def saved(model, tmp_path):
    """Return the path of the saved model."""
    model.save(tmp_path / "model.ctxmem")
    return tmp_path / "model.ctxmem"


def ask_until(done, port):
    """Return the ids of workers that answer, each on a connection of its own, until done."""
    seen = set()
    for _ in range(200):
        seen.add(int(httpx.get(f"http://127.0.0.1:{port}/health").headers["X-Worker"]))
        if done(seen):
            return seen
        time.sleep(0.02)
    raise TimeoutError(f"only {seen} answered")


@pytest.mark.slow
def test_workers_share_the_model_and_are_replaced(saved, database, server):
    """Check that a killed worker loses no turn, and that all end with their parent."""
    with run_app(server.address, saved) as (process, port):
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=JSON) as client:
            first = say(client, 0, "red")
        workers = ask_until(lambda seen: len(seen) == 2, port)
        assert process.pid not in workers
        killed = min(workers)
        os.kill(killed, signal.SIGKILL)
        after = ask_until(lambda seen: len(seen - {killed}) == 2, port) - {killed}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=JSON) as client:
            assert say(client, 0, "red") == first
            assert say(client, 1, "so ?")[0] == 200
    assert process.returncode == 0
    for worker in after:
        with pytest.raises(ProcessLookupError, match="No such process"):
            os.kill(worker, 0)


@pytest.mark.slow
def test_workers_end_though_their_parent_is_killed(saved, database, server):
    """Check that no worker is left that would keep the port."""
    with run_app(server.address, saved) as (process, port):
        ask_until(lambda seen: len(seen) == 2, port)
        process.kill()
        process.wait()
        for _ in range(200):
            try:
                httpx.get(f"http://127.0.0.1:{port}/health")
            except httpx.TransportError:
                return
            time.sleep(0.05)
        raise AssertionError("a worker still answers")
