"""A server's settings from environment variables, where something else than ``acts serve`` starts it."""

from collections.abc import Mapping
from pathlib import Path

from dagster_project.domain.errors import UsageError
from dagster_project.domain.workspace import Workspace
from dagster_project.serving.server import Settings

TOKENS_FILE = "ACTS_TOKENS_FILE"
POLL, RATE, PORT, WARM = "ACTS_POLL", "ACTS_RATE", "ACTS_PORT", "ACTS_WARM"
WARM_SECONDS = 30.0


def settings_from(environ: Mapping[str, str], host: str) -> Settings:
    """Settings of a server that is reached at ``host``; ``Workspace`` reads where things lie by itself.

    Raises:
        UsageError: a variable that should hold a number does not.
    """
    tokens = environ.get(TOKENS_FILE)
    return Settings(
        workspace=Workspace(repo=Path(environ.get("ACTS_REPO") or ".").resolve()),
        host=host,
        port=int(_number(environ, PORT, 8000, most=65_535)),
        tokens=Path(tokens) if tokens else None,
        poll=_number(environ, POLL, 1.0, least=0.05),
        rate=_number(environ, RATE, 0.0),
    )


def warm_seconds(environ: Mapping[str, str]) -> float:
    """How long a replica may load champions before requests are sent to it.

    Raises:
        UsageError: ``ACTS_WARM`` is no number.
    """
    return _number(environ, WARM, WARM_SECONDS)


def _number(environ: Mapping[str, str], name: str, default: float, least: float = 0.0, most: float = 86_400.0) -> float:
    text = environ.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise UsageError(f"{name} is {text[:40]!r}; it must be a number from {least:g} to {most:g}.")
    return value
