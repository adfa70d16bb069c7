"""``Pixels`` as ONNX operators, for scikit-learn's converter."""

from typing import Any

from dagster_project.training.operators import Operators


def register() -> None:
    """Tell scikit-learn's converter of ``Pixels``; telling it twice is as well."""
    from skl2onnx import update_registered_converter

    from dagster_project.training.pixels import Pixels

    update_registered_converter(Pixels, "ThreeActsPixels", _shape, _convert, overwrite=True)


def _shape(operator: Any) -> None:
    from skl2onnx.common.data_types import FloatTensorType

    operator.outputs[0].type = FloatTensorType([None, operator.raw_operator.width_])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    import numpy as np

    from dagster_project.training.pixels import WHITE, fields

    graph, pixels = Operators(scope, container), operator.raw_operator
    given, made = operator.inputs[0].full_name, operator.outputs[0].full_name
    missing = graph.node("IsNaN", [given])
    there = graph.node("Where", [missing, graph.floats(np.zeros((), np.float32)), given])
    light = graph.floats(np.array(1 / WHITE, np.float32))
    if pixels.pooled:
        graph.node("MatMul", [graph.node("Mul", [there, light]), graph.floats(fields(pixels.shape))], made)
    else:
        graph.node("Mul", [there, light], made)
