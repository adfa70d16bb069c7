"""Small ONNX files made by hand, good and hostile, with the manifest that fits them."""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from dagster_project.domain.bundle import BundleManifest, Input, Parity

DIGEST = "sha256:" + "0" * 64


def manifest(task: str = "binary", classes: tuple[Any, ...] = (False, True), **more: Any) -> BundleManifest:
    outputs = ("value",) if task == "regression" else ("label", "probabilities")
    fields = {
        "model": "delays",
        "task": task,
        "target": "late",
        "family": "logistic_regression",
        "parameters": {},
        "features": ("distance", "carrier"),
        "inputs": (Input(name="distance", dtype="float32"), Input(name="carrier", dtype="string")),
        "outputs": outputs,
        "classes": () if task == "regression" else classes,
        "dataset": "departures",
        "contract_version": "1.0.0",
        **dict.fromkeys(("snapshot", "build_key", "training_digest", "code_digest", "environment_digest"), DIGEST),
        "seed": 0,
        "rows": {},
        "parity": Parity(maximum_difference=0.0, flipped_labels=0, rows=10, planted=("missing",)),
        "files": {},
    }
    return BundleManifest(**{**fields, **more})


def weight(name: str, values: Any, dtype: Any = np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(values, dtype=dtype), name)


def signature(task: str = "binary") -> tuple[list[onnx.ValueInfoProto], list[onnx.ValueInfoProto]]:
    inputs = [
        helper.make_tensor_value_info("distance", TensorProto.FLOAT, ["rows", 1]),
        helper.make_tensor_value_info("carrier", TensorProto.STRING, ["rows", 1]),
    ]
    if task == "regression":
        return inputs, [helper.make_tensor_value_info("value", TensorProto.FLOAT, ["rows", 1])]
    return inputs, [
        helper.make_tensor_value_info("label", TensorProto.INT64, ["rows"]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["rows", 2]),
    ]


def nodes(task: str = "binary") -> list[onnx.NodeProto]:
    """logit = distance (0 where missing) + 3 where the carrier is UA."""
    made = [
        helper.make_node("IsNaN", ["distance"], ["gone"]),
        helper.make_node("Where", ["gone", "zero", "distance"], ["known"]),
        helper.make_node(
            "LabelEncoder",
            ["carrier"],
            ["bonus"],
            domain="ai.onnx.ml",
            keys_strings=["UA"],
            values_floats=[3.0],
            default_float=0.0,
        ),
        helper.make_node("Add", ["known", "bonus"], ["logit" if task != "regression" else "value"]),
    ]
    if task == "regression":
        return made
    return [
        *made,
        helper.make_node("Sigmoid", ["logit"], ["late"]),
        helper.make_node("Sub", ["one", "late"], ["punctual"]),
        helper.make_node("Concat", ["punctual", "late"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
    ]


def model(task: str = "binary", extra: tuple[onnx.NodeProto, ...] = (), **changes: Any) -> onnx.ModelProto:
    inputs, outputs = signature(task)
    graph = helper.make_graph(
        [*nodes(task), *extra], "delays", inputs, outputs, [weight("zero", [0.0]), weight("one", [1.0])]
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=changes.pop("opsets", opsets), ir_version=9, **changes)


def good(task: str = "binary") -> bytes:
    return model(task).SerializeToString()


COLUMNS = {
    "distance": np.array([0.0, np.nan, -5.0, 1.0]),
    "carrier": np.array(["UA", "AA", "AA", ""], dtype=object),
}
