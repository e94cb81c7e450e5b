"""Tests that JavaScript predicts with exported graphs what the classifier predicts."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from _exports import agree, export, fit_talks, make_talks

from sk_ctxmem.exceptions import UnknownSpeakersWarning

pytest.importorskip("onnx", reason="needs the extra onnx")
pytest.importorskip("onnxruntime", reason="needs the extra onnx")

SCRIPT = Path(__file__).parent / "node" / "predict.js"


@pytest.fixture(scope="module")
def onnxruntime_node(tmp_path_factory):
    """Return the folder of the package onnxruntime-node."""
    for name in ("node", "npm"):
        if shutil.which(name) is None:
            pytest.skip(f"needs {name}")
    folder = tmp_path_factory.mktemp("node")
    command = [shutil.which("npm"), "install", "--no-audit", "--no-fund", "onnxruntime-node"]
    environment = os.environ | {"ONNXRUNTIME_NODE_INSTALL": "skip"}  # it has the CPU library
    try:
        subprocess.run(
            command, cwd=folder, env=environment, check=True, capture_output=True, timeout=120
        )
    except (subprocess.SubprocessError, OSError):
        pytest.skip("needs onnxruntime-node, which npm cannot install")
    return folder / "node_modules" / "onnxruntime-node"


def feed_of(model, frame):
    """Return the inputs of a graph as plain values."""
    rows, speakers = np.arange(len(frame)), frame["speaker"].tolist()
    feed = model._feed(frame["text"].tolist(), rows, speakers, None, None)
    feed["codes"] = [str(code) for code in feed.pop("speaker_codes").tolist()]
    return {name: each if name == "codes" else each.tolist() for name, each in feed.items()}


@pytest.mark.slow
@pytest.mark.parametrize("memory", ["elman", "gru", "lstm", "mingru"])
def test_javascript_predicts_the_same(memory, onnxruntime_node, tmp_path):
    """Check ten conversations in onnxruntime-node, at once and turn by turn."""
    classifier = fit_talks(memory=memory, speaker_column="speaker")
    frame = make_talks((3, 70, 1, 8, 5, 12, 6, 4, 9, 2), seed=1)
    frame.loc[4, "speaker"] = "stranger"
    model = export(classifier, tmp_path)
    talks = [talk for _, talk in frame.groupby("group", sort=False)]
    task = {
        "rows": feed_of(model, frame),
        "groups": [0, *np.cumsum([len(talk) for talk in talks]).tolist()],
        "conversations": [
            [feed_of(model, talk[i : i + 1]) for i in range(len(talk))] for talk in talks
        ],
        "state": model.config["state"],
    }
    (tmp_path / "task.json").write_text(json.dumps(task), encoding="utf-8")
    graphs = [model.folder / "rows.onnx", model.folder / "step.onnx"]
    command = [shutil.which("node"), SCRIPT, onnxruntime_node, *graphs, tmp_path / "task.json"]
    printed = subprocess.run(command, check=True, capture_output=True, timeout=120).stdout
    with pytest.warns(UnknownSpeakersWarning, match="'stranger'"):
        expected = classifier.predict_proba(frame)
    for found in json.loads(printed).values():
        agree(np.reshape(found, expected.shape), expected)
