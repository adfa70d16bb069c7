"""``Terms`` as ONNX operators, for scikit-learn's converter.

The operators that cut text want a row at least, so one is laid under the others and taken away in the end. Tokenizer is
onnxruntime's own operator (domain com.microsoft); its expressions are RE2's, which take time in proportion to the text.
"""

from typing import TYPE_CHECKING, Any

from dagster_project.domain.spec import TextTransform
from dagster_project.training.operators import CONTRIBUTED, Operators

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer

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


class _Graph(Operators):
    """Nodes and constants of one ``Terms``."""

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
