"""A stranger's ONNX file as data: looked at before anything runs it.

The format is the protobuf of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. What is refused cannot be needed
by a graph that maps one row of raw columns to one answer: code of others (functions, operator domains but for two
operators that cut and hash text), files beside the file (external data), control flow, chance, and tensors that are
larger in words than in bytes. What a graph takes while it runs is limited where it runs (:mod:`limits`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from dagster_project.domain.bundle import BundleManifest
from dagster_project.domain.errors import RefusedError

from .wire import count_messages

if TYPE_CHECKING:
    import onnx

MAX_BYTES = 256 * 1024 * 1024
MAX_MESSAGES = 200_000
MAX_NODES = 20_000
MAX_ELEMENTS = 50_000_000
IR_VERSIONS = range(4, 14)
OPSETS = {"ai.onnx": range(9, 25), "ai.onnx.ml": range(1, 6)}
CONTRIBUTED = {"com.microsoft": frozenset({"Tokenizer", "MurmurHash3"})}
"""onnxruntime's own operators that are run, by domain: expressions that cut texts are RE2's, which never explode."""
CONTROL_FLOW = frozenset({"If", "Loop", "Scan", "SequenceMap"})
CHANCE = frozenset(
    {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}
)
SIZED_BY_INPUT = frozenset({"ConstantOfShape", "Expand", "Tile", "Range", "Pad", "Resize", "Upsample", "OneHot"})
SHOWN = 20


def inspect_onnx(data: bytes, manifest: BundleManifest) -> None:
    """Return when ``data`` is a graph that may be run as ``manifest`` says.

    Raises RefusedError with every problem found. Never runs, links or resolves anything.
    """
    if len(data) > MAX_BYTES:
        size = f"{len(data) / 1e6:,.0f} MB"
        raise RefusedError(
            f"the ONNX file has {size}, at most {MAX_BYTES / 1e6:,.0f} MB are read; train a smaller model"
        )
    model = _parse(data)
    problems = list(dict.fromkeys(_problems(model, manifest)))
    if problems:
        more = [f"and {len(problems) - SHOWN} more problems"] if len(problems) > SHOWN else []
        raise RefusedError("\n".join(["the ONNX file is refused:", *problems[:SHOWN], *more]))


def _parse(data: bytes) -> "onnx.ModelProto":
    import onnx
    from google.protobuf.message import DecodeError

    advice = "the bundle is damaged or no model; build it again"
    messages = count_messages(data, onnx.ModelProto.DESCRIPTOR, limit=MAX_MESSAGES)
    if messages is None:
        raise RefusedError(f"the ONNX file is not valid protobuf: {advice}")
    if messages > MAX_MESSAGES:
        raise RefusedError(f"the ONNX file has more than {MAX_MESSAGES:,} parts; train a smaller model")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError as error:
        raise RefusedError(f"the ONNX file is not valid protobuf ({error}): {advice}") from None
    if not model.HasField("graph"):
        raise RefusedError(f"the ONNX file holds no graph: {advice}")
    return model


def _problems(model: "onnx.ModelProto", manifest: BundleManifest) -> Iterator[str]:
    yield from _header(model)
    yield from _signature(model.graph, manifest)
    yield from _nodes(model.graph)
    if model.graph.sparse_initializer:
        yield "it holds sparse initialisers; store them dense"
    for tensor in model.graph.initializer:
        yield from _tensor(tensor, f"initialiser {_name(tensor.name)}")
    for value in model.graph.value_info:
        yield from _declared(value)


def _header(model: "onnx.ModelProto") -> Iterator[str]:
    if model.ir_version not in IR_VERSIONS:
        yield f"IR version {model.ir_version} is not known; export with {IR_VERSIONS[0]} to {IR_VERSIONS[-1]}"
    if model.functions:
        yield "it defines functions of its own; inline them"
    if model.training_info:
        yield "it carries training information; export for inference"
    seen = [entry.domain or "ai.onnx" for entry in model.opset_import]
    if len(set(seen)) != len(seen) or "ai.onnx" not in seen:
        yield "it must import the opset of ai.onnx, and each opset once"
    for entry in model.opset_import:
        known = range(1, 2) if entry.domain in CONTRIBUTED else OPSETS.get(entry.domain or "ai.onnx")
        if known is None:
            yield f"operator domain {_name(entry.domain)} is foreign; use {' and '.join(OPSETS)} only"
        elif entry.version not in known:
            domain = entry.domain or "ai.onnx"
            yield f"opset {entry.version} of {domain} is not known; export with {known[0]} to {known[-1]}"


def _signature(graph: "onnx.GraphProto", manifest: BundleManifest) -> Iterator[str]:
    """Inputs and outputs must be the manifest's, with their types and no more than two dimensions."""
    import onnx

    kinds = {"float32": (onnx.TensorProto.FLOAT,), "string": (onnx.TensorProto.STRING,)}
    inputs = {entry.name: kinds[entry.dtype] for entry in manifest.inputs}
    yield from _values("input", graph.input, inputs, {entry.name: entry.width for entry in manifest.inputs})
    number = (onnx.TensorProto.FLOAT,)
    label = (onnx.TensorProto.INT64, onnx.TensorProto.STRING)
    outputs: Mapping[str, Sequence[onnx.TensorProto.DataType]] = {"label": label, "probabilities": number}
    if manifest.task == "regression":
        outputs = {"value": number}
    if set(manifest.outputs) != set(outputs) or len(manifest.outputs) != len(outputs):
        yield f"the manifest lists the outputs {list(manifest.outputs)}; {manifest.task} has {list(outputs)}"
    yield from _values("output", graph.output, outputs, dict.fromkeys(outputs, max(1, len(manifest.classes))))


def _values(
    kind: str,
    found: "Iterable[onnx.ValueInfoProto]",
    wanted: "Mapping[str, Sequence[onnx.TensorProto.DataType]]",
    widths: Mapping[str, int],
) -> Iterator[str]:
    import onnx

    found = list(found)
    names = [str(value.name) for value in found]  # protobuf gives bytes where a name is no UTF-8
    if sorted(names) != sorted(wanted):
        yield f"its {kind}s are {_names(names)}, the manifest's are {_names(wanted)}; build it again"
    for value in found:
        if value.type.WhichOneof("value") != "tensor_type":
            yield f"{kind} {_name(value.name)} is no tensor; export tensors (zipmap off)"
            continue
        element = value.type.tensor_type.elem_type
        if value.name in wanted and element not in wanted[value.name]:
            types = " or ".join(onnx.TensorProto.DataType.Name(t) for t in wanted[value.name])
            yield f"{kind} {_name(value.name)} has element type {element}; it must be {types}"
        dims, width = value.type.tensor_type.shape.dim, widths.get(value.name, 1)
        if len(dims) > 2 or (len(dims) == 2 and dims[1].dim_value not in (0, 1, width)):
            yield f"{kind} {_name(value.name)} has a shape that is not (rows, {width})"
        if dims and dims[0].HasField("dim_value"):
            yield f"{kind} {_name(value.name)} fixes the number of rows; export with a free first dimension"


def _declared(value: "onnx.ValueInfoProto") -> Iterator[str]:
    dims = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
    if any(size < 0 for size in dims) or prod(max(1, size) for size in dims) > MAX_ELEMENTS:
        yield f"value {_name(value.name)} declares an absurd shape {dims[:8]}; export it again"


def _nodes(graph: "onnx.GraphProto") -> Iterator[str]:
    if len(graph.node) > MAX_NODES:
        yield f"it has {len(graph.node):,} nodes, at most {MAX_NODES:,} are run; train a smaller model"
        return
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.output:
            constants.update((node.output[0], a.t) for a in node.attribute if a.HasField("t"))
        yield from _node(node, constants)


def _node(node: "onnx.NodeProto", constants: "dict[str, onnx.TensorProto]") -> Iterator[str]:
    name = f"node {_name(node.name or node.op_type)}"
    if node.domain in CONTRIBUTED:
        if node.op_type not in CONTRIBUTED[node.domain]:
            listed = ", ".join(sorted(CONTRIBUTED[node.domain]))
            yield f"{name} ({node.op_type}) is of {node.domain}, of which {listed} alone are run"
    elif (node.domain or "ai.onnx") not in OPSETS:
        yield f"{name} is of the foreign operator domain {_name(node.domain)}; use {' and '.join(OPSETS)} only"
    if node.op_type in CONTROL_FLOW:
        yield f"{name} is control flow ({node.op_type}); export a graph without loops and branches"
    if node.op_type in CHANCE:
        yield f"{name} draws at random ({node.op_type}); a model's answer must depend on its row alone"
    for attribute in node.attribute:
        yield from _attribute(attribute, name)
    if node.op_type in SIZED_BY_INPUT:
        for wanted in node.input:
            if wanted in constants and _largest(constants[wanted]) > MAX_ELEMENTS:
                yield f"{name} makes a tensor of an absurd size; export it again"


def _attribute(attribute: "onnx.AttributeProto", owner: str) -> Iterator[str]:
    if attribute.HasField("g") or attribute.graphs:
        yield f"{owner} holds a graph of its own; export a flat graph"
    if attribute.HasField("sparse_tensor") or attribute.sparse_tensors:
        yield f"{owner} holds a sparse tensor; store it dense"
    if attribute.ref_attr_name:
        yield f"{owner} refers to a function's attribute; inline functions"
    if attribute.HasField("t"):
        yield from _tensor(attribute.t, owner)
    for tensor in attribute.tensors:
        yield from _tensor(tensor, owner)


def _tensor(tensor: "onnx.TensorProto", owner: str) -> Iterator[str]:
    """A tensor must lie in the file, whole: as many elements stored as its dimensions say."""
    import onnx

    if tensor.external_data or tensor.data_location == onnx.TensorProto.EXTERNAL:
        yield f"{owner} keeps its data in another file; save with external_data=False"
        return
    if tensor.HasField("segment"):
        yield f"{owner} is cut in segments; store it whole"
    if any(size < 0 for size in tensor.dims):
        yield f"{owner} has a negative dimension; export it again"
        return
    elements = prod(tensor.dims)
    if elements > MAX_ELEMENTS:
        yield f"{owner} has {elements:,} elements, at most {MAX_ELEMENTS:,} are read; train a smaller model"
    elif elements != _stored(tensor):
        yield f"{owner} declares {elements:,} elements and does not store as many; export it again"


def _stored(tensor: "onnx.TensorProto") -> int:
    import onnx

    if tensor.data_type == onnx.TensorProto.STRING:
        return len(tensor.string_data)
    sizes = {name: size for names, size in _WIDTHS for name in names}
    kind = onnx.TensorProto.DataType.Name(tensor.data_type) if tensor.data_type in _known_types() else ""
    if kind not in sizes:
        return -1
    if tensor.raw_data:
        return len(tensor.raw_data) // sizes[kind] if len(tensor.raw_data) % sizes[kind] == 0 else -1
    return max(len(getattr(tensor, f"{store}_data")) for store in ("float", "double", "int32", "int64", "uint64"))


_WIDTHS: tuple[tuple[tuple[str, ...], int], ...] = (
    (("BOOL", "INT8", "UINT8"), 1),
    (("FLOAT16", "BFLOAT16", "INT16", "UINT16"), 2),
    (("FLOAT", "INT32", "UINT32"), 4),
    (("DOUBLE", "INT64", "UINT64"), 8),
)


def _known_types() -> list[int]:
    import onnx

    return list(onnx.TensorProto.DataType.values())


def _largest(tensor: "onnx.TensorProto") -> int:
    """Product of a small integer tensor's entries: the size of what a node makes of it; 0 where it holds no sizes."""
    import numpy as np
    import onnx

    if tensor.data_type != onnx.TensorProto.INT64 or prod(tensor.dims) > 16 or prod(tensor.dims) != _stored(tensor):
        return 0
    stored: Any = np.frombuffer(tensor.raw_data, "<i8").tolist() if tensor.raw_data else list(tensor.int64_data)
    return prod(max(1, abs(size)) for size in stored)


def _name(text: str | bytes) -> str:
    text = str(text)
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _names(names: Iterable[str]) -> str:
    listed = sorted(names)
    return ", ".join(_name(name) for name in listed[:SHOWN]) + (" ..." if len(listed) > SHOWN else "") or "none"
