"""Parts of the model, each with how to do without it.

Most are parameters. Those that are not are patched away, by name: this is the one place where the
benchmarks know the inside of the package.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import numpy as np


@dataclass(frozen=True)
class Part:
    """A part of the model.

    Parameters
    ----------
    name : str
        What a table calls it.

    parameters : dict
        Parameters of the classifier that leave it out.

    patches : dict of str to object
        Dotted names inside the package, and what takes their place.

    needs_groups : bool
        Whether it is there only where rows have groups.
    """

    name: str
    parameters: dict[str, Any] = field(default_factory=dict)
    patches: dict[str, Any] = field(default_factory=dict)
    needs_groups: bool = False

    @contextmanager
    def left_out(self) -> Iterator[None]:
        """Do without what no parameter leaves out, for a while."""
        with ExitStack() as stack:
            for name, value in self.patches.items():
                stack.enter_context(patch(f"sk_ctxmem.{name}", value))
            yield


def _without_wide_path(self: Any, batch: Any) -> Any:
    read, wide = self.table(self._drop_features(batch.features))
    deep = self._decode(self._drop(self.encode(read, batch)), batch)
    return self._join(deep, batch), 0 * wide.to(deep.dtype), deep


def _without_network(self: Any, batch: Any) -> Any:
    _, wide = self.table(self._drop_features(batch.features))
    wide = wide.to(self.decoder.weight.dtype)
    return self._join(wide, batch), wide, 0 * wide


def _nothing_attended(self: Any, states: Any, blocks: Any) -> Any:
    return 0 * self.project(states)[:, : self.project.out_features // 3]


def _no_places(lengths: np.ndarray, both: bool) -> np.ndarray:
    return np.zeros((lengths.sum(), 5 if both else 2), dtype=np.float32)


def all_parts() -> list[Part]:
    """List the whole model, as a part that leaves nothing out, then its parts."""
    net = "_network._net.ContextMemoryNet"
    attend = "_network._attention.Attention.forward"
    return [
        Part("all"),
        Part("n-grams of characters", {"vectorizer__char_ngram_range": None}),
        Part("pairs of words", {"vectorizer__ngram_range": (1, 1)}),
        Part("linear path", patches={f"{net}.forward": _without_wide_path}),
        Part("all but the linear path", patches={f"{net}.forward": _without_network}),
        Part("a loss for each path", patches={"_network._loss.PATH_LOSS_WEIGHT": 0.0}),
        Part("dropout", {"dropout": 0.0}),
        Part("label smoothing", patches={"_network._loss.LABEL_SMOOTHING": 0.0}),
        Part("temperature", patches={"_training._callbacks.fit_temperature": lambda *told: 1.0}),
        Part(
            "n-grams of one row merged",
            patches={"_features._scaler.RowNormScaler._merge_singles": lambda *x: len(x[-1])},
        ),
        Part("context", {"context": "none"}, needs_groups=True),
        Part("gates of the GRU (elman)", {"memory": "elman"}, needs_groups=True),
        Part("attention", patches={attend: _nothing_attended}, needs_groups=True),
        Part(
            "class of the row before",
            patches={f"{net}._join": lambda self, logits, batch: logits},
            needs_groups=True,
        ),
        Part(
            "place in the group",
            patches={"_rows._arrange.describe_places": _no_places},
            needs_groups=True,
        ),
        Part("speakers", {"speaker_column": None}, needs_groups=True),
        Part(
            "mean of the weights",
            patches={"_training._callbacks.AverageWeights.on_epoch_end": lambda *net, **more: None},
            needs_groups=True,
        ),
    ]
