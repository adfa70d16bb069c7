"""Tables of a deployment, as aligned plain text."""

from collections.abc import Sequence

from ci.deploying.difference import ModelChange
from ci.deploying.standing import Fleet, ModelStanding
from ci.options import say


def change_rows(changes: Sequence[ModelChange]) -> list[tuple[str, ...]]:
    """A row for each model."""
    return [(c.model, _short(c.published), _short(c.commit), c.what) for c in changes]


def live_rows(fleet: Fleet) -> list[tuple[str, ...]]:
    """A row for each model on each server."""
    return [
        (server.server, model.model, _short(model.wanted), _short(model.live), _state(model, server.seen))
        for server in fleet.servers
        for model in server.models
    ]


def table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Aligned columns; nothing where there are no rows."""
    widths = [max(len(row[place]) for row in (heads, *rows)) for place in range(len(heads))]
    for row in (heads, *rows) if rows else ():
        say("  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _state(model: ModelStanding, seen: bool) -> str:
    late = "" if seen else "has not seen what is published"
    return "; ".join(part for part in (model.state, late) if part)


def _short(digest: str | None) -> str:
    return digest[:19] if digest else "-"
