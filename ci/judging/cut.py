"""What is taken from the sources before SQL runs once more: the holdout's rows, and whatever is later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ci.judging.rows import Sources
from dagster_project.domain.contract import Column, DataContract, Role
from dagster_project.domain.repository import Repository
from dagster_project.domain.spec import ModelSpec, TimeSplit

if TYPE_CHECKING:
    import polars as pl

CARRIED = 0.5
"""Share of the holdout's keys that a source must have: else its column is only called so and names something else."""


@dataclass(frozen=True)
class Cut:
    """Rows from ``start`` on by the source's own event time, and rows of ``keys`` where the source carries them.

    ``keys`` are the holdout's groups where the split is by group, its ids otherwise, each once. ``start`` is the
    holdout's first event time in microseconds since 1970, UTC; None where the split isn't by time.
    """

    keys: pl.DataFrame
    start: int | None

    def kept(self, rows: pl.LazyFrame, event_time: Column | None) -> pl.LazyFrame | None:
        """What is left of a source; None where nothing of the holdout can be told in it, so that it stays."""
        import polars as pl

        kept = None
        if (
            self.start is not None
            and event_time
            and rows.collect_schema().get(event_time.name) in (pl.Datetime, pl.Date)
        ):
            kept = rows.filter(pl.col(event_time.name).cast(pl.Datetime("us")).to_physical() < self.start)
        if self._carried(rows):
            kept = (rows if kept is None else kept).join(self.keys.lazy(), on=self.keys.columns, how="anti")
        return kept

    def _carried(self, rows: pl.LazyFrame) -> bool:
        schema = rows.collect_schema()
        if any(schema.get(name) != dtype for name, dtype in self.keys.schema.items()):
            return False
        found = rows.join(self.keys.lazy(), on=self.keys.columns, how="semi").select(self.keys.columns).unique()
        return found.collect().height >= CARRIED * self.keys.height


def cut_of(spec: ModelSpec, contract: DataContract, holdout: pl.DataFrame) -> Cut:
    """The cut for the split of ``spec``. ``holdout``: its rows as the base branch's ``contract`` and SQL have them."""
    import polars as pl

    from dagster_project.data.splits import split_names

    start = None
    if isinstance(spec.split, TimeSplit):
        times = holdout[contract.with_role(Role.EVENT_TIME)[0].name]
        start = int(times.cast(pl.Datetime("us")).to_physical().to_numpy().min())
    return Cut(holdout.select(split_names(spec, contract)).unique(), start)


def event_time(contract: DataContract) -> Column | None:
    """The column that says when a row's event happened."""
    return next(iter(contract.with_role(Role.EVENT_TIME)), None)


def strange_sources(base: Repository, head: Repository, sources: Sources) -> Iterator[str]:
    """Sources of the head's rows in which the base branch's rules can't tell the holdout, and why."""
    for name, snapshot in sources.head_made.items():
        after, before = head.contracts[name], base.contracts.get(name)
        known = sources.base_made.get(name)
        if after.derivation is not None or (known is not None and known.digest == snapshot.digest):
            continue
        why = _strange(before, after)
        if why:
            yield f"{after.file}: {name} {why}, so what of the holdout flows from it can't be tested"


def _strange(before: DataContract | None, after: DataContract) -> str:
    if before is None:
        return "is a source that the base branch doesn't have"
    if (before.servers, before.physical_name) != (after.servers, after.physical_name):
        return "is read from another place than on the base branch"
    time = event_time(before)
    if time and all((c.name, c.logical_type) != (time.name, time.logical_type) for c in after.columns):
        return f"lacks the base branch's event time {time.name}"
    return ""
