"""A stranger's graph takes no more memory and no more time than it may."""

import resource
from collections.abc import Callable

import numpy as np
import onnx
import onnx_files as files
import pytest
from onnx import helper

from dagster_project.domain.errors import RefusedError
from dagster_project.inference.limits import Limits
from dagster_project.inference.predictor import OnnxPredictor

MANY = {"distance": np.ones(20_000), "carrier": np.array(["UA"] * 20_000, dtype=object)}
MEMORY = Limits(memory=256 * 1024**2)


def _model(*nodes: onnx.NodeProto, **constants: list[int]) -> onnx.ModelProto:
    """The regression, whose answer also depends on ``more`` (of any shape), made by ``nodes``."""
    model = files.model("regression")
    model.graph.node[3].output[0] = "plain"
    model.graph.node.extend(nodes)
    model.graph.node.append(helper.make_node("ReduceMax", ["more"], ["most"], keepdims=0))
    model.graph.node.append(helper.make_node("Add", ["plain", "most"], ["value"]))
    model.graph.initializer.extend(files.weight(name, values, np.int64) for name, values in constants.items())
    return model


def rows_by_rows() -> onnx.ModelProto:
    turned = helper.make_node("Transpose", ["known"], ["turned"], perm=[1, 0])
    return _model(turned, helper.make_node("MatMul", ["known", "turned"], ["more"]))


def computed_size() -> onnx.ModelProto:
    shape = helper.make_node("Mul", ["side", "side"], ["shape"])
    return _model(shape, helper.make_node("ConstantOfShape", ["shape"], ["more"]), side=[20_000])


def endless() -> onnx.ModelProto:
    """A thousand products of two matrices, 1,000 x 1,000: more than half a minute."""
    first = helper.make_node("ConstantOfShape", ["shape"], ["step0"])
    steps = [helper.make_node("MatMul", [f"step{i}", f"step{i}"], [f"step{i + 1}"]) for i in range(1000)]
    return _model(first, *steps, helper.make_node("Identity", ["step1000"], ["more"]), shape=[1000, 1000])


def _predictor(model: onnx.ModelProto, limits: Limits | None) -> OnnxPredictor:
    return OnnxPredictor(model.SerializeToString(), files.manifest("regression"), limits=limits)


def test_within_its_limits_a_graph_answers_as_without() -> None:
    free, limited = _predictor(files.model("regression"), None), _predictor(files.model("regression"), Limits())
    before = resource.getrlimit(resource.RLIMIT_AS)
    assert limited.predict(files.COLUMNS).values.tolist() == free.predict(files.COLUMNS).values.tolist()
    assert resource.getrlimit(resource.RLIMIT_AS) == before


@pytest.mark.parametrize("made", [rows_by_rows, computed_size])
def test_more_memory_than_it_may_take_is_refused(made: Callable[[], onnx.ModelProto]) -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    predictor = _predictor(made(), MEMORY)
    with pytest.raises(RefusedError, match=r"does not answer \(it may take 0.25 GiB of memory"):
        predictor.predict(MANY)
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    assert len(_predictor(files.model("regression"), MEMORY).predict(MANY)) == 20_000


def test_more_time_than_it_may_take_is_refused_for_good() -> None:
    predictor = _predictor(endless(), Limits(seconds=0.5))
    for _ in range(2):
        with pytest.raises(RefusedError, match=r"0\.5 s in all"):
            predictor.predict(files.COLUMNS)
