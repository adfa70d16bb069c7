"""Holds requests and answers against GitHub's official OpenAPI description (see `reduce.py`), with openapi-core."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema_path import SchemaPath
from openapi_core.datatypes import RequestParameters
from openapi_core.templating.datatypes import TemplateResult
from openapi_core.templating.paths.datatypes import PathOperationServer
from openapi_core.templating.paths.exceptions import OperationNotFound
from openapi_core.validation.request.validators import V30RequestValidator
from openapi_core.validation.response.validators import V30ResponseValidator
from openapi_core.validation.schemas import oas30_read_schema_validators_factory, oas30_write_schema_validators_factory
from werkzeug.datastructures import Headers, ImmutableMultiDict

DOCUMENT = Path(__file__).with_name("api.github.com.json")
#: GitHub may answer any request with these, as its pages on errors, authentication and limits say.
EVERYWHERE = {304, 401, 403, 404, 422, 429}


@dataclass
class Asked:
    """A request as openapi-core wants it; ``path`` is the name of the path in the description."""

    method: str
    path: str
    variables: dict[str, str]
    query: list[tuple[str, str]]
    body: bytes
    host_url: str = ""
    parameters: RequestParameters = field(init=False)

    def __post_init__(self) -> None:
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(self.query), header=Headers(), path=dict(self.variables)
        )

    @property
    def content_type(self) -> str:
        """GitHub reads every body as JSON."""
        return "application/json"


@dataclass(frozen=True)
class Answered:
    """An answer as openapi-core wants it."""

    status_code: int
    data: bytes
    content_type: str
    headers: Headers = field(default_factory=Headers)


class _ByName:
    """Finds the operation by the path's name: which template fits has been decided by the router."""

    def __init__(self, spec: SchemaPath, base_url: str | None = None) -> None:
        self.spec = spec

    def find(self, method: str, name: str) -> PathOperationServer:
        path = self.spec / "paths" / name
        if method not in path:
            raise OperationNotFound(name, method)
        return PathOperationServer(path, path / method, None, TemplateResult(name, {}), {})


class _Once:
    """Makes each schema's validator once: the factory of openapi-core makes it again on every call."""

    def __init__(self, factory: Any) -> None:
        self._factory = factory
        self._made: dict[Any, Any] = {}

    def create(self, spec: SchemaPath, schema: SchemaPath, *arguments: Any, **more: Any) -> Any:
        if schema not in self._made:
            self._made[schema] = self._factory.create(spec, schema, *arguments, **more)
        return self._made[schema]


class Conformance:
    """Says where a request or an answer differs from the description."""

    def __init__(self, document: dict[str, Any]) -> None:
        spec = SchemaPath.from_dict(document)
        self.paths: dict[str, Any] = document["paths"]
        self._requests = V30RequestValidator(
            spec,
            path_finder_cls=_ByName,
            schema_validators_factory=_Once(oas30_write_schema_validators_factory),
        )
        self._answers = V30ResponseValidator(
            spec,
            path_finder_cls=_ByName,
            schema_validators_factory=_Once(oas30_read_schema_validators_factory),
        )

    def request(self, asked: Asked) -> list[str]:
        """What is wrong with the request; empty where nothing is."""
        return [line for error in self._requests.iter_errors(asked) for line in _lines(error)]

    def answer(self, asked: Asked, answered: Answered) -> list[str]:
        """What is wrong with the answer; empty where nothing is."""
        if str(answered.status_code) not in self.paths[asked.path][asked.method]["responses"]:
            return self._undocumented(asked, answered)
        if answered.status_code in (204, 302, 304) or not self._has_schema(asked, answered):
            return []
        return [line for error in self._answers.iter_errors(asked, answered) for line in _lines(error)]

    def _has_schema(self, asked: Asked, answered: Answered) -> bool:
        response = self.paths[asked.path][asked.method]["responses"][str(answered.status_code)]
        return "$ref" in response or "content" in response

    def _undocumented(self, asked: Asked, answered: Answered) -> list[str]:
        if answered.status_code not in EVERYWHERE:
            return [f"{asked.method} {asked.path} has no answer {answered.status_code}"]
        body = json.loads(answered.data) if answered.data else {"message": "", "documentation_url": ""}
        missing = {"message", "documentation_url"} - set(body)
        return [f"an error without {name}" for name in sorted(missing)]


def _lines(error: Any) -> Iterator[str]:
    cause = error.__cause__ or error
    details = getattr(cause, "schema_errors", None)
    if not details:
        yield f"{error}"
        return
    for detail in details:
        yield from (f"{where}: {what}" for where, what in _leaves(detail))


def _leaves(error: Any) -> Iterator[tuple[str, str]]:
    """The innermost complaints of one: which branch of a oneOf is wrong and where."""
    for inner in error.context or ():
        yield from _leaves(inner)
    if not error.context:
        text = error.message if len(error.message) < 300 else f"{error.message[:150]} ... {error.message[-150:]}"
        yield "/".join(str(part) for part in error.absolute_path) or ".", f"{text} ({error.validator})"


@cache
def conformance() -> Conformance:
    """Read once a process."""
    return Conformance(json.loads(DOCUMENT.read_text()))
