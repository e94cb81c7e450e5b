"""A service that keeps conversations: FastAPI, with Redis behind it.

    python app.py talks.ctxmem --workers 2 --redis redis://localhost:6379/0

Of several model files, the first one is for new conversations; the others end theirs.
"""

import argparse
import os
import warnings

import redis
from conversations import Refusal, name_models, take_turn
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from redis.backoff import NoBackoff
from redis.retry import Retry
from workers import serve

from sk_ctxmem import ContextMemoryClassifier, UnknownSpeakersWarning

MAX_TEXT = 10_000  # characters
MAX_BODY = 131_072  # bytes: that text, each character written as two escapes of 6 bytes


class Turn(BaseModel):
    """One turn of a conversation, as it is sent."""

    model_config = ConfigDict(extra="forbid", strict=True)
    conversation: str = Field(min_length=1, max_length=200, pattern=r"^\S+$")
    turn: int = Field(ge=0, lt=2**31)
    text: str = Field(max_length=MAX_TEXT)
    speaker: str | None = Field(default=None, min_length=1, max_length=200)


def make_app(models, database, seconds):
    """Return the app.

    Parameters
    ----------
    models : dict of str to ContextMemoryClassifier
        Result of `name_models`.
    database : redis.Redis
        Where conversations are stored.
    seconds : int
        How long a conversation is kept after its last turn.
    """
    app = FastAPI(title="Conversations")

    @app.post("/turn")
    def add_turn(turn: Turn):  # no coroutine, so that it runs in a thread
        key = f"conversation:{turn.conversation}"

        def change(transaction):
            answer, record = take_turn(models, read(transaction, key), **turn.model_dump())
            transaction.multi()
            if record is not None:
                transaction.set(key, record, ex=seconds)
            return answer

        # If another worker has changed the conversation in the meantime, this starts again.
        return database.transaction(change, key, value_from_callable=True)

    @app.get("/health")
    def tell_health():
        database.ping()
        return {"models": list(models)}

    app.middleware("http")(limit_body)
    app.add_exception_handler(Refusal, refuse_turn)
    app.add_exception_handler(RequestValidationError, refuse_input)
    app.add_exception_handler(redis.RedisError, refuse_for_now)
    return app


def read(transaction, key):
    """Return the record of a conversation; of a key that holds no bytes, a damaged one."""
    try:
        return transaction.get(key)
    except redis.ResponseError as error:
        if "WRONGTYPE" not in str(error):
            raise
        return b""


async def limit_body(request, call_next):
    """Refuse what is too long before it is read, and name the worker in each answer."""
    size = request.headers.get("content-length")
    if request.method == "POST" and size is None:
        return refuse(411, "length", "the header Content-Length is missing")
    if int(size or 0) > MAX_BODY:
        return refuse(413, "length", f"the body has more than {MAX_BODY} bytes")
    response = await call_next(request)
    response.headers["X-Worker"] = str(os.getpid())
    return response


async def refuse_turn(request, error):
    """Say why a turn is not added."""
    status = 422 if error.reason == "speaker" else 409
    return refuse(status, error.reason, str(error), error.expected)


async def refuse_input(request, error):
    """Say what is wrong with a request, without repeating it: it may be no legal text."""
    found = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
    return refuse(422, "input", "; ".join(found).encode("ascii", "replace").decode())


async def refuse_for_now(request, error):
    """Say that the database is away."""
    message = f"Redis does not answer ({error}); send the same turn again, it counts once"
    return refuse(503, "redis", message)


def refuse(status, reason, message, expected=None):
    """Return an answer that says why there is no other."""
    return JSONResponse({"reason": reason, "detail": message, "expected": expected}, status)


def connect(address):
    """Return a client of Redis that gives up soon, and tries a lost connection once more."""
    once_more = Retry(NoBackoff(), 1)
    return redis.Redis.from_url(
        address, socket_timeout=2, socket_connect_timeout=1, retry=once_more
    )


def main():
    """Load the models once, and answer from workers that share them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", nargs="+", help="files of save()")
    parser.add_argument("--redis", default="redis://localhost:6379/0")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=int, default=86_400, help="seconds after the last turn")
    options = parser.parse_args()
    # Names that anybody may send would fill the log, and the list of warnings that Python keeps.
    warnings.simplefilter("ignore", UnknownSpeakersWarning)
    models = name_models(map(ContextMemoryClassifier.load, options.models))
    app = make_app(models, connect(options.redis), options.keep)
    serve(app, options.host, options.port, options.workers)


if __name__ == "__main__":
    main()
