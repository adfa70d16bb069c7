"""Derived datasets: SQL over the rows of other datasets, run in the sandbox."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from upath import UPath

from dagster_project.data.intake import Intake
from dagster_project.data.logical import dtype_of
from dagster_project.data.records import FileMark
from dagster_project.data.sources.parts import Part
from dagster_project.data.sql import Limits, Query, run_queries
from dagster_project.data.tables import stage, table_files
from dagster_project.domain.contract import DataContract
from dagster_project.domain.errors import Problem, RefusedError, UserFileError
from dagster_project.domain.snapshot import Snapshot

if TYPE_CHECKING:
    import polars as pl


@contextmanager
def derived_part(contract: DataContract, inputs: Mapping[str, Snapshot], limits: Limits) -> Iterator[Part]:
    """The SQL's rows as one part, for as long as the context lasts.

    Raises:
        UserFileError: the SQL is wrong, refused or takes more than ``limits``; an input is missing.
    """
    derivation = contract.derivation
    assert derivation is not None
    missing = [name for name in derivation.inputs if name not in inputs]
    if missing:
        message = f"no snapshot of {', '.join(missing)} to read."
        raise UserFileError([Problem(file=contract.file, message=message, hint="Build it first.", code="sql")])
    tables = {name: table_files(inputs[name].uri, inputs[name].version) for name in derivation.inputs}
    with _sql_part(contract, tables, limits) as part:
        yield part


def derive_aside(
    contract: DataContract, tables: Mapping[str, Sequence[str]], folder: Path, limits: Limits | None = None
) -> list[str]:
    """Parquet files in ``folder`` of the rows that the SQL makes of ``tables`` (input -> Parquet files): no version.

    They are typed, and rows that break a row rule are left out, as in a snapshot. Rules that speak of all rows together
    (how many, how fresh) are not asked.

    Raises:
        UserFileError: the SQL is wrong, refused or takes more than ``limits``.
        RefusedError: its rows are not of the contract's types.
    """
    intake = Intake(contract, UPath(folder))
    with _sql_part(contract, tables, limits or Limits()) as part:
        intake.take(part)
    if intake.faults:
        raise RefusedError("; ".join(fault.summary for fault in intake.faults))
    staged = intake.staged or [stage(_no_rows(contract), intake.folder / "rows")]
    return [str(folder / "rows" / file.name) for file in staged]


@contextmanager
def _sql_part(contract: DataContract, tables: Mapping[str, Sequence[str]], limits: Limits) -> Iterator[Part]:
    import polars as pl

    derivation = contract.derivation
    assert derivation is not None
    with tempfile.TemporaryDirectory(prefix="threeacts-derived-") as folder:
        output = Path(folder) / "rows.parquet"
        run_queries(tables, [Query(derivation.sql, derivation.file, output=str(output))], limits)
        yield Part(FileMark(path=derivation.file, size=0, mark=""), partial(pl.scan_parquet, output))


def _no_rows(contract: DataContract) -> "pl.DataFrame":
    import polars as pl

    return pl.DataFrame(schema={column.name: dtype_of(column) for column in contract.columns})
