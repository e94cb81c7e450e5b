"""Network from the weights of a file or pickle."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._network._memories import MEMORIES
from .._network._net import ContextMemoryNet

MAX_SIZE = 2**31 - 1
MIN_SIZES = {  # by parameter
    "n_features": 0,
    "n_classes": 1,
    "n_extras": 0,
    "n_speakers": 0,
    "width": 1,
    "n_words": 0,
    "n_dense": 0,
    "n_embedded": 0,
    "n_kept": 0,
    "window": 1,
    "n_turns": 0,
    "word_width": 0,
}


def build_network(
    network_params: Mapping[str, Any], weights: Mapping[str, np.ndarray]
) -> ContextMemoryNet:
    """Build a network with given weights, without drawing random numbers.

    The modules are built on the torch device "meta", where tensors have a shape but no memory, so
    that wrong sizes in a file raise before memory is allocated. ContextMemoryNet has no buffers:
    buffers that are not in its state would have to be built on another device.

    Fits with `warm_start` and calls of `partial_fit` do not use this function. They build the
    network under a seed and then load the weights of the previous fit, so that dropout continues
    from the random state after the discarded initial weights.

    Parameters
    ----------
    network_params : mapping of str to object
        Parameters of ContextMemoryNet.
    weights : mapping of str to ndarray
        State of the network. The arrays are copied.

    Returns
    -------
    network : ContextMemoryNet
        Network on the CPU, whose weights require gradients.

    Raises
    ------
    ValueError
        If a parameter or a weight is invalid by itself.
    RuntimeError
        If the names or shapes of the weights do not match the parameters.
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
    # torch.set_default_device may have set another device
    return torch.tensor(array, device="cpu")


def _check_params(params: Mapping[str, Any]) -> None:
    """Raise unless each parameter of a network has a valid type and value.

    torch checks whether the sizes match the weights when it loads them.
    """
    expected = sorted(signature(ContextMemoryNet).parameters)
    if sorted(params) != expected:
        raise ValueError(f"a network has the parameters {expected}, not {sorted(params)!r:.200}")
    valid = {name: _is_size(params[name], least) for name, least in MIN_SIZES.items()} | {
        "sparse": type(params["sparse"]) is bool,
        "pools": type(params["pools"]) is bool,
        "multilabel": type(params["multilabel"]) is bool,
        "memory": params["memory"] in list(MEMORIES),
        "context": params["context"] in ["past", "both", "none"],
        "dropout_rate": _is_rate(params["dropout_rate"]),
    }
    invalid = [f"{name}={params[name]!r:.60}" for name, is_valid in valid.items() if not is_valid]
    if invalid:
        raise ValueError(f"a network cannot have {', '.join(invalid)}")


def _is_size(value: Any, least: int) -> bool:
    return type(value) is int and least <= value <= MAX_SIZE


def _is_rate(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < 1
