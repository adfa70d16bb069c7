"""Read ``spec.yaml``, ``floor.yaml`` and ``champion.lock.yaml`` into strict types."""

from typing import TypeVar

from .base import StrictModel
from .errors import Problem, UserFileError
from .gates import Floor
from .lock import ChampionLock
from .spec import ModelSpec
from .validation import validate
from .yamlfile import Document, load_yaml

Value = TypeVar("Value", bound=StrictModel)


def read(model: type[Value], text: str | bytes, file: str) -> tuple[Value | None, Document | None, list[Problem]]:
    """The value as far as it can be read, its document for line numbers, and every problem."""
    try:
        document = load_yaml(text, file)
    except UserFileError as error:
        return None, None, error.problems
    value, problems = validate(model, document)
    return value, document, problems


def load_spec(text: str | bytes, file: str) -> ModelSpec:
    """Raises ``UserFileError`` with every problem of the file itself; ``guards.py`` holds it against a contract."""
    return _load(ModelSpec, text, file)


def load_floor(text: str | bytes, file: str) -> Floor:
    """Raises ``UserFileError``."""
    return _load(Floor, text, file)


def load_lock(text: str | bytes, file: str) -> ChampionLock:
    """Raises ``UserFileError``."""
    return _load(ChampionLock, text, file)


def _load(model: type[Value], text: str | bytes, file: str) -> Value:
    value, _, problems = read(model, text, file)
    if problems or value is None:
        raise UserFileError(problems)
    return value
