"""Nodes and constants that our own transformers add to a graph, while scikit-learn's converter makes it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

CONTRIBUTED = "com.microsoft"
"""The domain of onnxruntime's own operators."""
_VERSIONS = {"": 20, "ai.onnx.ml": 1, CONTRIBUTED: 1}


class Operators:
    """Adds to the converter's ``container`` under names that are free in its ``scope``."""

    def __init__(self, scope: Any, container: Any) -> None:
        self.scope, self.container = scope, container

    def node(self, kind: str, inputs: list[str], output: str = "", domain: str = "", **attributes: Any) -> str:
        """Add a node; the name of what it makes."""
        made = output or self.scope.get_unique_variable_name(kind.lower())
        self.container.add_node(
            kind, inputs, made, op_domain=domain, op_version=_VERSIONS[domain],
            name=self.scope.get_unique_operator_name(kind), **attributes,
        )  # fmt: skip
        return made

    def numbers(self, values: list[int]) -> str:
        """A constant of whole numbers."""
        return self._constant("INT64", [len(values)], values)

    def texts(self, values: list[str]) -> str:
        """A constant of texts."""
        return self._constant("STRING", [len(values)], [value.encode() for value in values])

    def floats(self, values: "np.ndarray") -> str:
        """A constant of float32, of any shape."""
        return self._constant("FLOAT", list(values.shape), values.reshape(-1).tolist())

    def _constant(self, kind: str, shape: list[int], values: list[Any]) -> str:
        from onnx import TensorProto

        name: str = self.scope.get_unique_variable_name("constant")
        self.container.add_initializer(name, TensorProto.DataType.Value(kind), shape, values)
        return name
