"""Parts of the model, and how to leave each of them out.

Most are left out by parameters. The others are patched by name: this is the only place where the
benchmarks use private names of the package.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import numpy as np

WHOLE = "all"  # a part that leaves nothing out


@dataclass(frozen=True)
class Part:
    """A part of the model.

    Parameters
    ----------
    name : str
        Name in the tables.

    parameters : dict
        Parameters of the classifier without the part.

    patches : dict of str to object
        Replacements, by dotted name inside the package.

    needs_groups : bool
        Whether the model has the part only for rows with groups.
    """

    name: str
    parameters: dict[str, Any] = field(default_factory=dict)
    patches: dict[str, Any] = field(default_factory=dict)
    needs_groups: bool = False

    @contextmanager
    def patched(self) -> Iterator[None]:
        """Context in which the names are patched."""
        with ExitStack() as stack:
            for name, value in self.patches.items():
                stack.enter_context(patch(f"sk_ctxmem.{name}", value))
            yield


def _without_wide_path(self: Any, batch: Any) -> Any:
    read, wide = self.table(batch.features)
    deep = self._decode(self._drop(self.encode(read, batch)), batch)
    return self._add_transitions(deep, batch), 0 * wide.to(deep.dtype), deep


def _without_network(self: Any, batch: Any) -> Any:
    _, wide = self.table(batch.features)
    wide = wide.to(self.decoder.weight.dtype)
    return self._add_transitions(wide, batch), wide, 0 * wide


def _without_attention(self: Any, states: Any, blocks: Any, turns: Any = None) -> Any:
    return 0 * self.project(states)[:, self.key_width - self.cached_width :]


def _without_places(lengths: np.ndarray, both: bool, longest: int | None = None) -> np.ndarray:
    return np.zeros((lengths.sum(), 5 if both else 2), dtype=np.float32)


def all_parts() -> list[Part]:
    """List the whole model, then its parts."""
    net = "_network._net.ContextMemoryNet"
    attend = "_network._attention.Attention.forward"
    return [
        Part(WHOLE),
        Part("n-grams of characters", {"vectorizer__char_ngram_range": None}),
        Part("pairs of words", {"vectorizer__ngram_range": (1, 1)}),
        Part("linear path", patches={f"{net}.forward": _without_wide_path}),
        Part("all but the linear path", patches={f"{net}.forward": _without_network}),
        Part("a loss for each path", patches={"_network._loss.PATH_LOSS_WEIGHT": 0.0}),
        Part(
            "margins of the linear path",
            patches={"_training._trainer.ROWS_OF_A_CLASS": np.inf},
        ),
        Part("dropout", {"dropout": 0.0}),
        Part(
            "penalty of the table",
            patches={"_training._penalties.FEWEST_ROWS": np.inf},
        ),
        Part("label smoothing", patches={"_training._skorch_net.LABEL_SMOOTHING": 0.0}),
        Part("temperature", patches={"_training._callbacks.fit_temperature": lambda *args: 1.0}),
        Part(
            "n-grams of one row merged",
            patches={"_features._scaler.RowNormScaler._merge_singles": lambda *args: len(args[-1])},
        ),
        Part("context", {"context": "none"}, needs_groups=True),
        Part("gates of the GRU (elman)", {"memory": "elman"}, needs_groups=True),
        Part("attention", patches={attend: _without_attention}, needs_groups=True),
        Part(
            "class of the row before",
            patches={f"{net}._add_transitions": lambda self, logits, batch: logits},
            needs_groups=True,
        ),
        Part(
            "place in the group",
            patches={"_rows._arrange.describe_places": _without_places},
            needs_groups=True,
        ),
        Part("speakers", {"speaker_column": None}, needs_groups=True),
        Part(
            "mean of the weights",
            patches={
                "_training._callbacks.AverageWeights.on_epoch_end": lambda *args, **more: None
            },
            needs_groups=True,
        ),
    ]


def choose_parts(asked: str | None) -> list[Part]:
    """Return the whole model and the parts with these names, separated by commas; None for all."""
    parts = all_parts()
    if asked is None:
        return parts
    names = [part.name for part in parts]
    for name in asked.split(","):
        if name not in names:
            raise ValueError(f"there is no part {name!r}; choose from {', '.join(names)}.")
    return [part for part in parts if part.name in {WHOLE, *asked.split(",")}]
