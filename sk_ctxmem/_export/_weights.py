"""The weights of a network as constants of a graph, by their names in torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._graph import Graph, Value


class Weights:
    """Weights of a module of a network, in single precision.

    Parameters
    ----------
    graph : Graph
        Graph that gets the weights.
    module : torch.nn.Module
        Module of the network.
    prefix : str, default=""
        Name of the module in the network, with a dot at the end.
    """

    def __init__(self, graph: Graph, module: Any, prefix: str = "") -> None:
        self.graph = graph
        self.module = module
        self.prefix = prefix

    def within(self, name: str) -> Weights:
        """Return the weights of a module inside."""
        return Weights(self.graph, getattr(self.module, name), f"{self.prefix}{name}.")

    def array(self, name: str) -> np.ndarray:
        """Return a weight as an array."""
        return self.module.get_parameter(name).detach().cpu().float().numpy()

    def put(self, name: str, array: np.ndarray) -> Value:
        """Add an array that is made of weights, under a name of its own."""
        return self.graph.weight(self.prefix + name, array)

    def take(self, name: str) -> Value:
        """Add a weight as it is."""
        return self.put(name, self.array(name))

    def linear(
        self, name: str, values: Value, names: tuple[str, str] = ("weight", "bias")
    ) -> Value:
        """Apply a linear map, which may have no bias, to the last axis."""
        layer = self.within(name) if name else self
        weight = layer.put(f"{names[0]}.T", layer.array(names[0]).T)
        mapped = values @ weight
        has_bias = getattr(layer.module, names[1], None) is not None
        return mapped + layer.take(names[1]) if has_bias else mapped
