"""A small fitted classifier as data for the JavaScript of the page.

The JavaScript reads one kind of model: texts, speakers, ``memory="gru"`` and ``context="past"``.
The table of the n-grams, nine tenths of all weights, is rounded to one byte a weight, with a scale
for each row. On the validation part of the dialogues, this moves a probability by .0002 on average,
and accuracy by less than .02 points; one scale for each column moves them by twice as much.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import torch

from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer

ROLES: dict[str, Any] = {f"{role}_column": role for role in ("text", "group", "order", "speaker")}
HIDDEN_SIZE = 32  # on the validation part 96.5 % of the turns, 96.1 with 24, and 97.0 with 128
MAX_FEATURES = 3000  # of each kind: 96.5 %, as with 6,000, and 96.0 with 2,000
MIN_DF = 3  # at least 2: n-grams of one text would share columns
LARGEST_BYTE = 127
NAMES = {  # of the weights in JavaScript, by their names in the network
    "bias": "encoder.bias",
    "extras": "extras.weight",
    "speakers": "speakers.weight",
    "input": "memory.forwards.cell.weight_ih_l0",
    "recurrent": "memory.forwards.cell.weight_hh_l0",
    "input_bias": "memory.forwards.cell.bias_ih_l0",
    "recurrent_bias": "memory.forwards.cell.bias_hh_l0",
    "distances": "attention.distance_weight",
    "same": "attention.turn_weight",
    "project": "attention.project.weight",
    "project_bias": "attention.project.bias",
    "attended": "attended.weight",
    "decoder": "decoder.weight",
    "decoder_bias": "decoder.bias",
}


def make_small() -> ContextMemoryClassifier:
    """Return the classifier of the page, not fitted."""
    vectorizer = TextSequenceVectorizer(min_df=MIN_DF, max_features=MAX_FEATURES)
    return ContextMemoryClassifier(vectorizer, hidden_size=HIDDEN_SIZE, random_state=0, **ROLES)


def round_table(classifier: ContextMemoryClassifier) -> tuple[np.ndarray, np.ndarray]:
    """Round the table of a classifier in place, to what one byte a weight can say.

    Returns
    -------
    table : ndarray of shape (n_features, hidden_size + n_classes), int8
        The rounded weights, in the order of the columns of the vectorizer.
    scales : ndarray of shape (n_features,), float32
        What the weights of each row are to be multiplied by.
    """
    weight = classifier.net_.module_.table.weight
    exact = weight.detach().numpy()
    largest = np.abs(exact).max(axis=1)
    scales = (np.maximum(largest, np.finfo(np.float32).tiny) / LARGEST_BYTE).astype(np.float32)
    table = np.rint(exact / scales[:, np.newaxis]).astype(np.int8)
    with torch.no_grad():
        weight.copy_(torch.from_numpy(table * scales[:, np.newaxis]))
    columns = _read_column_map(classifier.scaler_)
    return table[columns], scales[columns]


def _read_column_map(scaler: Any) -> np.ndarray:
    """Return the row of the table of each column of the vectorizer."""
    n_columns = len(scaler.column_map_)
    is_plain = np.array_equal(scaler.columns_, np.arange(n_columns))
    if not is_plain or not (scaler.merge_weights_ == 1).all():
        raise ValueError("some columns are empty or were merged; use min_df=2 or more.")
    return scaler.column_map_


def describe_model(
    classifier: ContextMemoryClassifier, table: np.ndarray, scales: np.ndarray, longest: int
) -> dict[str, Any]:
    """Return all that the JavaScript needs, as values of JSON.

    Parameters
    ----------
    classifier : ContextMemoryClassifier
        The fitted classifier.
    table, scales : ndarray
        What `round_table` returned.
    longest : int
        Number of rows of the longest conversation of the fit.
    """
    network = classifier.net_.module_
    state = network.state_dict()
    arrays = {name: state[source].numpy() for name, source in NAMES.items()}
    arrays["idf"] = classifier.vectorizer_.idf_
    arrays |= {"scales": scales, "table": table, "spread": _read_transitions(network)}
    return {
        "classes": classifier.classes_.tolist(),
        "speakers": classifier.speakers_,
        "kinds": describe_ngrams(classifier.vectorizer_),
        "maxLength": classifier.vectorizer_.max_length,
        "norm": classifier.scaler_.norm_,
        "longest": longest,
        "width": classifier.hidden_size,
        "keyWidth": network.attention.key_width,
        "window": network.attention.window,
        "headScales": network.attention.scales.flatten().tolist(),
        "temperature": classifier.temperature_,
        "arrays": {name: encode_array(array) for name, array in arrays.items()},
    }


def describe_ngrams(vectorizer: TextSequenceVectorizer) -> list[dict[str, Any]]:
    """Return the n-grams of words and those inside words, in the order of their columns."""
    names = vectorizer.get_feature_names_out().tolist()
    kinds = (
        ("word__", "text", vectorizer.ngram_range),
        ("char__", "words", vectorizer.char_ngram_range_),
    )
    return [
        {
            "inside": inside,
            "range": list(ngram_range or ()),
            "grams": [name.removeprefix(kind) for name in names if name.startswith(kind)],
        }
        for kind, inside, ngram_range in kinds
    ]


def _read_transitions(network: Any) -> np.ndarray:
    """Return the probability of each class after no turn and after each class."""
    n_classes = network.decoder.out_features
    with torch.no_grad():
        after, _ = network.labels.step(
            torch.eye(n_classes + 1), torch.zeros(n_classes + 1, n_classes)
        )
    return after[:, 1:].numpy()


def encode_array(array: np.ndarray) -> dict[str, str]:
    """Return an array as base64 of its little-endian bytes, row after row."""
    array = np.ascontiguousarray(array)
    data = array.astype(array.dtype.newbyteorder("<")).tobytes()
    return {"dtype": array.dtype.name, "data": base64.b64encode(data).decode("ascii")}


def write_script(name: str, value: Any, comment: str) -> str:
    """Return a script that sets a global name: pages that are opened as files read no others."""
    compact = json.dumps(value, separators=(",", ":"))  # ASCII, so that lone surrogates survive
    return f"/* {comment} */\nglobalThis.{name} = {compact};\n"
