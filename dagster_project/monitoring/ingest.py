"""From the servers' segments into the tables, each answer and each label exactly once.

A batch is rows and positions in one commit. Another ingester's commit in between makes it fail; then everything is
looked at again. A segment is removed only where the table itself says that all of it is there.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Generic

from dagster_project.data.tables import ConflictError
from dagster_project.domain.errors import MachineryError
from dagster_project.domain.prediction import Ingested
from dagster_project.domain.workspace import LABELS_FOLDER
from dagster_project.monitoring import label_rows, log_rows
from dagster_project.monitoring.append_table import AppendTable
from dagster_project.monitoring.label_table import label_table
from dagster_project.monitoring.log_segments import Batch, F, Kind, forget, next_batch
from dagster_project.monitoring.log_table import log_table
from dagster_project.storage import label_frames, log_frames

if TYPE_CHECKING:
    import polars as pl

BATCH_BYTES = 16 * 1024**2
MOST_CONFLICTS = 100


@dataclass(frozen=True)
class Source(Generic[F]):
    """Segments of one kind, the table that they go to, their frames as its rows, and what to say of them."""

    kind: Kind[F]
    table: Callable[[str], AppendTable]
    rows: Callable[[Sequence[F]], "pl.DataFrame"]
    summary: Callable[["pl.DataFrame"], Ingested]


def ingest(folder: Path, warehouse: str, batch_bytes: int = BATCH_BYTES) -> Ingested:
    """Take what is whole in the segments of ``folder``; safe to be run at any time and by several at once.

    Raises:
        MachineryError: segments or a table can't be read or written; what was committed stays, the rest comes later.
    """
    answers = Source(Kind(log_frames.decode, log_frames.FORMAT), log_table, log_rows.table_rows, _of_answers)
    labels = Source(Kind(label_frames.decode, label_frames.FORMAT), label_table, label_rows.table_rows, _of_labels)
    done = _take_in(answers, folder, warehouse, batch_bytes)
    more = _take_in(labels, folder / LABELS_FOLDER, warehouse, batch_bytes)
    return done.plus(more).model_copy(update={"segments": done.segments + more.segments})


def _take_in(source: Source[F], folder: Path, warehouse: str, batch_bytes: int) -> Ingested:
    done, conflicts = Ingested(), 0
    segments: set[str] = set()
    while True:
        table = source.table(warehouse)
        batch = next_batch(source.kind, folder, table.position, batch_bytes)
        rows = source.rows(batch.frames)
        try:
            if batch.frames:
                table.commit(rows, batch.positions)
        except ConflictError as error:
            conflicts += 1
            if conflicts == MOST_CONFLICTS:
                raise MachineryError(f"{table.uri}: others always commit first: {error}") from error
            time.sleep(random.uniform(0, 0.02 * min(conflicts, 20)))
            continue
        forget(folder, batch.emptied)
        done, conflicts = done.plus(source.summary(rows)).plus(_damage(batch)), 0
        segments |= batch.segments
        if not batch.frames and not batch.moved:
            return done.model_copy(update={"segments": len(segments)})


def _of_answers(rows: "pl.DataFrame") -> Ingested:
    oldest = rows.filter(rows["row_id"].is_not_null())["at"].min()
    return Ingested(
        rows=rows["row_id"].count(),
        dropped=rows["dropped"].sum(),
        lag_seconds=max(0.0, (datetime.now(UTC) - oldest).total_seconds()) if isinstance(oldest, datetime) else 0.0,
    )


def _of_labels(rows: "pl.DataFrame") -> Ingested:
    return Ingested(labels=rows.height)


def _damage(batch: Batch[F]) -> Ingested:
    return Ingested(broken=len(batch.broken), broken_bytes=sum(end - start for start, end in batch.broken))
