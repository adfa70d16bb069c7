"""From the servers' segments into the table, each row exactly once.

A batch is rows and positions in one commit. Another ingester's commit in between makes it fail; then everything is
looked at again. A segment is removed only where the table itself says that all of it is there.
"""

import random
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.data.tables import ConflictError
from dagster_project.domain.errors import MachineryError
from dagster_project.domain.prediction import Ingested
from dagster_project.monitoring.log_rows import table_rows
from dagster_project.monitoring.log_segments import Batch, forget, next_batch
from dagster_project.monitoring.log_table import log_table, table_uri

if TYPE_CHECKING:
    import polars as pl

BATCH_BYTES = 16 * 1024**2
MOST_CONFLICTS = 100


def ingest(folder: Path, warehouse: str, batch_bytes: int = BATCH_BYTES) -> Ingested:
    """Take what is whole in the segments of ``folder``; safe to be run at any time and by several at once.

    Raises:
        MachineryError: segments or table can't be read or written; what was committed stays, the rest comes next time.
    """
    done, conflicts = Ingested(), 0
    segments: set[str] = set()
    while True:
        table = log_table(warehouse)
        batch = next_batch(folder, table.position, batch_bytes)
        rows = table_rows(batch.frames)
        try:
            if batch.frames:
                table.commit(rows, batch.positions)
        except ConflictError as error:
            conflicts += 1
            if conflicts == MOST_CONFLICTS:
                raise MachineryError(f"{table_uri(warehouse)}: others always commit first: {error}") from error
            time.sleep(random.uniform(0, 0.02 * min(conflicts, 20)))
            continue
        forget(folder, batch.emptied)
        done, conflicts = done.plus(_summary(batch, rows)), 0
        segments |= batch.segments
        if not batch.frames and not batch.moved:
            return done.model_copy(update={"segments": len(segments)})


def _summary(batch: Batch, rows: "pl.DataFrame") -> Ingested:
    oldest = rows.filter(rows["row_id"].is_not_null())["at"].min()
    return Ingested(
        rows=rows["row_id"].count(),
        dropped=rows["dropped"].sum(),
        lag_seconds=max(0.0, (datetime.now(UTC) - oldest).total_seconds()) if isinstance(oldest, datetime) else 0.0,
        broken=len(batch.broken),
        broken_bytes=sum(end - start for start, end in batch.broken),
    )
