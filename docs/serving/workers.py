"""Worker processes that share what was loaded before they were forked."""

import gc
import os
import signal
import socket
import sys
import threading
import time
import traceback

import uvicorn

WAITED = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
PAUSE = 0.5  # seconds before a worker that ended is replaced, so that one which cannot start waits


def serve(app, host, port, n_workers):
    """Answer requests to an ASGI app from several workers, until SIGTERM or SIGINT.

    The socket is opened once. Connections wait in it while a worker is replaced.
    """
    listener = socket.create_server((host, port), backlog=2048)
    alive, parent = os.pipe()
    gc.collect()
    gc.freeze()  # else the collector writes to the shared pages of each object, and copies them

    def work():
        os.close(parent)  # so that the pipe ends with the parent
        threading.Thread(target=_end_with, args=[alive], daemon=True).start()
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=10)
        uvicorn.Server(config).run(sockets=[listener])

    print(f"listening on {host}:{listener.getsockname()[1]}", flush=True)
    keep_running(work, n_workers)


def keep_running(work, n_workers):
    """Run a function in forked workers, and replace each that ends, until SIGTERM or SIGINT."""
    signal.signal(signal.SIGCHLD, lambda *_: None)  # not ignored, so that it can be waited for
    signal.pthread_sigmask(signal.SIG_BLOCK, WAITED)  # they wait while workers are counted
    workers = {_fork(work) for _ in range(n_workers)}
    while signal.sigwait(WAITED) == signal.SIGCHLD:
        for ended in _ended(workers):
            print(f"worker {ended} ended and is replaced", file=sys.stderr, flush=True)
            time.sleep(PAUSE)
            workers = workers - {ended} | {_fork(work)}
    for worker in workers:
        os.kill(worker, signal.SIGTERM)
    for worker in workers:
        os.waitpid(worker, 0)


def _ended(workers):
    """List the workers that ended; one signal may stand for several of them."""
    return [worker for worker in workers if os.waitpid(worker, os.WNOHANG)[0]]


def _fork(work):
    """Run a function in a child, which never returns from here."""
    worker = os.fork()
    if worker:
        return worker
    status = 1
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WAITED)
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def _end_with(alive):
    """End this worker as soon as the parent has ended, in whatever way."""
    os.read(alive, 1)
    os.kill(os.getpid(), signal.SIGTERM)
