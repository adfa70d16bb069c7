"""Hostile ONNX files are refused before anything runs them, with every problem at once."""

from collections.abc import Callable

import numpy as np
import onnx
import onnx_files as files
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from dagster_project.domain.errors import RefusedError
from dagster_project.inference import inspection
from dagster_project.inference.inspection import inspect_onnx
from dagster_project.inference.wire import MAX_DEPTH, count_messages

Change = Callable[[onnx.ModelProto], object]


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_plain_graph_is_let_through(task: str) -> None:
    inspect_onnx(files.good(task), files.manifest(task))


def _external(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].ClearField("raw_data")
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL
    model.graph.initializer[0].external_data.add(key="location", value="../../etc/passwd")


def _external_attribute(model: onnx.ModelProto) -> None:
    hidden = files.weight("", [1.0])
    hidden.external_data.add(key="location", value="/etc/passwd")
    model.graph.node.append(helper.make_node("Constant", [], ["c"], value=hidden))


def _branch(model: onnx.ModelProto) -> None:
    inner = helper.make_graph([], "inner", [], [])
    model.graph.node.append(helper.make_node("If", ["gone"], ["x"], then_branch=inner, else_branch=inner))


def _function(model: onnx.ModelProto) -> None:
    node = helper.make_node("Identity", ["x"], ["y"])
    model.functions.append(helper.make_function("own", "f", ["x"], ["y"], [node], [helper.make_opsetid("", 18)]))


def _sparse(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add().dims.extend([1 << 40])


def _declared_giant(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer.add(name="giant", data_type=TensorProto.FLOAT)
    tensor.dims.extend([1 << 30, 1 << 30])


def _hollow(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer.add(name="hollow", data_type=TensorProto.FLOAT)
    tensor.dims.extend([1000])


def _negative(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [-1]


def _blown_up(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(files.weight("size", [1 << 20, 1 << 20], np.int64))
    model.graph.node.append(helper.make_node("ConstantOfShape", ["size"], ["huge"]))


def _blown_up_constant(model: onnx.ModelProto) -> None:
    size = files.weight("", [1 << 20, 1 << 20], np.int64)
    model.graph.node.append(helper.make_node("Constant", [], ["size"], value=size))
    model.graph.node.append(helper.make_node("Expand", ["one", "size"], ["huge"]))


def _absurd_value(model: onnx.ModelProto) -> None:
    model.graph.value_info.append(helper.make_tensor_value_info("v", TensorProto.FLOAT, [1 << 40, 1 << 20]))


def _random(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("RandomNormalLike", ["distance"], ["noise"]))


def _contributed_node(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Gelu", ["distance"], ["g"], domain="com.microsoft"))


def _foreign_node(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Tokenizer", ["distance"], ["g"], domain="com.evil"))


def _foreign_opset(model: onnx.ModelProto) -> None:
    model.opset_import.add(domain="com.evil", version=1)


def _future_opset(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 99


def _twice(model: onnx.ModelProto) -> None:
    model.opset_import.add(domain="", version=18)


def _renamed_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].name = "arrival_delay"


def _wrong_type(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE


def _map_output(model: onnx.ModelProto) -> None:
    model.graph.output[1].type.sequence_type.elem_type.map_type.key_type = TensorProto.INT64


def _fixed_rows(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1 << 40


def _extra_output(model: onnx.ModelProto) -> None:
    model.graph.output.append(helper.make_tensor_value_info("logit", TensorProto.FLOAT, ["rows", 1]))


def _training(model: onnx.ModelProto) -> None:
    model.training_info.add()


def _old_ir(model: onnx.ModelProto) -> None:
    model.ir_version = 1


HOSTILE: list[tuple[Change, str]] = [
    (_external, "another file"),
    (_external_attribute, "another file"),
    (_branch, "control flow"),
    (_function, "functions of its own"),
    (_sparse, "sparse"),
    (_declared_giant, "elements, at most"),
    (_hollow, "does not store as many"),
    (_negative, "negative dimension"),
    (_blown_up, "absurd size"),
    (_blown_up_constant, "absurd size"),
    (_absurd_value, "absurd shape"),
    (_random, "draws at random"),
    (_contributed_node, "of com.microsoft, of which MurmurHash3, Tokenizer alone are run"),
    (_foreign_node, "foreign operator domain 'com.evil'"),
    (_foreign_opset, "'com.evil' is foreign"),
    (_future_opset, "opset 99 of ai.onnx is not known"),
    (_twice, "each opset once"),
    (_renamed_input, "its inputs are 'arrival_delay', 'carrier'"),
    (_wrong_type, "it must be FLOAT"),
    (_map_output, "is no tensor"),
    (_fixed_rows, "fixes the number of rows"),
    (_extra_output, "its outputs are"),
    (_training, "training information"),
    (_old_ir, "IR version 1"),
]


@pytest.mark.parametrize(("change", "words"), HOSTILE, ids=lambda value: getattr(value, "__name__", ""))
def test_a_hostile_file_is_refused(change: Change, words: str) -> None:
    model = files.model()
    change(model)
    with pytest.raises(RefusedError, match=words):
        inspect_onnx(model.SerializeToString(), files.manifest())


def test_every_problem_is_named_at_once() -> None:
    model = files.model()
    for change in (_external, _branch, _foreign_node, _renamed_input):
        change(model)
    with pytest.raises(RefusedError) as refused:
        inspect_onnx(model.SerializeToString(), files.manifest())
    assert all(words in str(refused.value) for words in ("another file", "control flow", "foreign", "its inputs are"))


def test_a_long_list_of_problems_is_cut() -> None:
    model = files.model()
    for number in range(200):
        model.opset_import.add(domain=f"evil{number}" + "x" * 1000, version=1)
    with pytest.raises(RefusedError, match="more problems") as refused:
        inspect_onnx(model.SerializeToString(), files.manifest())
    assert len(str(refused.value)) < 5000


def test_a_manifest_with_foreign_outputs_is_refused() -> None:
    with pytest.raises(RefusedError, match="the manifest lists the outputs"):
        inspect_onnx(files.good(), files.manifest().model_copy(update={"outputs": ("label",)}))


def test_a_file_that_is_too_large_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "MAX_BYTES", 100)
    with pytest.raises(RefusedError, match="are read; train a smaller model"):
        inspect_onnx(files.good(), files.manifest())


def test_a_bomb_of_empty_nodes_is_counted_and_not_parsed() -> None:
    nodes = b"\x0a\x00" * 1_000_000  # GraphProto.node, empty: 2 bytes each, a hundred in memory
    bomb = b"\x3a" + _varint(len(nodes)) + nodes
    with pytest.raises(RefusedError, match="more than 200,000 parts"):
        inspect_onnx(bomb, files.manifest())


def test_nesting_without_end_is_refused() -> None:
    data = b""
    for _ in range(MAX_DEPTH):  # attribute -> graph -> node -> attribute ...
        for tag in (b"\x32", b"\x2a", b"\x0a"):
            data = tag + _varint(len(data)) + data
    with pytest.raises(RefusedError, match="not valid protobuf"):
        inspect_onnx(b"\x3a" + _varint(len(data)) + data, files.manifest())


def _varint(value: int) -> bytes:
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(RefusedError):
        inspect_onnx(data, files.manifest())


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused_or_harmless(data: st.DataObject) -> None:
    whole = bytearray(files.good())
    cut = data.draw(st.integers(1, len(whole)))
    at = data.draw(st.integers(0, cut - 1))
    whole[at] = data.draw(st.integers(0, 255))
    try:
        inspect_onnx(bytes(whole[:cut]), files.manifest())
    except RefusedError as refused:
        assert str(refused)


def test_messages_are_counted_as_the_parser_makes_them() -> None:
    model = files.model()
    seen = 1 + len(model.opset_import) + len(model.graph.node) + len(model.graph.initializer)  # 1: the graph
    counted = count_messages(model.SerializeToString(), onnx.ModelProto.DESCRIPTOR, 10_000)
    assert counted is not None
    assert counted > seen
