"""Random mutations of model files, with or without knowledge of the format.

A *damaged* file has its old checksums, as after an error of a disk or a network. A *forged* file
has right checksums: its author knows the format.
"""

import io
import json
import pickle
import struct
import zipfile
from hashlib import sha256

import numpy as np
import safetensors.numpy

MANIFEST, CONFIG, VOCABULARY, WEIGHTS = (
    "manifest.json",
    "config.json",
    "vocabulary.json",
    "weights.safetensors",
)
STRANGE = [
    *(None, True, -1, 0, 1, 2**31, 2**63, 10**30, -0.5, 1e308),
    *("", "..", "os.system", "\x00", "a" * 1000),
    *([], [[]], [1, 2], {}),
    *({"is": "known", "of": "os"}, {"is": "other", "of": "x"}, {"is": "array", "of": "x"}),
    *({"is": "dict", "of": [[[], 1]]}, {"is": "float", "of": "nan"}),
]
# Values of vectorizer parameters that read files, start processes, or take long.
HARMFUL = {
    "memory": ["cache"],
    "input": ["filename", "file"],
    "n_jobs": [64, -1],
    "token_pattern": ["(?:|){60}c", "(a+)+$", "a?" * 60, ".*", ""],
    "ngram_range": [{"is": "tuple", "of": pair} for pair in ([-(10**9), 2], [1, 10**9], [2, 1])],
    "n_features": [10**12, 250_000_000, 1],
    "max_length": [0, 10**12],
    "analyzer": ["char", "word", "os.system"],
    "vocabulary": [["a"] * 3, {"is": "dict", "of": [["a", 10**9]]}],
}
DTYPES = ("float64", "float32", "float16", "int64", "int32", "int8", "uint8", "bool")


class Canary:
    """Object whose unpickling runs code, which creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        """Open the file for writing during unpickling."""
        return open, (self.path, "w")


def read_members(content):
    """Return the members of a zip by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_members(members, *, forged, compressed=False):
    """Return a zip of members; if forged, with right checksums."""
    if forged:
        manifest = json.loads(members[MANIFEST])
        manifest["members"] = {
            name: {"size": len(member), "sha256": sha256(member).hexdigest()}
            for name, member in members.items()
            if name != MANIFEST
        }
        members = members | {MANIFEST: json.dumps(manifest).encode()}
    file = io.BytesIO()
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", kind) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return file.getvalue()


def flip_bits(content, random, canary):
    """Flip random bits."""
    changed = bytearray(content)
    for place in random.randint(len(changed), size=random.randint(1, 17)):
        changed[place] ^= 1 << random.randint(8)
    return bytes(changed), False


def truncate(content, random, canary):
    """Cut off the end or the beginning."""
    place = random.randint(len(content))
    return (content[:place] if random.rand() < 0.8 else content[place:]), False


def move_bytes(content, random, canary):
    """Delete, repeat or insert a range of bytes."""
    start, length = random.randint(len(content)), random.randint(1, 2000)
    middle = [b"", content[start : start + length] * 2, random.bytes(length)][random.randint(3)]
    return content[:start] + middle + content[start + length :], False


def swap_members(content, random, canary):
    """Swap the names of two members."""
    members, forged = read_members(content), random.rand() < 0.5
    one, other = random.choice([CONFIG, VOCABULARY, WEIGHTS, MANIFEST], 2, replace=False)
    members[one], members[other] = members[other], members[one]
    return write_members(members, forged=forged and MANIFEST not in (one, other)), forged


def rename_members(content, random, canary):
    """Add, delete, rename or compress a member."""
    members = read_members(content)
    name = random.choice(list(members))
    way = random.randint(5)
    if way == 0:
        members["../../" + name] = members.pop(name)
    elif way == 1:
        members["/tmp/" + name] = members[name]
    elif way == 2:
        del members[name]
    elif way == 3:
        members["data.pkl"] = pickle.dumps(Canary(canary))
    else:
        members[name] = members[name] + b" " * 50_000_000
        return write_members(members, forged=name != MANIFEST, compressed=True), True
    return write_members(members, forged=False), False


def unpickle(content, random, canary):
    """Replace a member, or the whole file, by a pickle that runs code."""
    payload = pickle.dumps(Canary(canary), protocol=random.randint(6))
    if random.rand() < 0.3:
        return payload, True
    members = read_members(content)
    members[random.choice([CONFIG, VOCABULARY, WEIGHTS])] = payload
    return write_members(members, forged=True), True


def edit_json(content, random, canary):
    """Change a part of a JSON document."""
    members = read_members(content)
    name = random.choice([CONFIG, CONFIG, CONFIG, VOCABULARY, MANIFEST])
    document = json.loads(members[name])
    for _ in range(random.randint(1, 4)):
        document = _edit(document, random)
    forged = name != MANIFEST
    members[name] = json.dumps(document).encode()
    return write_members(members, forged=forged), forged


def _edit(node, random):
    """Return a tree in which one nested part is replaced, deleted, repeated or swapped."""
    if not isinstance(node, dict | list) or not node or random.rand() < 0.06:
        return STRANGE[random.randint(len(STRANGE))]
    node = node.copy()
    keys = list(node) if isinstance(node, dict) else range(len(node))
    key, other = keys[random.randint(len(keys))], keys[random.randint(len(keys))]
    way = random.rand()
    if way < 0.85:
        node[key] = _edit(node[key], random)
    elif way < 0.9:
        del node[key]
    elif way < 0.95:
        node[key], node[other] = node[other], node[key]
    else:
        node[key] = node[other]
    return node


def edit_parameters(content, random, canary):
    """Set a parameter to a harmful value, or move it to the learned attributes."""
    members = read_members(content)
    config = json.loads(members[CONFIG])
    nodes = [node for node in _walk(config) if node.get("is") == "known" and node["parameters"]]
    if not nodes:
        return edit_json(content, random, canary)
    for _ in range(random.randint(1, 3)):
        node = nodes[random.randint(len(nodes))]
        name = random.choice([pair[0] for pair in node["parameters"]] + list(HARMFUL))
        values = HARMFUL.get(name, STRANGE)
        value = values[random.randint(len(values))]
        node["parameters"] = [pair for pair in node["parameters"] if pair[0] != name]
        node["parameters" if random.rand() < 0.7 else "learned"].append([name, value])
    members[CONFIG] = json.dumps(config).encode()
    return write_members(members, forged=True), True


def _walk(node):
    """Yield all dicts of a tree."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node:
        if isinstance(child, dict | list):
            yield from _walk(child)


def edit_arrays(content, random, canary):
    """Change the dtype, shape, values or names of arrays."""
    members = read_members(content)
    arrays = safetensors.numpy.load(members[WEIGHTS])
    for _ in range(random.randint(1, 4)):
        name = random.choice(list(arrays))
        array = arrays.pop(name)
        way = random.randint(6)
        if way == 0:
            with np.errstate(invalid="ignore", over="ignore"):
                array = array.astype(random.choice(DTYPES))
        elif way == 1:
            array = array.reshape(-1) if array.ndim > 1 else array.reshape(1, -1)
        elif way == 2:
            array = array[: random.randint(len(array) + 1)]
        elif way == 3:
            array = np.concatenate([array, array])
        elif way == 4 and array.size:
            array = array.copy()
            limits = (
                [-1, 0, 2**31 - 1, 7] if array.dtype.kind == "i" else [np.nan, np.inf, -1e38, 0]
            )
            with np.errstate(invalid="ignore", over="ignore"):
                strange = np.float64(limits[random.randint(4)]).astype(array.dtype)
            array.flat[random.randint(array.size)] = strange
        if way != 5:
            arrays[name] = np.ascontiguousarray(array)
        elif random.rand() < 0.5:
            arrays[f"{name}."] = array
    members[WEIGHTS] = safetensors.numpy.save(arrays)
    return write_members(members, forged=True), True


def edit_header(content, random, canary):
    """Change the sizes in the header of the arrays."""
    members = read_members(content)
    weights = members[WEIGHTS]
    (length,) = struct.unpack("<Q", weights[:8])
    header = json.loads(weights[8 : 8 + length])
    for _ in range(random.randint(1, 3)):
        entry = header[random.choice([name for name in header if name != "__metadata__"])]
        way = random.randint(4)
        if way == 0:
            entry["shape"] = [2**60] if random.rand() < 0.5 else [2**31, 2**31]
        elif way == 1:
            entry["data_offsets"] = [0, int(random.choice([2**62, 8, len(weights)]))]
        elif way == 2:
            entry["dtype"] = str(random.choice(["F64", "I8", "BF16", "F8_E4M3", "object"]))
        else:
            entry["shape"] = [-1]
    text = json.dumps(header).encode()
    claimed = len(text) if random.rand() < 0.8 else int(random.choice([0, 2**62, len(weights)]))
    members[WEIGHTS] = struct.pack("<Q", claimed) + text + weights[8 + length :]
    return write_members(members, forged=True), True


MUTATIONS = [
    flip_bits,
    truncate,
    move_bytes,
    swap_members,
    rename_members,
    unpickle,
    edit_json,
    edit_json,
    edit_parameters,
    edit_arrays,
    edit_header,
]


def mutate(content, number, canary):
    """Return a mutated file, whether it is forged, and the name of the mutation.

    Parameters
    ----------
    content : bytes
        Content of a model file.
    number : int
        Number of the mutation, which determines it.
    canary : str
        Path of the file that code in the mutated file would create.
    """
    random = np.random.RandomState(number)
    mutation = MUTATIONS[number % len(MUTATIONS)]
    changed, forged = mutation(content, random, canary)
    return changed, forged, mutation.__name__
