"""What 100,000 new labels cost to reconcile after 1 million answers and after 10 million: new rows, not the history."""

import os
import resource
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.monitoring.label_table import label_table
from dagster_project.monitoring.label_table import schema as label_schema
from dagster_project.monitoring.log_rows import schema as log_schema
from dagster_project.monitoring.log_table import log_table
from tests.monitoring.reviewed import NOW
from tests.monitoring.test_reconcile import sent_only

SMALL, LARGE, NEW, A_DAY = 1_000_000, 10_000_000, 100_000, 25_000
REPEATS = 3
CHILD = """
import sys, time
from datetime import datetime
from pathlib import Path
from dagster_project.monitoring.reconcile import reconcile
from tests.monitoring.test_reconcile import sent_only
began, cpu = time.perf_counter(), time.process_time()
found = reconcile(sent_only(Path(sys.argv[1])), datetime.fromisoformat(sys.argv[2]))
print(found.answers, found.joined, time.perf_counter() - began, time.process_time() - cpu)
"""


def run() -> dict[str, Any]:
    """Each history in a warehouse of its own; the batches are of the newest days of both."""
    figures: dict[str, object] = {}
    medians: dict[int, float] = {}
    for rows in (SMALL, LARGE):
        with tempfile.TemporaryDirectory(prefix="acts-bench-") as folder:
            place = Path(folder)
            history = _history(place, rows)
            took = [_batch(place, rows, number) for number in range(REPEATS)]
        medians[rows] = sorted(cpu for _, cpu in took)[REPEATS // 2]
        figures[f"{rows:,} answers"] = {
            "the history itself, wall s": round(history, 1),
            "100,000 new labels, wall s": [round(wall, 2) for wall, _ in took],
            "100,000 new labels, CPU s": [round(cpu, 2) for _, cpu in took],
        }
    ratio = medians[LARGE] / medians[SMALL]
    figures["peak memory of a reconciliation, MB"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    return {
        "what": f"reconcile {NEW:,} new labels ({A_DAY:,} answers a day), CPU seconds, median of {REPEATS}",
        "figures": figures,
        "ratio": round(ratio, 3),
        "goal": "after 10 million at most 1.5 times as long as after 1 million",
        "holds": ratio <= 1.5,
    }


def _history(place: Path, rows: int) -> float:
    """Answers up to now, a commit a day, all of them labelled but those of the newest days; seconds to reconcile."""
    days = rows // A_DAY
    here = sent_only(place)
    for day in range(days):
        log_table(here.workspace.warehouse).commit(_answers(day * A_DAY, days - day), {"s": day + 1})
    old = range(0, rows - REPEATS * NEW)
    label_table(here.workspace.warehouse).commit(_labels(old.start, len(old)), {"s": 1})
    return _reconcile(place)[2]


def _batch(place: Path, rows: int, number: int) -> tuple[float, float]:
    first = rows - (number + 1) * NEW
    label_table(sent_only(place).workspace.warehouse).commit(_labels(first, NEW), {"s": number + 2})
    answers, joined, wall, cpu = _reconcile(place)
    if (answers, joined) != (0, NEW):
        raise AssertionError(f"{joined:.0f} of {NEW} labels were joined, and {answers:.0f} answers came in")
    return wall, cpu


def _reconcile(place: Path) -> tuple[float, ...]:
    command = [sys.executable, "-c", CHILD, str(place), NOW.isoformat()]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], env=os.environ, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(done.stderr[-2000:])
    return tuple(map(float, done.stdout.split()))


def _ids(first: int, rows: int) -> pl.DataFrame:
    digits = pl.int_range(first, first + rows).cast(pl.String).str.zfill(12)
    return pl.select(row_id=pl.format("0198c0de-0000-7000-8000-{}", digits))


def _answers(first: int, days_ago: int) -> pl.DataFrame:
    frame = _ids(first, A_DAY)
    time_of = NOW - timedelta(days=days_ago)
    chance = pl.int_range(pl.len()) % 1000 / 1000
    values = frame.with_columns(
        at=pl.lit(time_of), time=pl.lit(time_of), model=pl.lit("late"), onnx=pl.lit("sha256:a"), place=pl.lit("live"),
        server=pl.lit("s"), id=pl.format("ride {}", pl.col("row_id").str.tail(12)), inputs=pl.lit(None, pl.String),
        label=pl.when(chance > 0.5).then(pl.lit("true")).otherwise(pl.lit("false")), seconds=pl.lit(0.001),
        value=pl.lit(None, pl.Float64), probabilities=pl.concat_list(1 - chance, chance),
        dropped=pl.lit(None, pl.Int64), day=pl.lit(time_of.date()),
    )  # fmt: skip
    return values.select([pl.col(name).cast(kind) for name, kind in log_schema().items()])


def _labels(first: int, rows: int) -> pl.DataFrame:
    values = _ids(first, rows).with_columns(
        event=pl.format("e{}", pl.col("row_id")), model=pl.lit("late"), id=pl.lit(None), label=pl.lit("true"),
        value=pl.lit(None), kind=pl.lit("natural"), source=pl.lit("client"), who=pl.lit(None), audit=pl.lit(None),
        known=pl.lit(NOW), received=pl.lit(NOW), day=pl.lit(NOW.date()),
    )  # fmt: skip
    return values.select([pl.col(name).cast(kind) for name, kind in label_schema().items()])
