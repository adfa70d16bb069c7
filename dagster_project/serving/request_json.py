"""The JSON of an inference request: one quick strict pass, and a slow one that finds what is wrong and where.

What the strict parser refuses is read again by the standard library's, which keeps duplicate keys, broken text and
numbers out of range apart. So ``NaN``, which is no JSON but what Python clients send, is read as missing.
"""

import json
from typing import Any

import msgspec

from .problems import BadRequest, Problems, shown

Parameters = dict[str, Any]


class Tensor(msgspec.Struct):
    """One entry of ``inputs``."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any] | None = None
    parameters: Parameters | None = None


class Output(msgspec.Struct):
    """One entry of ``outputs``."""

    name: str
    parameters: Parameters | None = None


class Request(msgspec.Struct):
    """The whole document; keys that the protocol doesn't know are ignored."""

    inputs: list[Tensor]
    id: str | None = None
    parameters: Parameters | None = None
    outputs: list[Output] | None = None


class _Loose(msgspec.Struct):
    inputs: list[dict[str, Any]]
    id: str | None = None
    parameters: Parameters | None = None
    outputs: list[Output] | None = None


class _Duplicate(ValueError):  # noqa: N818
    pass


_STRICT = msgspec.json.Decoder(Request)


def parse(header: bytes, problems: Problems) -> Request:
    """The request in ``header``; tensors that are wrong in themselves are left out and told to ``problems``.

    Raises:
        BadRequest: it is not JSON, not UTF-8, nested too deep, repeats a key, or is not of the protocol's form.
    """
    try:
        request = _STRICT.decode(header)
    except (ValueError, RecursionError):
        return _careful(header, problems)
    # each key has a colon, so more of them are in text, in keys unknown here, or in keys that are there twice
    if header.count(b":") != _keys(request):
        load(header)
    return request


def _keys(request: Request) -> int:
    """How many keys the document has where each is there once, known, and not null."""
    count = 1 + (request.id is not None) + _inner(request.parameters)
    for tensor in request.inputs:
        count += 3 if tensor.data is None else 4
        if tensor.parameters is not None:
            count += 1 + len(tensor.parameters)
    if request.outputs is not None:
        count += 1 + sum(1 + _inner(output.parameters) for output in request.outputs)
    return count


def _inner(parameters: Parameters | None) -> int:
    return 0 if parameters is None else 1 + len(parameters)


def _careful(header: bytes, problems: Problems) -> Request:
    document = load(header)
    try:
        loose = msgspec.convert(document, _Loose)
        msgspec.json.encode((loose.id, loose.parameters, loose.outputs))
    except (ValueError, RecursionError, TypeError) as error:
        raise BadRequest(f"the request is not of the protocol's form: {_reason(error)}") from None
    tensors = []
    for position, raw in enumerate(loose.inputs):
        tensor = _tensor(raw, position, problems)
        tensors += [tensor] if tensor else []
    return Request(tensors, loose.id, loose.parameters, loose.outputs)


def _tensor(raw: dict[str, Any], position: int, problems: Problems) -> Tensor | None:
    name = raw.get("name")
    try:
        # what is no Unicode text, broken UTF-8 or a lone surrogate, cannot be written again
        msgspec.json.encode(raw)
        tensor = msgspec.convert(raw, Tensor)
    except (ValueError, RecursionError) as error:
        problems.add(name if isinstance(name, str) else f"inputs[{position}]", _reason(error))
        return None
    return tensor


def load(header: bytes) -> Any:
    """Any JSON document; NaN is None.

    Raises:
        BadRequest: it is not JSON, nested too deep, or repeats a key.
    """
    if not header.strip():
        raise BadRequest("the request's JSON is empty; send a request")
    try:
        # bytes that are no UTF-8 become lone surrogates, found where they are
        text = header.decode("utf-8", "surrogateescape")
        return json.loads(text, object_pairs_hook=_distinct, parse_constant=_constant)
    except _Duplicate as error:
        raise BadRequest(f"the JSON has the key {error} twice in one object; send it once") from None
    except RecursionError:
        raise BadRequest("the JSON is nested too deep; send flat or row-wise data") from None
    except ValueError as error:
        raise BadRequest(f"the request is not JSON: {_reason(error)}") from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _Duplicate(shown(twice))
    return value


def _constant(token: str) -> float | None:
    return None if token == "NaN" else float(token)


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeError):
        return "text is not UTF-8; send Unicode text as UTF-8"
    if isinstance(error, RecursionError):
        return "nested too deep; send flat or row-wise data"
    return str(error)
