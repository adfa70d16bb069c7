"""Answers and labels as servers' segments become rows of the two tables that reconciliation reads."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from dagster_project.monitoring.label_table import label_table
from dagster_project.monitoring.label_table import schema as label_schema
from dagster_project.monitoring.log_rows import schema as log_schema
from dagster_project.monitoring.log_table import log_table
from dagster_project.monitoring.watched import Watched
from tests.monitoring.reviewed import NOW, row_id

EPOCH = datetime(2026, 3, 1, tzinfo=UTC)


def logged(number: int, *, day: float = 5.0, chance: float = 0.3, **more: Any) -> dict[str, Any]:
    """A row of the prediction log: an event so many days after the first of March, answered on the last."""
    return {
        "row_id": row_id(number), "at": NOW, "time": EPOCH + timedelta(days=day), "model": "late", "onnx": "sha256:a",
        "place": "live", "server": "s", "id": f"ride {number}", "label": "true" if chance > 0.5 else "false",
        "inputs": json.dumps({"miles": 1.0, "seats": float(number), "windy": 0.0}), "seconds": 0.001, "value": None,
        "probabilities": [1 - chance, chance], "dropped": None, "day": NOW.date(), **more,
    }  # fmt: skip


def label(
    number: int, said: str | None = "true", *, hours: float = 24.0, event: str = "", by_id: bool = False, **more: Any
) -> dict[str, Any]:
    """A row of the labels' table: known so many hours after the first of March."""
    known = EPOCH + timedelta(hours=hours)
    return {
        "event": event or f"{number} {said} {hours} {sorted(more.items())}", "model": "late",
        "row_id": None if by_id else row_id(number), "id": f"ride {number}" if by_id else None, "label": said,
        "value": None, "kind": "natural", "source": "client", "who": None, "audit": None, "known": known,
        "received": NOW, "day": NOW.date(), **more,
    }  # fmt: skip


def log(here: Watched, *rows: dict[str, Any]) -> None:
    """Commit rows to the prediction log."""
    table = log_table(here.workspace.warehouse)
    table.commit(pl.DataFrame(list(rows), schema=log_schema()), {"s": table.position("s") + 1})


def tell(here: Watched, *rows: dict[str, Any]) -> None:
    """Commit rows to the table of labels."""
    table = label_table(here.workspace.warehouse)
    table.commit(pl.DataFrame(list(rows), schema=label_schema()), {"s": table.position("s") + 1})
