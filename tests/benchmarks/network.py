"""A network of a million parameters as a champion: for what costs enough that batching matters."""

from itertools import pairwise
from typing import Any

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from dagster_project.domain.bundle import Example, Reference
from dagster_project.domain.deployment import DesiredModel, ServedInput
from dagster_project.storage.store import ArtifactStore
from tests.serving import served

NAME, WIDTH, CLASSES = "network", 30, 2
UNITS = (WIDTH, 1000, 1000, CLASSES)
INPUTS = (ServedInput(name="x", dtype="float32", width=WIDTH, required=True),)
ROW: tuple[float, ...] = tuple(np.linspace(-1, 1, WIDTH).round(3).tolist())


def graph() -> bytes:
    """x -> two hidden layers of 1,000 -> label, probabilities."""
    generator = np.random.default_rng(0)
    nodes, weights, at = [], [], "x"
    for place, (before, after) in enumerate(pairwise(UNITS)):
        last = place == len(UNITS) - 2
        drawn = generator.normal(0, before**-0.5, (before, after)).astype(np.float32)
        weights += [
            numpy_helper.from_array(drawn, f"matrix{place}"),
            numpy_helper.from_array(np.zeros(after, np.float32), f"bias{place}"),
        ]
        to = "probabilities" if last else f"active{place}"
        nodes += [
            helper.make_node("Gemm", [at, f"matrix{place}", f"bias{place}"], [f"sum{place}"]),
            helper.make_node("Softmax" if last else "Relu", [f"sum{place}"], [to]),
        ]
        at = to
    nodes.append(helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0))
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", WIDTH])]
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.INT64, ["rows"]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["rows", CLASSES]),
    ]
    made = helper.make_graph(nodes, NAME, inputs, outputs, weights)
    data: bytes = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString()
    return data


def desired(store: ArtifactStore, **serving: Any) -> DesiredModel:
    """The network in the store; ``serving`` as in a spec."""
    data = graph()
    label, chances = ort.InferenceSession(data).run(["label", "probabilities"], {"x": np.array([ROW], np.float32)})
    example = Example(inputs={"x": ROW}, outputs={"label": int(label[0]), "probabilities": chances[0].tolist()})
    beside = Reference(examples=(example,), background={"x": (ROW,)})
    more = {"family": "neural_network", "classes": (0, 1), "importances": {}}
    bundle = served.keep(store, data, beside, INPUTS, model=NAME, **more)
    return served.champion(store, NAME, data, bundle, INPUTS, **serving)
