"""What people said on the review page, as it came to the table of labels."""

from typing import TYPE_CHECKING

from dagster_project.monitoring.watched import Watched

if TYPE_CHECKING:
    import polars as pl


def human_labels(watched: Watched) -> "pl.DataFrame":
    """The newest label of each person for each row: ``row_id``, ``who``, ``label`` or ``value``, ``audit``, ``known``.

    Sorted by time. A row was drawn for audit if it was so when anybody labelled it.
    """
    import polars as pl

    from dagster_project.monitoring.label_table import labels

    mine = (pl.col("model") == watched.spec.name) & (pl.col("kind") == "human") & pl.col("row_id").is_not_null()
    columns = ("row_id", "who", "label", "value", "audit", "known", "received")
    return (
        labels(watched.workspace.warehouse)
        .filter(mine)
        .select(columns)
        .with_columns(pl.col("who").fill_null(""), pl.col("audit").fill_null(False).any().over("row_id"))
        .sort("received")
        .unique(["row_id", "who"], keep="last", maintain_order=True)
        .collect()
    )


def said_by_row(found: "pl.DataFrame") -> dict[str, dict[str, str | float]]:
    """What each person says, by row; the rows that were labelled last come first."""
    said: dict[str, dict[str, str | float]] = {}
    for row_id, who, label, value in found.select("row_id", "who", "label", "value").reverse().iter_rows():
        said.setdefault(row_id, {})[who] = label if label is not None else value
    return said
