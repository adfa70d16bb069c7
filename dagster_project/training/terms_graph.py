"""``Terms`` as ONNX operators, for scikit-learn's converter.

The operators that cut text want a row at least, so one is laid under the others and taken away in the end. Tokenizer is
onnxruntime's own operator (domain com.microsoft); its expressions are RE2's, which take time in proportion to the text.
"""

from typing import TYPE_CHECKING, Any

from dagster_project.domain.spec import TextTransform

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer

CONTRIBUTED = "com.microsoft"
EXPRESSIONS: dict[TextTransform, str] = {"words": r"[\p{L}\p{N}_]+", "characters": "(?s)."}
PADDING = "\x00"


def register() -> None:
    """Tell scikit-learn's converter of ``Terms``; telling it twice is as well."""
    from skl2onnx import update_registered_converter

    from dagster_project.training.terms import Terms

    update_registered_converter(Terms, "ThreeActsTerms", _shape, _convert, overwrite=True)


def _shape(operator: Any) -> None:
    from skl2onnx.common.data_types import FloatTensorType

    operator.outputs[0].type = FloatTensorType([None, sum(operator.raw_operator.widths)])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    graph, terms = _Graph(scope, container), operator.raw_operator
    given = operator.inputs[0].full_name
    parts = [graph.column(given, place, fitted, terms.unit) for place, fitted in enumerate(terms.columns_)]
    graph.node("Concat", parts, operator.outputs[0].full_name, axis=1)


class _Graph:
    """Nodes and constants of one ``Terms``."""

    def __init__(self, scope: Any, container: Any) -> None:
        self.scope, self.container = scope, container

    def column(self, given: str, place: int, fitted: "TfidfVectorizer", unit: TextTransform) -> str:
        """The terms of the column at ``place``: a float tensor (rows, terms)."""
        import numpy as np

        from dagster_project.training.terms import LENGTHS, pool_of, terms_of, weights_of

        one = self.node("Gather", [given, self.numbers([place])], axis=1)
        flat = self.node("Reshape", [one, self.numbers([-1])])
        longer = self.node("Concat", [flat, self.texts([""])], axis=0)
        small = self.node("StringNormalizer", [longer], case_change_action="LOWER", is_case_sensitive=1, locale="C")
        tokens = self.node(
            "Tokenizer", [small], domain=CONTRIBUTED, mark=0, mincharnum=1, pad_value=PADDING,
            tokenexp=EXPRESSIONS[unit],
        )  # fmt: skip
        pool, begins, order = pool_of(terms_of(fitted, unit))
        weights = weights_of(fitted)[np.asarray(order)]
        counted = self.node(
            "TfIdfVectorizer", [tokens], mode="TFIDF", min_gram_length=LENGTHS[unit][0], max_gram_length=len(begins),
            max_skip_count=0, ngram_counts=begins, ngram_indexes=order, pool_strings=pool, weights=weights.tolist(),
        )  # fmt: skip
        long = self.node("Normalizer", [counted], domain="ai.onnx.ml", norm="L2")
        return self.node("Slice", [long, self.numbers([0]), self.numbers([-1]), self.numbers([0])])

    def node(self, kind: str, inputs: list[str], output: str = "", domain: str = "", **attributes: Any) -> str:
        """Add a node; the name of what it makes."""
        made = output or self.scope.get_unique_variable_name(kind.lower())
        versions = {"": 20, "ai.onnx.ml": 1, CONTRIBUTED: 1}
        self.container.add_node(
            kind, inputs, made, op_domain=domain, op_version=versions[domain],
            name=self.scope.get_unique_operator_name(kind), **attributes,
        )  # fmt: skip
        return made

    def numbers(self, values: list[int]) -> str:
        """A constant of whole numbers."""
        return self._constant("INT64", values)

    def texts(self, values: list[str]) -> str:
        """A constant of texts."""
        return self._constant("STRING", [value.encode() for value in values])

    def _constant(self, kind: str, values: list[Any]) -> str:
        from onnx import TensorProto

        name: str = self.scope.get_unique_variable_name("constant")
        self.container.add_initializer(name, TensorProto.DataType.Value(kind), [len(values)], values)
        return name
