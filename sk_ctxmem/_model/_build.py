"""A network from the weights of a file or a pickle."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._network._memories import MEMORIES
from .._network._net import ContextMemoryNet

LARGEST_SIZE = 2**31 - 1
SMALLEST_SIZES = {  # of the parameters that are sizes
    "n_features": 0,
    "n_classes": 1,
    "n_extras": 0,
    "n_speakers": 0,
    "width": 1,
    "n_words": 0,
}


def build_network(
    network_params: Mapping[str, Any], weights: Mapping[str, np.ndarray]
) -> ContextMemoryNet:
    """Build a network that has the given weights, without drawing random numbers.

    The modules are built on torch's device "meta", where tensors have a shape and no memory, so
    that a file with wrong sizes is refused before it takes any. `ContextMemoryNet` has no buffers:
    if it gets buffers that are not in its state, they must be built off "meta".

    Fits with `warm_start` and calls of `partial_fit` do not use this function. They build their
    network under a seed and then load the weights of the last one, so that dropout continues from
    the random state after the discarded initial weights.

    Parameters
    ----------
    network_params : mapping of str to object
        The parameters of ContextMemoryNet.
    weights : mapping of str to ndarray
        The state of the network. The arrays are copied.

    Returns
    -------
    network : ContextMemoryNet
        On the CPU. Its weights require gradients.

    Raises
    ------
    ValueError
        If a parameter or a weight is not legal by itself.
    RuntimeError
        If names or shapes of the weights are not those of a network with these parameters.
    """
    _check_params(network_params)
    for name, array in weights.items():
        if array.dtype != np.float32 or not np.isfinite(array).all():
            raise ValueError(f"weights[{name!r:.60}] must be finite numbers of type float32")
    with torch.device("meta"):
        network = ContextMemoryNet(**network_params)
    state = {name: _own_copy(array) for name, array in weights.items()}
    network.load_state_dict(state, assign=True)
    return network


def _own_copy(array: np.ndarray) -> Tensor:
    # the device is named: that of torch.set_default_device may be another
    return torch.tensor(array, device="cpu")


def _check_params(params: Mapping[str, Any]) -> None:
    """Raise unless each parameter of a network has a legal type and value.

    Whether the sizes are those of the weights is checked by torch when it loads them.
    """
    expected = sorted(signature(ContextMemoryNet).parameters)
    if sorted(params) != expected:
        raise ValueError(f"a network has the parameters {expected}, not {sorted(params)!r:.200}")
    legal = {name: _is_size(params[name], least) for name, least in SMALLEST_SIZES.items()} | {
        "sparse": type(params["sparse"]) is bool,
        "memory": params["memory"] in list(MEMORIES),
        "context": params["context"] in ["past", "both", "none"],
        "dropout_rate": _is_rate(params["dropout_rate"]),
    }
    wrong = [f"{name}={params[name]!r:.60}" for name, is_legal in legal.items() if not is_legal]
    if wrong:
        raise ValueError(f"a network cannot have {', '.join(wrong)}")


def _is_size(value: Any, least: int) -> bool:
    return type(value) is int and least <= value <= LARGEST_SIZE


def _is_rate(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < 1
