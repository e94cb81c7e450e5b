"""Graph and Value: ONNX graphs written as formulas.

An expression of Values adds its operators to the graph, so that a part of the network reads here as
it reads in torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import numpy as np

from .._version import __version__

OPSET = 17  # of the standard operators; ONNX Runtime has it since 1.12
END = np.iinfo(np.int64).max  # of an axis, for slices
MOST_BYTES = 2**31 - 2**24  # of weights, as a message of Protocol Buffers has at most 2 GiB
IR_VERSION = 8  # the format of files that came with this opset


class Value:
    """A tensor of a graph, with the operators of arrays.

    Numbers beside it become constants: a float in single precision, an int as int64.

    Parameters
    ----------
    graph : Graph
        Graph that computes the tensor.
    name : str
        Name of the tensor in the graph.
    """

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph = graph
        self.name = name

    def _apply(self, operator: str, *others: Any, **attributes: Any) -> Value:
        return self.graph.apply(operator, self, *others, **attributes)

    def __add__(self, other: Any) -> Value:
        return self._apply("Add", other)

    def __sub__(self, other: Any) -> Value:
        return self._apply("Sub", other)

    def __rsub__(self, other: Any) -> Value:
        return self.graph.apply("Sub", other, self)

    def __mul__(self, other: Any) -> Value:
        return self._apply("Mul", other)

    def __truediv__(self, other: Any) -> Value:
        return self._apply("Div", other)

    def __rtruediv__(self, other: Any) -> Value:
        return self.graph.apply("Div", other, self)

    def __matmul__(self, other: Any) -> Value:
        return self._apply("MatMul", other)

    def __and__(self, other: Any) -> Value:
        return self._apply("And", other)

    def __invert__(self) -> Value:
        return self._apply("Not")

    def __lt__(self, other: Any) -> Value:
        return self._apply("Less", other)

    def __gt__(self, other: Any) -> Value:
        return self._apply("Greater", other)

    def equals(self, other: Any) -> Value:
        """Return whether elements are equal."""
        return self._apply("Equal", other)

    def minimum(self, other: Any) -> Value:
        """Return the smaller one of two elements."""
        return self._apply("Min", other)

    def maximum(self, other: Any) -> Value:
        """Return the larger one of two elements."""
        return self._apply("Max", other)

    def sigmoid(self) -> Value:
        """Return the logistic function."""
        return self._apply("Sigmoid")

    def tanh(self) -> Value:
        """Return the hyperbolic tangent."""
        return self._apply("Tanh")

    def exp(self) -> Value:
        """Return the exponential function."""
        return self._apply("Exp")

    def log(self) -> Value:
        """Return the natural logarithm."""
        return self._apply("Log")

    def sqrt(self) -> Value:
        """Return the square root."""
        return self._apply("Sqrt")

    def softmax(self) -> Value:
        """Return the softmax over the last axis."""
        return self._apply("Softmax", axis=-1)

    def cast(self, dtype: Any) -> Value:
        """Convert to another dtype."""
        return self._apply("Cast", to=self.graph.type_of(dtype))

    def gather(self, places: Any, axis: int = 0) -> Value:
        """Return the elements at these places of an axis."""
        return self._apply("Gather", places, axis=axis)

    def compress(self, mask: Value) -> Value:
        """Return the elements of the first axis where the mask is true."""
        return self._apply("Compress", mask, axis=0)

    def transpose(self, *axes: int) -> Value:
        """Permute the axes."""
        return self._apply("Transpose", perm=list(axes))

    def reshape(self, *shape: Any) -> Value:
        """Change the shape to sizes that are int or Values of shape (); 0 keeps that of an axis."""
        return self._apply("Reshape", self.graph.shape(*shape))

    def unsqueeze(self, *axes: int) -> Value:
        """Insert axes of length 1."""
        return self._apply("Unsqueeze", list(axes))

    def squeeze(self, axis: int) -> Value:
        """Remove an axis of length 1."""
        return self._apply("Squeeze", [axis])

    def slice(self, start: int, end: int, axis: int = 0) -> Value:
        """Return the elements of an axis from `start` to `end`."""
        return self._apply("Slice", [start], [end], [axis])

    def split(self, sizes: Sequence[int], axis: int = 1) -> list[Value]:
        """Return the parts of an axis that have these sizes."""
        if len(sizes) == 1:
            return [self]
        return self.graph.apply_all("Split", self, list(sizes), n_outputs=len(sizes), axis=axis)

    def size(self, axis: int) -> Value:
        """Return the length of an axis, of shape ()."""
        return self._apply("Shape").gather(axis)

    def largest(self) -> Value:
        """Return the largest element, of shape ()."""
        return self._apply("ReduceMax", keepdims=0)

    def expand_as(self, other: Value) -> Value:
        """Repeat to the shape of another tensor."""
        return self._apply("Expand", other._apply("Shape"))


class Graph:
    """An ONNX graph under construction, or the body of an operator of an outer one.

    Parameters
    ----------
    outer : Graph or None, default=None
        Graph that contains the operator. It holds the constants of the body.

    Attributes
    ----------
    input_types : dict of str to str
        Name of the dtype of each input.
    """

    def __init__(self, outer: Graph | None = None) -> None:
        from onnx import helper

        self._helper = helper
        self._outer = outer
        self._root: Graph = self if outer is None else outer._root
        self._nodes: list[Any] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self.input_types: dict[str, str] = {}
        if outer is None:
            self._weights: dict[str, np.ndarray] = {}
            self._constants: dict[Any, str] = {}
            self._numbers = count()

    def type_of(self, dtype: Any) -> int:
        """Return ONNX's number of a dtype."""
        return self._helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def apply(self, operator: str, *inputs: Any, **attributes: Any) -> Value:
        """Add an operator with one output, and return it."""
        return self.apply_all(operator, *inputs, n_outputs=1, **attributes)[0]

    def apply_all(
        self, operator: str, *inputs: Any, n_outputs: int, **attributes: Any
    ) -> list[Value]:
        """Add an operator, and return its outputs.

        Parameters
        ----------
        operator : str
            Name of a standard operator.
        *inputs : Value or array-like
            Inputs.
        n_outputs : int
            Number of outputs.
        **attributes : dict
            Attributes of the operator.
        """
        values = [self.as_value(each) for each in inputs]
        # an operator on a tensor of a body belongs to the body, which can read those outside
        graph = next((each.graph for each in values if each.graph._outer is not None), self)
        names = [graph._new_name(operator) for _ in range(n_outputs)]
        node = self._helper.make_node(operator, [each.name for each in values], names, **attributes)
        graph._nodes.append(node)
        return [Value(graph, name) for name in names]

    def as_value(self, of: Any) -> Value:
        """Return a Value as it is, and numbers or an array as a constant."""
        return of if isinstance(of, Value) else self.constant(of)

    def constant(self, of: Any) -> Value:
        """Return a constant; equal ones are stored once."""
        array = np.asarray(of)
        if type(of) in (float, list) and array.dtype.kind == "f":
            array = array.astype(np.float32)
        key = (array.dtype.str, array.shape, array.tobytes())
        constants = self._root._constants
        if key not in constants:
            constants[key] = self.weight(self._new_name("Constant"), array).name
        return Value(self._root, constants[key])

    def weight(self, name: str, array: np.ndarray) -> Value:
        """Return an array with a name, which files contain."""
        self._root._weights[name] = np.asarray(array, order="C")
        return Value(self._root, name)

    def shape(self, *sizes: Any) -> Value:
        """Return a shape of sizes that are int or Values of shape ()."""
        if not any(isinstance(size, Value) for size in sizes):
            return self.constant(np.array(sizes, dtype=np.int64))
        parts = [size.reshape(1) if isinstance(size, Value) else [size] for size in sizes]
        return self.concatenate(parts, axis=0)

    def concatenate(self, parts: Sequence[Any], axis: int) -> Value:
        """Return tensors one after another along an axis."""
        return self.apply("Concat", *parts, axis=axis) if len(parts) > 1 else parts[0]

    def zeros(self, *sizes: Any, dtype: Any = np.float32) -> Value:
        """Return zeros."""
        fill = self._helper.make_tensor("", self.type_of(dtype), [1], [0])
        return self.apply("ConstantOfShape", self.shape(*sizes), value=fill)

    def range(self, end: Any) -> Value:
        """Return integers from 0 to `end` - 1."""
        return self.apply("Range", 0, end, 1)

    def where(self, mask: Value, chosen: Any, other: Any) -> Value:
        """Return the elements of `chosen` where the mask is true, of `other` elsewhere."""
        return self.apply("Where", mask, chosen, other)

    def segment_sums(self, values: Value, offsets: Value) -> Value:
        """Return the sums of the rows from each offset to the next one: (V, K) -> (N, K).

        They are differences of running sums, in double precision. The sums of ScatterND, whose
        threads add to one row at the same time, change from run to run in ONNX Runtime 1.32.
        """
        sums = self.apply("CumSum", values.cast(np.float64), 0)
        nothing = self.zeros(1, values.size(1), dtype=np.float64)
        ends = self.concatenate([nothing, sums], axis=0).gather(offsets)  # (N + 1, K)
        return ends.slice(1, END) - ends.slice(0, -1)

    def branch(self, condition: Value, chosen: Callable, other: Callable, dtype: Any) -> Value:
        """Return the result of one of two functions of a graph, which return a Value."""
        bodies = []
        for compute in (chosen, other):
            body = Graph(self)
            body.output(self._new_name("branch"), compute(body), dtype, None)
            bodies.append(body._make("branch"))
        return self.apply("If", condition, then_branch=bodies[0], else_branch=bodies[1])

    def scan(self, step: Callable, state: Value, *sequences: Value) -> Value:
        """Return the outputs of a recurrence over the first axis of tensors.

        Parameters
        ----------
        step : callable
            Given a state and the elements of a step, returns the next state and an output. All are
            matrices in single precision.
        state : Value
            State before the first step.
        *sequences : Value
            Tensors of T steps.

        Returns
        -------
        outputs : Value
            The outputs of all steps.
        """
        body = Graph(self)
        taken = [body.input(body._new_name("step"), np.float32, [None, None]) for _ in sequences]
        before = body.input(body._new_name("state"), np.float32, [None, None])
        body._inputs.insert(0, body._inputs.pop())  # the state comes first
        for value in step(before, *taken):
            body.output(body._new_name("step"), value, np.float32, [None, None])
        found = self.apply_all(
            "Scan",
            state,
            *sequences,
            n_outputs=2,
            body=body._make("step"),
            num_scan_inputs=len(sequences),
        )
        return found[1]

    def input(self, name: str, dtype: Any, shape: Sequence[Any]) -> Value:
        """Add an input, whose sizes are int, names, or None."""
        made = self._helper.make_tensor_value_info(name, self.type_of(dtype), shape)
        self._inputs.append(made)
        self.input_types[name] = np.dtype(dtype).name
        return Value(self, name)

    def output(self, name: str, value: Value, dtype: Any, shape: Sequence[Any] | None) -> None:
        """Add an output with a name of its own."""
        self._nodes.append(self._helper.make_node("Identity", [value.name], [name]))
        made = self._helper.make_tensor_value_info(name, self.type_of(dtype), shape)
        self._outputs.append(made)

    def to_bytes(self, name: str) -> bytes:
        """Return the model of the graph as the content of a file."""
        n_bytes = sum(array.nbytes for array in self._weights.values())
        if n_bytes > MOST_BYTES:
            raise ValueError(
                f"The model has {n_bytes / 1e9:.1f} GB of weights, and ONNX has at most 2 GB; "
                "fit with a vectorizer of fewer max_features, or with a smaller hidden_size."
            )
        model = self._helper.make_model(
            self._make(name),
            opset_imports=[self._helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="sk_ctxmem",
            producer_version=__version__,
        )
        return model.SerializeToString()

    def _make(self, name: str) -> Any:
        from onnx import numpy_helper

        weights = self._weights if self._outer is None else {}
        made = [numpy_helper.from_array(array, key) for key, array in weights.items()]
        return self._helper.make_graph(self._nodes, name, self._inputs, self._outputs, made)

    def _new_name(self, operator: str) -> str:
        return f"{operator}.{next(self._root._numbers)}"
