"""Labels that the model's own dataset has: what a newer snapshot says that the one before did not."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from dagster_project.data.records import current_snapshot
from dagster_project.data.tables import table_files
from dagster_project.domain.contract import LogicalType, Role
from dagster_project.domain.families import CLASSIFICATION
from dagster_project.domain.snapshot import Snapshot
from dagster_project.monitoring.label_table import schema
from dagster_project.monitoring.watched import Watched
from dagster_project.storage.files import location, read_optional, write_atomic

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

STATE = "contract.json"


@dataclass(frozen=True)
class Seen:
    """The snapshot that was joined last, and how far the table of answers went then."""

    uri: str | None = None
    version: int = -1
    answers: int = 0


def id_column(watched: Watched) -> str | None:
    """The contract's id, where the log keeps it as it is: a restricted one is hashed and joins to no dataset."""
    found = next((column for column in watched.contract.columns if column.role is Role.ID), None)
    return found.name if found and found.public else None


def seen(watched: Watched) -> Seen:
    """What was joined last."""
    data = read_optional(_state(watched))
    return Seen(**json.loads(data)) if data else Seen()


def remember(watched: Watched, snapshot: Snapshot, answers: int) -> None:
    """This snapshot is joined, and answers up to this position were looked up in it."""
    state = {"uri": snapshot.uri, "version": snapshot.version, "answers": answers}
    write_atomic(_state(watched), json.dumps(state, sort_keys=True).encode())


def news(watched: Watched, answered: "pl.Series", now: "datetime") -> "tuple[Snapshot, pl.DataFrame] | None":
    """The current snapshot with the labels in it that are new: of rows that changed, and of ids just ``answered``.

    None where there is no snapshot, or the contract has no id to join by.
    """
    import polars as pl

    snapshot, key = current_snapshot(watched.contract.name, watched.workspace), id_column(watched)
    if snapshot is None or key is None:
        return None
    before, target = seen(watched), watched.spec.target
    new, old = set(table_files(snapshot.uri, snapshot.version)), set()
    if before.uri == snapshot.uri:
        old = set(table_files(snapshot.uri, before.version))
    rows = _pairs(new - old, key, target).filter(pl.col("label").is_not_null())
    changed = rows.join(_pairs(old - new, key, target), on=["id", "label"], how="anti", nulls_equal=True)
    asked = _pairs(new, key, target).filter(pl.col("id").is_in(answered.implode()) & pl.col("label").is_not_null())
    found = pl.concat([changed, asked]).unique("id").collect(engine="streaming")
    return snapshot, _as_labels(found, watched, snapshot, now)


def _pairs(files: set[str], key: str, target: str) -> "pl.LazyFrame":
    import polars as pl

    if not files:
        return pl.LazyFrame(schema={"id": pl.String(), "label": pl.String()})
    label = pl.col(target).cast(pl.String)
    return pl.scan_parquet(sorted(files)).select(id=pl.col(key).cast(pl.String), label=label)


def _as_labels(found: "pl.DataFrame", watched: Watched, snapshot: Snapshot, now: "datetime") -> "pl.DataFrame":
    import polars as pl

    mark = f"{snapshot.digest}/{watched.spec.name}/"
    events = [sha256(f"{mark}{row}".encode()).hexdigest()[:32] for row in found["id"].to_list()]
    classes = watched.spec.task in CLASSIFICATION
    boolean = watched.contract.column(watched.spec.target).logical_type is LogicalType.BOOLEAN
    text = pl.col("label").str.to_lowercase() if boolean else pl.col("label")
    at, kinds = pl.lit(now, pl.Datetime("us", "UTC")), schema()
    return found.with_columns(
        event=pl.Series(events, dtype=pl.String),
        model=pl.lit(watched.spec.name),
        row_id=pl.lit(None, pl.String),
        label=text if classes else pl.lit(None, pl.String),
        value=pl.lit(None, pl.Float64) if classes else pl.col("label").cast(pl.Float64),
        kind=pl.lit("natural"),
        source=pl.lit("contract"),
        who=pl.lit(None, pl.String),
        audit=pl.lit(None, pl.Boolean),
        known=at,
        received=at,
        day=at.dt.date(),
    ).select(kinds.names())


def _state(watched: Watched) -> str:
    return str(location(watched.workspace.warehouse) / watched.name_of(STATE))
