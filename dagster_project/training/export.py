"""From a candidate to ONNX bytes: one graph from raw contract columns, one named (rows, width) input each, to answers.

Outputs: ``label`` (rows,) and ``probabilities`` (rows, classes), or ``value`` (rows, 1). The bytes depend on the
candidate alone: not on the process, ``PYTHONHASHSEED`` or where libraries are installed.
"""

import warnings
from typing import TYPE_CHECKING, Any

from dagster_project.domain.bundle import Input
from dagster_project.domain.families import outputs_of
from dagster_project.training import pixels_graph, seasons_graph, terms_graph, tokens_graph
from dagster_project.training.candidate import Candidate, label_values
from dagster_project.training.operators import CONTRIBUTED
from dagster_project.training.rows import alias

if TYPE_CHECKING:
    import numpy as np
    import onnx

OPSET = 20
ML_OPSET = 3
IR_VERSION = 9
PRODUCER = "threeacts"
INSIDE = "graph/"


def export(candidate: Candidate) -> bytes:
    """The candidate's graph, normalised and serialised deterministically.

    Raises:
        onnx.checker.ValidationError: the graph is no valid ONNX.
    """
    import onnx

    model = _network_graph(candidate) if hasattr(candidate.estimator, "answering") else _sklearn_graph(candidate)
    model = onnx.compose.add_prefix(model, INSIDE)  # no name inside is a column's
    finals = [item.name for item in candidate.inputs] + list(outputs_of(candidate.task))
    for value, name in zip([*model.graph.input, *model.graph.output], finals, strict=True):
        rename(model.graph, value.name, name)
    if candidate.classes:
        relabel(model.graph, label_values(candidate.classes))
    normalise(model)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def convert(pipeline: Any, inputs: tuple[Input, ...], options: dict[int, Any] | None = None) -> "onnx.ModelProto":
    """A fitted scikit-learn pipeline over named columns as a graph at our opset."""
    from onnx import version_converter
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    for own in (terms_graph, tokens_graph, pixels_graph, seasons_graph):
        own.register()
    kinds = {"float32": FloatTensorType, "string": StringTensorType}
    types = [(alias(place), kinds[item.dtype]([None, item.width])) for place, item in enumerate(inputs)]
    target = {"": OPSET, "ai.onnx.ml": ML_OPSET}
    with warnings.catch_warnings():
        # the converter hands booleans to protobuf, whose version 7 refuses what 6 deprecates: hence protobuf<7
        warnings.filterwarnings("ignore", ".*Expected an int, got a boolean", DeprecationWarning)
        model = convert_sklearn(pipeline, initial_types=types, target_opset=target, options=options)
    model = version_converter.convert_version(model, OPSET)
    declare(model)
    return model


def declare(model: "onnx.ModelProto") -> None:
    """Import the opsets that every graph of ours has, in order: the converter names only what it used, unsorted.
    A graph that cuts text needs one more.

    Up to version 3, the operators of ai.onnx.ml that older versions had mean the same.
    """
    del model.opset_import[:]
    versions = {"": OPSET, "ai.onnx.ml": ML_OPSET}
    if any(node.domain == CONTRIBUTED for node in model.graph.node):
        versions[CONTRIBUTED] = 1
    for domain, version in versions.items():
        model.opset_import.add(domain=domain, version=version)
    model.ir_version = IR_VERSION


def _steps(candidate: Candidate) -> list[tuple[str, Any]]:
    steps = [("prepare", candidate.transformer)]
    return steps if candidate.selector is None else [*steps, ("select", candidate.selector)]


def _sklearn_graph(candidate: Candidate) -> "onnx.ModelProto":
    from sklearn.pipeline import Pipeline

    estimator = exact_thresholds(candidate.estimator)
    options = {id(estimator): {"zipmap": False}} if candidate.classes else None
    return convert(Pipeline([*_steps(candidate), ("model", estimator)]), candidate.inputs, options)


def exact_thresholds(estimator: Any) -> Any:
    """A copy of a boosted model whose thresholds are the next float32 below.

    No float32 input tells it from the original: x <= t holds exactly where x <= floor(t) does. The converter would
    round to the nearest and move rows that lie on a threshold. Other estimators come back as they are.
    """
    import copy

    import numpy as np

    if not hasattr(estimator, "_predictors"):
        return estimator
    exact = copy.deepcopy(estimator)
    for tree in (tree for stage in exact._predictors for tree in stage):
        thresholds = tree.nodes["num_threshold"]
        rounded = thresholds.astype(np.float32)
        below = np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)
        tree.nodes["num_threshold"] = below
    return exact


def _network_graph(candidate: Candidate) -> "onnx.ModelProto":
    """scikit-learn's preparation joined with torch's network."""
    import onnx
    from sklearn.pipeline import Pipeline

    front = convert(Pipeline(_steps(candidate)), candidate.inputs)
    back = _torch_graph(candidate)
    declare(back)
    back = onnx.compose.add_prefix(back, "network/")
    joined = onnx.compose.merge_models(front, back, io_map=[(front.graph.output[0].name, back.graph.input[0].name)])
    return joined


def _torch_graph(candidate: Candidate) -> "onnx.ModelProto":
    """The network with its answers; for classification the arg max goes first, as a label's index."""
    import logging

    import torch

    columns = candidate.estimator.columns
    network = candidate.estimator.answering()
    module = network if candidate.task == "regression" else with_label(network)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's exporter warns of its own deprecations
        program = torch.onnx.export(
            module,
            (torch.zeros(2, columns),),
            dynamo=True,
            opset_version=OPSET,
            input_names=["matrix"],
            dynamic_shapes=({0: torch.export.Dim("rows")},),
            verbose=False,
        )
    assert program is not None, "dynamo always returns a program"
    return program.model_proto


def with_label(network: Any) -> Any:
    """A module that answers (index of the most probable class, probabilities)."""
    import torch

    class Labelled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, matrix: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor]":
            scores = self.network(matrix)
            return torch.argmax(scores, dim=1), scores

    return Labelled().eval()


def rename(graph: "onnx.GraphProto", old: str, new: str) -> None:
    """Give an input or output another name, wherever it stands."""
    for node in graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name == old:
                    names[place] = new
    for value in (*graph.input, *graph.output):
        if value.name == old:
            value.name = new


def relabel(graph: "onnx.GraphProto", labels: "np.ndarray") -> None:
    """Turn the output ``label`` from an index into the class's own value; indexes that are the values stay."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    if labels.dtype == np.int64 and (labels == np.arange(len(labels))).all():
        return
    index, values = f"{INSIDE}label_index", f"{INSIDE}label_values"
    rename(graph, "label", index)
    graph.initializer.append(numpy_helper.from_array(labels, values))
    graph.node.append(helper.make_node("Gather", [values, index], ["label"], name="relabel"))
    kind = TensorProto.INT64 if labels.dtype == np.int64 else TensorProto.STRING
    position = next(place for place, output in enumerate(graph.output) if output.name == index)
    graph.output[position].CopyFrom(helper.make_tensor_value_info("label", kind, [None]))


def normalise(model: "onnx.ModelProto") -> None:
    """Take out of the bytes what says where and by whom they were made."""
    declare(model)
    model.producer_name, model.producer_version = PRODUCER, "1"
    model.domain, model.model_version, model.doc_string = "", 0, ""
    model.graph.name = "model"
    del model.metadata_props[:]
    _strip(model.graph)


def _strip(graph: "onnx.GraphProto") -> None:
    graph.doc_string = ""
    del graph.metadata_props[:]
    del graph.value_info[:]
    parts = (graph.node, graph.input, graph.output, graph.initializer)
    for item in (item for part in parts for item in part):
        item.doc_string = ""
        del item.metadata_props[:]
