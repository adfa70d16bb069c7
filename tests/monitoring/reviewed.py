"""A watched model with answers, outcomes and people's labels in real tables, without anything trained."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.domain.contract import Column, DataContract
from dagster_project.domain.spec import ModelSpec
from dagster_project.domain.workspace import Workspace
from dagster_project.monitoring.append_table import AppendTable
from dagster_project.monitoring.label_table import label_table, schema
from dagster_project.monitoring.tables import answers_schema, outcomes_schema
from dagster_project.monitoring.watched import Watched

NOW = datetime(2026, 3, 31, 5, tzinfo=UTC)
COLUMNS = (
    Column(name="ride", logical_type="string", role="id"),
    Column(name="late", logical_type="boolean", role="label", description="Was it late?"),
    Column(name="miles", logical_type="number", description="how far", unit="mi"),
    Column(name="seats", logical_type="integer"),
    Column(name="windy", logical_type="boolean"),
    Column(name="salary", logical_type="number", classification="restricted"),
)


def row_id(number: int) -> str:
    """A UUIDv7."""
    return f"0198c0de-0000-7000-8000-{number:012x}"


def watched(folder: Path, *, typed: tuple[Column, ...] = COLUMNS, **review: Any) -> Watched:
    """The model ``late`` and its contract."""
    contract = DataContract(
        name="rides", id="rides", version="1.0.0", status="active", columns=typed, file="data_contracts/rides.yaml"
    )
    fields: dict[str, Any] = {
        "schema_version": 1, "search": {"trials": 1, "metric": "roc_auc"}, "gates": [{"kind": "parity"}],
        "name": "late", "description": "late or not", "owners": ["us"], "contract": {"name": "rides", "version": ">=1"},
        "task": "binary", "target": "late", "positive": True,
        "features": {"include": [column.name for column in typed if column.role is None]},
        "split": {"by": "time", "validation": 0.2, "holdout": {"size": 0.2}},
        "candidates": [{"family": "logistic_regression"}], "monitoring": {"review": review},
    }  # fmt: skip
    return Watched(ModelSpec.model_validate(fields), contract, None, Workspace(repo=folder))


def answer(number: int, chance: float, *, hours: float = 1.0, inputs: bool = True, **more: Any) -> dict[str, Any]:
    """An answer of so many hours ago."""
    time = NOW - timedelta(hours=hours)
    logged = {"miles": 12.300000190734863, "seats": float(number), "windy": 1.0, "salary": "d1ce"}
    return {
        "row_id": row_id(number), "at": NOW, "time": time, "id": f"ride {number}", "day": time.date(),
        "probabilities": [1 - chance, chance], "inputs": json.dumps(logged) if inputs else None, **more,
    }  # fmt: skip


def write(here: Watched, answers: list[dict[str, Any]], natural: list[int] = []) -> None:  # noqa: B006 never changed
    """Tables as reconciliation leaves them."""
    warehouse = here.workspace.warehouse
    AppendTable(warehouse, here.name_of("answers"), answers_schema()).commit(
        pl.DataFrame(answers, schema=answers_schema()), {"a": 1}
    )
    days = {entry["row_id"]: entry["day"] for entry in answers}
    known = [{"row_id": row_id(number), "kind": "natural", "day": days[row_id(number)]} for number in natural]
    AppendTable(warehouse, here.name_of("outcomes"), outcomes_schema()).commit(
        pl.DataFrame(known, schema=outcomes_schema()), {"a": 1}
    )


def say(here: Watched, *said: tuple[int, str, Any], audit: bool = False, model: str = "") -> None:
    """Labels of people, as they came from the review page: row, who, what."""
    table = label_table(here.workspace.warehouse)
    begin = table.position("test")
    rows = [
        {
            "event": f"{begin + place}", "model": model or here.spec.name, "row_id": row_id(number), "kind": "human",
            "source": "review",
            "label": value if isinstance(value, str) else None, "value": None if isinstance(value, str) else value,
            "who": who, "audit": audit, "known": NOW, "received": NOW + timedelta(seconds=begin + place),
            "day": NOW.date(),
        }
        for place, (number, who, value) in enumerate(said)
    ]  # fmt: skip
    table.commit(pl.DataFrame(rows, schema=schema()), {"test": begin + len(rows)})
