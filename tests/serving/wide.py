"""A champion with one wide input: a network of 30 numbers, 64 and 32 units, two classes; made by hand."""

from itertools import pairwise

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from dagster_project.domain.bundle import Example, Reference
from dagster_project.domain.deployment import DesiredModel, ServedInput
from dagster_project.storage.store import ArtifactStore
from tests.serving.served import champion, keep

NAME, WIDTH = "network", 30
INPUTS = (ServedInput(name="x", dtype="float32", width=WIDTH),)
_UNITS = (WIDTH, 64, 32, 2)


def weights() -> list[tuple[np.ndarray, np.ndarray]]:
    """Matrix and bias of each layer, the same every time."""
    generator = np.random.default_rng(7)
    return [
        (generator.normal(0, before**-0.5, (before, after)).astype(np.float32), np.zeros(after, np.float32))
        for before, after in pairwise(_UNITS)
    ]


def network() -> bytes:
    """The graph: x -> label, probabilities."""
    last = len(_UNITS) - 2
    nodes, constants = [], []
    for place, (matrix, bias) in enumerate(weights()):
        before = f"active{place - 1}" if place else "x"
        nodes.append(helper.make_node("Gemm", [before, f"matrix{place}", f"bias{place}"], [f"sum{place}"]))
        if place < last:
            nodes.append(helper.make_node("Relu", [f"sum{place}"], [f"active{place}"]))
        constants += [numpy_helper.from_array(matrix, f"matrix{place}"), numpy_helper.from_array(bias, f"bias{place}")]
    nodes += [
        helper.make_node("Softmax", [f"sum{last}"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", WIDTH])]
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.INT64, ["rows"]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["rows", 2]),
    ]
    made = helper.make_graph(nodes, NAME, inputs, outputs, constants)
    opsets = [helper.make_opsetid("", 18)]
    data: bytes = helper.make_model(made, opset_imports=opsets, ir_version=9).SerializeToString()
    return data


def chances(x: np.ndarray) -> np.ndarray:
    """What :func:`network` answers to (rows, 30), in NumPy."""
    for place, (matrix, bias) in enumerate(weights()):
        x = x @ matrix + bias
        x = np.maximum(x, 0) if place < len(_UNITS) - 2 else x
    grown = np.exp(x - x.max(axis=1, keepdims=True))
    shares: np.ndarray = grown / grown.sum(axis=1, keepdims=True)
    return shares


def rows(count: int, seed: int = 1) -> np.ndarray:
    """Some rows, (count, 30) float32."""
    return np.random.default_rng(seed).normal(size=(count, WIDTH)).astype(np.float32)


def wide_champion(store: ArtifactStore) -> DesiredModel:
    """The champion, in the store."""
    x = rows(2)
    examples = tuple(
        Example(inputs={"x": tuple(row)}, outputs={"label": int(np.argmax(said)), "probabilities": said})
        for row, said in zip(x.tolist(), chances(x).tolist(), strict=True)
    )
    beside = Reference(examples=examples, background={"x": tuple(tuple(row.tolist()) for row in rows(16, seed=2))})
    data = network()
    more = {"family": "neural_network", "classes": (0, 1), "importances": {"x": 1.0}}
    return champion(store, NAME, data, keep(store, data, beside, INPUTS, model=NAME, **more), INPUTS)
