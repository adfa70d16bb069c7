"""The prediction log as a Delta table: every row that servers answered and kept."""

from typing import TYPE_CHECKING

from dagster_project.monitoring.append_table import AppendTable, rows_of
from dagster_project.monitoring.append_table import table_uri as uri_of
from dagster_project.monitoring.log_rows import schema

if TYPE_CHECKING:
    import polars as pl

NAME = "prediction_log"


def table_uri(warehouse: str) -> str:
    """Where the table lies."""
    return uri_of(warehouse, NAME)


def log_table(warehouse: str) -> AppendTable:
    """The table to append to; its streams are the servers' segments."""
    return AppendTable(warehouse, NAME, schema())


def answers(warehouse: str) -> "pl.LazyFrame":
    """Every answered row in the table, without those that say how many were dropped; none where there is no table."""
    import polars as pl

    return rows_of(table_uri(warehouse), schema()).filter(pl.col("row_id").is_not_null())
