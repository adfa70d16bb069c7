"""``Tokens`` as ONNX operators, for scikit-learn's converter."""

from typing import Any

from dagster_project.training.operators import CONTRIBUTED, Operators
from dagster_project.training.terms_graph import EXPRESSIONS


def register() -> None:
    """Tell scikit-learn's converter of ``Tokens``; telling it twice is as well."""
    from skl2onnx import update_registered_converter

    from dagster_project.training.tokens import Tokens

    update_registered_converter(Tokens, "ThreeActsTokens", _shape, _convert, overwrite=True)


def _shape(operator: Any) -> None:
    from skl2onnx.common.data_types import FloatTensorType

    operator.outputs[0].type = FloatTensorType([None, operator.raw_operator.width_])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """The operator that cuts wants a row at least, so one is laid under the others. What hashes to 0 is no word."""
    from dagster_project.training.tokens import BUCKETS, LENGTH

    graph = Operators(scope, container)
    flat = graph.node("Reshape", [operator.inputs[0].full_name, graph.numbers([-1])])
    longer = graph.node("Concat", [flat, graph.texts([""])], axis=0)
    small = graph.node("StringNormalizer", [longer], case_change_action="LOWER", is_case_sensitive=1, locale="C")
    tokens = graph.node(
        "Tokenizer", [small], domain=CONTRIBUTED, mark=0, mincharnum=1, pad_value="", tokenexp=EXPRESSIONS["words"]
    )
    hashed = graph.node("MurmurHash3", [tokens], domain=CONTRIBUTED, positive=1, seed=0)
    whole = graph.node("Cast", [hashed], to=7)  # int64
    nothing = graph.numbers([0])
    placed = graph.node("Add", [graph.node("Mod", [whole, graph.numbers([BUCKETS])]), graph.numbers([1])])
    there = graph.node("Where", [graph.node("Equal", [whole, nothing]), nothing, placed])
    rows = graph.node("Gather", [graph.node("Shape", [there]), nothing])
    filling = graph.node("Expand", [nothing, graph.node("Concat", [rows, graph.numbers([LENGTH])], axis=0)])
    filled = graph.node("Concat", [there, filling], axis=1)
    ends = [graph.numbers([0, 0]), graph.numbers([-1, LENGTH]), graph.numbers([0, 1])]
    cut = graph.node("Slice", [filled, *ends])
    graph.node("Cast", [cut], operator.outputs[0].full_name, to=1)  # float32
