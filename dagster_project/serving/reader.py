"""The tensors of a request, one after another, with the bytes that lie behind its JSON."""

from collections.abc import Sequence

from .problems import BadRequest, Problems, Wrong, counted, listed, shown
from .request_json import Tensor
from .signature import TEXTS, Signature
from .tensors import Values, binary_values, json_values, rows_of, unknown_datatype


class Reader:
    """Goes through the tensors in their order, and through the bytes behind the JSON along with them."""

    def __init__(self, signature: Signature, tail: memoryview | None, problems: Problems) -> None:
        self._signature = signature
        self._tail = tail
        self._problems = problems
        self._at = 0
        self._first = ""
        self._seen: set[str] = set()
        self.rows = 0

    def read(self, tensors: Sequence[Tensor]) -> dict[str, Values]:
        """Values by tensor, of those that are right."""
        if self._tail is not None:
            self._problems.refuse()  # with a tensor left out, the bytes of those after it are anywhere
        values: dict[str, Values] = {}
        for tensor in tensors:
            try:
                if tensor.name in self._signature.unread:
                    self._pass_over(tensor)
                else:
                    values[tensor.name] = self._values(tensor)
            except Wrong as wrong:
                self._problems.add(tensor.name, str(wrong))
        absent = self._signature.required - self._seen
        if absent:
            self._absent(absent)
        if self._tail and self._at < len(self._tail) and not self._problems:
            raise BadRequest(f"{len(self._tail) - self._at} bytes lie behind the last tensor; send binary_data_size")
        return values

    def _absent(self, names: frozenset[str]) -> None:
        for name in self._signature.expected:
            if name in names and name not in self._problems.names:
                self._problems.add(name, "the column is required; send it")

    def _values(self, tensor: Tensor) -> Values:
        # bytes are passed over first, so that the next tensor's are found whatever is wrong with this one
        raw = self._bytes(tensor) if tensor.parameters else None
        self._see(tensor)
        expected = self._signature.expected.get(tensor.name)
        if expected is None and tensor.name not in self._signature.beside:
            raise Wrong(f"the model has no such input; it takes {listed(list(self._signature.expected))}")
        datatypes, width = (expected.datatypes, expected.width) if expected else (TEXTS, 1)
        if tensor.datatype not in datatypes:
            raise unknown_datatype(tensor.datatype, datatypes)
        shape = expected.served.shape or None if expected else None
        rows = rows_of(tensor.shape, width, self._signature.request_rows, shape)
        if raw is not None:
            values = binary_values(tensor.datatype, raw, rows * width)
        elif tensor.data is None:
            raise Wrong("it has no data; send data, or binary_data_size and the bytes behind the JSON")
        else:
            values = json_values(tensor, rows, width)
        self._same_rows(tensor.name, rows)
        return values

    def _pass_over(self, tensor: Tensor) -> None:
        """A column of the contract that this model does not read: another champion may."""
        if tensor.parameters:
            self._bytes(tensor)
        self._see(tensor)
        if not tensor.shape:
            raise Wrong("its shape is []; send [rows]")
        self._same_rows(tensor.name, rows_of(tensor.shape[:1], 1, self._signature.request_rows))

    def _see(self, tensor: Tensor) -> None:
        if tensor.name in self._seen:
            raise Wrong("it is there twice; send it once")
        self._seen.add(tensor.name)

    def _same_rows(self, name: str, rows: int) -> None:
        if not self.rows:
            self.rows, self._first = rows, name
        elif rows != self.rows:
            raise Wrong(f"it has {rows} rows where {shown(self._first)} has {self.rows}; send as many of each")

    def _bytes(self, tensor: Tensor) -> memoryview | None:
        """The part of the tail that is this tensor's; None where it is sent as JSON."""
        size = tensor.parameters.get("binary_data_size") if tensor.parameters else None
        if size is None:
            return None
        if type(size) is not int or size < 0:
            raise Wrong("its binary_data_size is no number of bytes; send how many bytes it has behind the JSON")
        if self._tail is None:
            raise Wrong("it has binary_data_size, but the header Inference-Header-Content-Length was not sent")
        start, self._at = self._at, self._at + size
        if self._at > len(self._tail):
            left = max(len(self._tail) - start, 0)
            raise Wrong(f"its binary_data_size is {counted(size)}, but {left} bytes are left behind the JSON")
        if tensor.data is not None:
            raise Wrong("it has both data and binary_data_size; send one of them")
        return self._tail[start : self._at]
