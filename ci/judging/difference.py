"""What a change does to a dataset's rows: base branch's snapshot against the pull request's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagster_project.domain.facts import ColumnDifference, DatasetDifference
from dagster_project.domain.snapshot import Snapshot

if TYPE_CHECKING:
    import polars as pl

MOST_CATEGORIES = 200
NAMED = 10
NOTABLE = 0.01
"""A mean that moved by less than this share of its standard deviation isn't named."""


def difference(
    before: Snapshot | None, after: Snapshot, old: pl.DataFrame | None, new: pl.DataFrame
) -> DatasetDifference:
    """Rows added and removed, and the columns that changed. ``old`` and ``new`` are the snapshots' rows."""
    if before is None or old is None:
        return DatasetDifference(rows_after=new.height, quarantined_after=after.quarantined)
    added, removed = _moved(old, new)
    return DatasetDifference(
        rows_before=old.height,
        rows_after=new.height,
        added=added,
        removed=removed,
        quarantined_before=before.quarantined,
        quarantined_after=after.quarantined,
        columns=tuple(found for name in _names(old, new) if (found := _column(name, old, new)) is not None),
    )


def _names(old: pl.DataFrame, new: pl.DataFrame) -> list[str]:
    return list(dict.fromkeys((*new.columns, *old.columns)))


def _moved(old: pl.DataFrame, new: pl.DataFrame) -> tuple[int, int]:
    """Rows whose content (of the columns that both have) only one of the two has."""
    common = [name for name in old.columns if name in new.columns and old.schema[name] == new.schema[name]]
    before, after = (frame.select(common).hash_rows(seed=0).alias("row").to_frame() for frame in (old, new))
    return after.join(before, on="row", how="anti").height, before.join(after, on="row", how="anti").height


def _column(name: str, old: pl.DataFrame, new: pl.DataFrame) -> ColumnDifference | None:
    if name not in old.columns:
        return ColumnDifference(name=name, what="added", nulls_after=_nulls(new[name]))
    if name not in new.columns:
        return ColumnDifference(name=name, what="removed", nulls_before=_nulls(old[name]))
    words = []
    if old.schema[name] != new.schema[name]:
        words.append(f"type {old.schema[name]} → {new.schema[name]}")
    elif new.schema[name].is_numeric():
        words += _means(old[name], new[name])
    gained, lost = _categories(old[name], new[name])
    words += [f"{len(gained)} new categories"] * bool(gained) + [f"{len(lost)} categories gone"] * bool(lost)
    nulls = _nulls(old[name]), _nulls(new[name])
    if abs(nulls[0] - nulls[1]) > 0:
        words.append("other share of nulls")
    if not words:
        return None
    return ColumnDifference(
        name=name,
        what=", ".join(words),
        nulls_before=nulls[0],
        nulls_after=nulls[1],
        new_categories=tuple(gained[:NAMED]),
        lost_categories=tuple(lost[:NAMED]),
    )


def _nulls(column: pl.Series) -> float:
    return column.null_count() / len(column) if len(column) else 0.0


def _means(old: pl.Series, new: pl.Series) -> list[str]:
    before, after, spread = old.mean(), new.mean(), old.std()
    if not isinstance(before, float) or not isinstance(after, float) or not isinstance(spread, float):
        return []
    return [f"mean {before:.4g} → {after:.4g}"] if abs(after - before) > NOTABLE * spread else []


def _categories(old: pl.Series, new: pl.Series) -> tuple[list[str], list[str]]:
    import polars as pl

    if old.dtype != pl.String or new.dtype != pl.String:
        return [], []
    before, after = (set(column.drop_nulls().unique().to_list()) for column in (old, new))
    if max(len(before), len(after)) > MOST_CATEGORIES:
        return [], []
    return sorted(after - before), sorted(before - after)
