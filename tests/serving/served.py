"""Small champions without training: graphs made by hand, published as a deployment would."""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from dagster_project.domain.base import canonical_json, digest_of_bytes
from dagster_project.domain.bundle import (
    MODEL,
    PARITY,
    REFERENCE,
    TRIALS,
    BundleFile,
    BundleManifest,
    Example,
    Input,
    Parity,
    Reference,
)
from dagster_project.domain.deployment import DesiredModel, DesiredState, ServedInput, following
from dagster_project.domain.lock import ChampionLock, LockedMetric
from dagster_project.domain.serving import Serving
from dagster_project.storage.deployments import Deployments
from dagster_project.storage.store import ArtifactStore

DIGEST = "sha256:" + "0" * 64
INPUTS = (
    ServedInput(name="miles", dtype="float32", required=True, minimum=0, description="how far"),
    ServedInput(name="seats", dtype="float32", logical_type="integer"),
    ServedInput(name="carrier", dtype="string", logical_type="string", enum=("AA", "UA", "é"), max_length=3),
)


def graph(bonus: float = 3.0) -> bytes:
    """P(late) = sigmoid(miles / 100 + seats (0 where missing) + ``bonus`` where the carrier is UA)."""
    inputs = [
        helper.make_tensor_value_info("miles", TensorProto.FLOAT, ["rows", 1]),
        helper.make_tensor_value_info("seats", TensorProto.FLOAT, ["rows", 1]),
        helper.make_tensor_value_info("carrier", TensorProto.STRING, ["rows", 1]),
    ]
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.INT64, ["rows"]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["rows", 2]),
    ]
    encode = {"domain": "ai.onnx.ml", "keys_strings": ["UA"], "values_floats": [bonus], "default_float": 0.0}
    nodes = [
        helper.make_node("Mul", ["miles", "hundredth"], ["far"]),
        helper.make_node("IsNaN", ["seats"], ["gone"]),
        helper.make_node("Where", ["gone", "zero", "seats"], ["known"]),
        helper.make_node("LabelEncoder", ["carrier"], ["bonus"], **encode),
        helper.make_node("Add", ["far", "known"], ["both"]),
        helper.make_node("Add", ["both", "bonus"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["late"]),
        helper.make_node("Sub", ["one", "late"], ["punctual"]),
        helper.make_node("Concat", ["punctual", "late"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
    ]
    constants = {"hundredth": 0.01, "zero": 0.0, "one": 1.0}
    weights = [numpy_helper.from_array(np.array([value], np.float32), name) for name, value in constants.items()]
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    made = helper.make_graph(nodes, "delays", inputs, outputs, weights)
    data: bytes = helper.make_model(made, opset_imports=opsets, ir_version=9).SerializeToString()
    return data


def late(miles: float, seats: float = 0.0, carrier: str = "AA", bonus: float = 3.0) -> float:
    """What :func:`graph` answers."""
    return float(1 / (1 + np.exp(-(miles / 100 + seats + (bonus if carrier == "UA" else 0.0)))))


def reference(bonus: float = 3.0) -> Reference:
    """Two rows with their answers, and rows to explain against."""
    rows: list[dict[str, Any]] = [
        {"miles": 100.0, "seats": None, "carrier": "UA"}, {"miles": 0.0, "seats": -1.0, "carrier": "AA"},
    ]  # fmt: skip
    chances = [late(r["miles"], r["seats"] or 0.0, r["carrier"], bonus) for r in rows]
    outputs = [{"label": p > 0.5, "probabilities": [1 - p, p]} for p in chances]
    background: dict[str, tuple[Any, ...]] = {name: tuple(row[name] for row in rows) for name in rows[0]}
    examples = tuple(Example(inputs=row, outputs=said) for row, said in zip(rows, outputs, strict=True))
    return Reference(examples=examples, background=background)


def keep(store: ArtifactStore, data: bytes, beside: Reference, inputs: tuple[ServedInput, ...], **more: Any) -> str:
    """A bundle of ``data``; its digest."""
    files = {MODEL: data, TRIALS: b"[]", PARITY: b"{}", REFERENCE: beside.to_json().encode()}
    fields: dict[str, Any] = {
        "model": "delays", "task": "binary", "target": "late", "family": "logistic_regression", "parameters": {},
        "features": tuple(entry.name for entry in inputs),
        "inputs": tuple(Input(name=entry.name, dtype=entry.dtype) for entry in inputs),
        "outputs": ("label", "probabilities"), "classes": (False, True), "dataset": "departures",
        "contract_version": "1.0.0",
        **dict.fromkeys(("snapshot", "build_key", "training_digest", "code_digest", "environment_digest"), DIGEST),
        "seed": 0, "rows": {}, "importances": {"miles": 0.7, "carrier": 0.3},
        "parity": Parity(maximum_difference=0.0, flipped_labels=0, rows=10, planted=("missing",)),
        "files": {name: BundleFile(digest=digest_of_bytes(each), size=len(each)) for name, each in files.items()},
    }  # fmt: skip
    for content in files.values():
        store.put(content)
    return store.put(canonical_json(BundleManifest(**{**fields, **more}).model_dump(mode="json")))


def desired(
    store: ArtifactStore, bonus: float = 3.0, name: str = "delays", replaces: str | None = None, **serving: Any
) -> DesiredModel:
    """The hand-made champion, in the store, as a lock would name it."""
    data = graph(bonus)
    return champion(
        store, name, data, keep(store, data, reference(bonus), INPUTS, model=name), INPUTS, replaces, **serving
    )


def without_seats(store: ArtifactStore, bonus: float = 3.0, **serving: Any) -> DesiredModel:
    """The same for a model that does not read the seats, which clients may send all the same."""
    model = onnx.load_from_string(graph(bonus))
    model.graph.input.remove(next(entry for entry in model.graph.input if entry.name == "seats"))
    model.graph.initializer.append(numpy_helper.from_array(np.zeros((1, 1), np.float32), "seats"))
    data, inputs = model.SerializeToString(), tuple(entry for entry in INPUTS if entry.name != "seats")
    known, chance = reference(bonus), late(100.0, 0.0, "UA", bonus)
    row: dict[str, Any] = {"miles": 100.0, "carrier": "UA"}
    example = Example(inputs=row, outputs={"label": True, "probabilities": [1 - chance, chance]})
    background = {name: known.background[name] for name in row}
    beside = Reference(examples=(example,), background=background)
    found = champion(store, "delays", data, keep(store, data, beside, inputs), inputs, **serving)
    return found.model_copy(update={"unread": (*found.unread, "seats")})


def champion(
    store: ArtifactStore, name: str, data: bytes, bundle: str, inputs: tuple[ServedInput, ...],
    replaces: str | None = None, **serving: Any,
) -> DesiredModel:  # fmt: skip
    """A model that is in the store, with a lock."""
    lock = ChampionLock(
        model=name, onnx=digest_of_bytes(data), bundle=bundle, snapshot=DIGEST, spec=DIGEST, code=DIGEST,
        environment=DIGEST, build_key=DIGEST, commit="c" * 40, family="logistic_regression", parameters={},
        metrics={"roc_auc": LockedMetric(value=0.7, low=0.6, high=0.8)}, verdict=DIGEST, replaces=replaces,
    )  # fmt: skip
    return DesiredModel(
        name=name, description="late or not", owners=("someone",), task="binary", lock=lock, inputs=inputs,
        unread=("started",), id_column="ride", time_column="starts", serving=Serving.model_validate(serving),
    )  # fmt: skip


def publish(store: ArtifactStore, serving: str, *models: DesiredModel) -> str:
    """Make them the desired state, as a deployment does; its digest."""
    deployments = Deployments(store, serving)
    published = deployments.desired()
    wanted = DesiredState(commit="c" * 40, models={m.name: m for m in models})
    rejected = {rejection.lock for rejection in deployments.rejections()}
    return deployments.publish(following(wanted, published[1] if published else None, rejected))
