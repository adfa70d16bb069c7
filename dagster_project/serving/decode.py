"""From the bytes of an inference request to the columns that a model takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .columns import Columns, columns_of
from .event_times import event_times
from .one_row import one_row
from .problems import BadRequest, Problems, listed
from .reader import Reader
from .request_json import Request, parse
from .signature import Signature


@dataclass
class InferRequest:
    """One request, read and checked: (rows, width) float32 or text arrays, and what to answer.

    ``outputs`` are names in the order to answer, each with whether it goes as bytes; ``datatypes`` are the model's;
    ``times`` when each row's event is, microseconds since 1970 (:mod:`event_times`), None where it was not sent.
    """

    id: str | None
    columns: Columns
    rows: int
    ids: list[str] | None
    outputs: tuple[tuple[str, bool], ...]
    parameters: dict[str, Any] = field(default_factory=dict)
    datatypes: dict[str, str] = field(default_factory=dict)
    times: list[int] | None = None


def decode_request(body: bytes, header_length: int | None, signature: Signature) -> InferRequest:
    """Read one request; ``header_length`` is where its JSON ends, None where it is all JSON.

    Raises:
        BadRequest: anything is wrong with it; all problems at once, each with its tensor's name.
    """
    problems = Problems()
    header, tail = _parts(body, header_length)
    request = parse(header, problems)
    outputs = _outputs(request, signature, problems)
    quick = None if tail is not None or problems or signature.wide_texts else one_row(request.inputs, signature)
    if quick is not None:
        columns, texts, times = quick
        return InferRequest(
            request.id, columns, 1, texts, outputs, request.parameters or {}, signature.datatypes, times
        )
    reader = Reader(signature, tail, problems)
    values = reader.read(request.inputs)
    if not reader.rows:
        problems.refuse()
        raise BadRequest("the request has no inputs; send at least one column")
    ids = values.pop(signature.id_column, None) if signature.id_column else None
    times = event_times(values, signature.time_column, problems)
    columns = columns_of(values, reader.rows, signature, problems)
    problems.refuse()
    texts = None if ids is None else ["" if text is None else text for text in ids]
    parameters = request.parameters or {}
    return InferRequest(request.id, columns, reader.rows, texts, outputs, parameters, signature.datatypes, times)


def _parts(body: bytes, header_length: int | None) -> tuple[bytes, memoryview | None]:
    if header_length is None:
        return body, None
    if not 0 <= header_length <= len(body):
        raise BadRequest(f"Inference-Header-Content-Length is beyond the body, which has {len(body)} bytes; send both")
    return body[:header_length], memoryview(body)[header_length:]


def _outputs(request: Request, signature: Signature, problems: Problems) -> tuple[tuple[str, bool], ...]:
    binary = _flag(request.parameters, "binary_data_output", False, "parameters", problems)
    if not request.outputs:
        return signature.every_output[binary]
    chosen: dict[str, bool] = {}
    for output in request.outputs:
        name = output.name
        if name not in signature.datatypes:
            known = listed(list(signature.datatypes))
            problems.add(name, f"the model has no such output; it answers {known}")
        elif name in chosen:
            problems.add(name, "the output is asked for twice; ask once")
        chosen[name] = _flag(output.parameters, "binary_data", binary, name, problems)
    return tuple(chosen.items())


def _flag(parameters: Mapping[str, Any] | None, key: str, otherwise: bool, name: str, problems: Problems) -> bool:
    value = parameters.get(key, otherwise) if parameters else otherwise
    if type(value) is not bool:
        problems.add(name, f"{key} must be true or false")
        return otherwise
    return value
