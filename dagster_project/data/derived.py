"""Derived datasets: SQL over the snapshots of other datasets, run in the sandbox."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from dagster_project.data.records import FileMark
from dagster_project.data.sources.parts import Part
from dagster_project.data.sql import Limits, Query, run_queries
from dagster_project.data.tables import table_files
from dagster_project.domain.contract import DataContract
from dagster_project.domain.errors import Problem, UserFileError
from dagster_project.domain.snapshot import Snapshot


@contextmanager
def derived_part(contract: DataContract, inputs: Mapping[str, Snapshot], limits: Limits) -> Iterator[Part]:
    """The SQL's rows as one part, for as long as the context lasts.

    Raises:
        UserFileError: the SQL is wrong, refused or takes more than ``limits``; an input is missing.
    """
    import polars as pl

    derivation = contract.derivation
    assert derivation is not None
    missing = [name for name in derivation.inputs if name not in inputs]
    if missing:
        message = f"no snapshot of {', '.join(missing)} to read."
        raise UserFileError([Problem(file=contract.file, message=message, hint="Build it first.", code="sql")])
    tables = {name: table_files(inputs[name].uri, inputs[name].version) for name in derivation.inputs}
    with tempfile.TemporaryDirectory(prefix="threeacts-derived-") as folder:
        output = Path(folder) / "rows.parquet"
        run_queries(tables, [Query(derivation.sql, derivation.file, output=str(output))], limits)
        yield Part(FileMark(path=derivation.file, size=0, mark=""), partial(pl.scan_parquet, output))
