"""Scripts that several processes run, started as torchrun starts them, and what they print."""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).parents[2]

BEGINNING = """
import json, os, sys, time, warnings
from hashlib import sha256
warnings.simplefilter("error")
import numpy as np
import torch
import torch.distributed as dist
from sk_ctxmem import ContextMemoryClassifier, ProcessLostError
from sk_ctxmem.datasets import make_conversations
from sk_ctxmem.distributed import fit_distributed

RANK = int(os.environ["RANK"])
talks = make_conversations(80, random_state=0).frame
X, y = talks[["text", "group"]], talks["target"]

def make(**params):
    usual = {"text_column": "text", "group_column": "group", "random_state": 0, "device": "cpu"}
    return ContextMemoryClassifier(**usual | {"hidden_size": 16, "max_epochs": 2} | params)

def digest(clf):
    parts = [weight.numpy().tobytes() for weight in clf._model.network.state_dict().values()]
    return sha256(b"".join(parts)).hexdigest()

def say(**values):
    print(json.dumps(values), flush=True)
"""


def free_port():
    """Return a port of this machine that nothing listens to."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start(script, tmp_path, n_processes=2, **variables):
    """Start a script in some processes, which torchrun would kill if one of them failed."""
    path = tmp_path / "script.py"
    path.write_text(BEGINNING + textwrap.dedent(script), encoding="utf-8")
    port = str(free_port())
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(n_processes)}
    shared |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)} | variables
    return [
        subprocess.Popen(
            [sys.executable, str(path)],
            env=os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(n_processes)
    ]


def finish(processes, timeout=300, every=False):
    """Wait for processes, and return the last line of each as JSON, or every line.

    A process that said nothing has None.
    """
    try:
        outputs = [process.communicate(timeout=timeout) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()
    for process, (_, errors) in zip(processes, outputs, strict=True):
        assert process.returncode in (0, -signal.SIGKILL), errors[-3000:]
    lines = [
        [json.loads(line) for line in out.splitlines() if line[0] == "{"] for out, _ in outputs
    ]
    return lines if every else [said[-1] if said else None for said in lines]


def run(script, tmp_path, n_processes=2, every=False, **variables):
    """Run a script in some processes, and return what each said last, or all of it."""
    return finish(start(script, tmp_path, n_processes, **variables), every=every)
