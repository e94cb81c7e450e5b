"""Test of docs/how_it_works.rst: the lines beside its formulas are those that compute them."""

import re
from importlib import import_module
from inspect import getsource
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"

# What a page shows -> the lines of it that its formula is about. A new block needs a line here.
FORMULAS = {
    "_network._encoder.FeatureTable.forward": [
        "mapped = table_product(self.weight, features)",
        "parts = mapped.split(self.widths, dim=1)",
        "return tuple(part * factor for part, factor in zip(parts, self.factors, strict=True))",
    ],
    "_network._encoder.Encoder.forward": [
        "driven = read.to(self.bias.dtype) + self.bias",
        "driven = driven + term",
        "return self.activation(driven)",
    ],
    "_network._memories.ElmanMemory.forward": [
        "driven = self.input(encodings).split(sizes)",
        "memories = [driven[0].sigmoid()]",
        "memories.append((step + self.recurrent(before)).sigmoid())",
    ],
    "_network._memories.MinGRUMemory.forward": [
        "gate = self.gate(encodings).sigmoid()",
        "kept, memory = 1 - gate, gate * self.candidate(encodings)",
    ],
    "_network._memories.ContextMemory.forward": ["return cat([past, future], dim=1)"],
    "_network._attention.Attention._weights": [
        "scores = self._dot_products(queries, keys)",
        "scores = scores + self._scaled(self.distance_weight)[:, places]",
        "scores = self._add_turns(scores, own, inside.unflatten(0, (-1, length)))",
        ".softmax(dim=-1)",
    ],
    "_network._net.ContextMemoryNet._decode": [
        "return self.decoder(encodings)",
        "states = torch.cat([memories, encodings], dim=1)",
        "return self.decoder(self._drop(memories)) + self.attended(self._drop(found))",
    ],
    "_network._net.ContextMemoryNet.decide": [
        "self._add_transitions(wide + deep, batch)",
    ],
    "_network._label_transitions.LabelTransitions.condition": [
        "return logits + TRANSITION_SCALE * self.transitions[before]"
    ],
    "_network._label_transitions.LabelTransitions.expect": [
        "before = first.softmax(dim=1)",
        "before = (before[: len(factor)] / total) @ spread * factor",
    ],
    "_network._pooling.SequencePooling.weights": ["return self.score(states).tanh().exp()"],
    "_network._pooling.SequencePooling.forward": [
        "weighted = torch.cat([self._weigh(states), wide], dim=1)",
        "sums = _cumulate(weighted.index_select(0, by_sequence), starts)",
        "return self._divide(sums.index_select(0, places), numbers)",
    ],
    "_network._net.ContextMemoryNet.decode_sequences": [
        "return self.decoder(pooled)",
        "return self.decoder(self._drop(last)) + self.pooled(self._drop(pooled))",
    ],
    "_model._fitted_model.FittedModel.logits_of": [
        "predict_logits(self.network, rows, self.device) / self.temperature"
    ],
}
SHOWN = [
    (path.replace("/", "."), name)
    for path, name in re.findall(
        r"literalinclude:: \.\./sk_ctxmem/([\w/]+)\.py\n   :language: python\n   :pyobject: (.*)\n",
        (DOCS / "how_it_works.rst").read_text(encoding="utf-8"),
    )
]


def test_every_block_of_the_page_is_checked():
    """Check that the page shows what the table names, in its order."""
    assert [f"{module}.{name}" for module, name in SHOWN] == list(FORMULAS)


@pytest.mark.parametrize("shown", SHOWN, ids=".".join)
def test_the_lines_of_a_formula_are_where_the_page_shows_them(shown):
    """Check that the method beside a formula still has the lines that compute it."""
    module, name = shown
    thing = import_module(f"sk_ctxmem.{module}")
    for part in name.split("."):
        thing = getattr(thing, part)
    source = getsource(thing)
    missing = [line for line in FORMULAS[".".join(shown)] if line not in source]
    assert missing == []


def test_the_sizes_of_the_text_are_those_of_the_code():
    """Check the width and the window of the attention, and the share of hidden classes."""
    attention, labels = (
        import_module(f"sk_ctxmem._network.{name}") for name in ("_attention", "_label_transitions")
    )
    text = (DOCS / "how_it_works.rst").read_text(encoding="utf-8")
    assert f"width of the attention ({attention.ATTENTION_WIDTH})" in text
    assert f"The window has {attention.ATTENTION_WINDOW} rows, the row itself included" in text
    assert attention.WEIGHT_SCALES == (32.0, 8.0)
    assert "In one, :math:`c` is 32" in text
    assert "In the other it is 8" in text
    assert f"up to the {attention.N_TURNS}th" in text
    assert attention.KEY_WIDTH // 2 == 8
    assert "each with its own 8 numbers of query and key, 16 of the value" in text
    assert labels.HIDDEN_LABELS == 0.3
    assert "hidden from three rows in ten" in text
