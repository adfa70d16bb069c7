"""Write human labels as Parquet files that only get more, so that an ordinary contract reads them into training.

A file has the contract's id under its own name, ``label`` as the contract types the target (null: people do not agree,
so that an earlier label of theirs holds no more), ``people``, ``audit`` (drawn at random) and ``known``. Of an id's
rows the newest ``known`` holds.
"""

from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING

from dagster_project.domain.contract import Column, LogicalType, Role
from dagster_project.domain.errors import MachineryError, UsageError
from dagster_project.domain.label_export import LabelExport
from dagster_project.monitoring.agreement import Said, consensus
from dagster_project.monitoring.human_labels import human_labels
from dagster_project.monitoring.tables import answers
from dagster_project.monitoring.watched import Watched
from dagster_project.storage.files import location, write_atomic
from dagster_project.storage.folders import children, in_words

if TYPE_CHECKING:
    import polars as pl


def export_labels(watched: Watched, folder: str, now: datetime) -> LabelExport:
    """Write what people said since the last export to a new file in ``folder`` (a path or an object storage URI).

    Raises:
        UsageError: the contract has no id, or it is restricted: the log has its hashes, which join to no source.
        MachineryError: a table or the folder can't be read, or the file can't be written; nothing was changed.
    """
    import polars as pl

    column = _id_column(watched)
    found = human_labels(watched)
    with_id = _with_ids(found, watched)
    rows = _agreed(with_id, watched, column)
    news = rows.join(
        _before(watched, folder, rows.schema), on=[column.name, "label", "people"], how="anti", nulls_equal=True
    )
    without = found["row_id"].n_unique() - with_id["row_id"].n_unique()
    said = {"model": watched.spec.name, "split": rows["label"].null_count(), "without_id": without}
    if news.is_empty():
        return LabelExport(file=None, **said)
    file = location(folder) / f"{watched.spec.name}-{now:%Y%m%dT%H%M%S%fZ}.parquet"
    buffer = BytesIO()
    news.with_columns(pl.lit(now).dt.cast_time_unit("us").alias("known")).sort(column.name).write_parquet(buffer)
    write_atomic(file, buffer.getvalue())
    return LabelExport(file=str(file), labels=news.height, **said)


def _id_column(watched: Watched) -> Column:
    name, ids = watched.contract.name, watched.contract.with_role(Role.ID)
    if not ids:
        raise UsageError(
            f"{name} has no column with the role id, so labels join to none of its rows. Give one the role."
        )
    if not ids[0].public:
        raise UsageError(
            f"{name}.{ids[0].name} is {ids[0].classification}, so the log keeps its hashes, and labels join to none of "
            "the source's rows. Give the id's role to a public key of the same rows."
        )
    return ids[0]


def _with_ids(found: "pl.DataFrame", watched: Watched) -> "pl.DataFrame":
    """The labels with the contract's id of the answer that they are about; those without one are left out."""
    import polars as pl

    here = pl.col("row_id").is_in(found["row_id"].unique().to_list()) & pl.col("id").is_not_null()
    ids = answers(watched).filter(here).select("row_id", "id").unique("row_id").collect()
    return found.join(ids, on="row_id")


def _agreed(found: "pl.DataFrame", watched: Watched, column: Column) -> "pl.DataFrame":
    """A row an id: what most of its people say, each of whom counts once."""
    import polars as pl

    target = watched.contract.column(watched.spec.target)
    said: dict[str, dict[str, str | float]] = {}
    for name, who, label, value in found.sort("received").select("id", "who", "label", "value").iter_rows():
        said.setdefault(name, {})[who] = label if label is not None else value
    drawn = set(found.filter("audit")["id"])
    rows = [(name, _text(people), len(people), name in drawn) for name, people in said.items()]
    names = (column.name, "label", "people", "audit")
    frame = pl.DataFrame(
        rows, schema=dict(zip(names, (pl.String, pl.String, pl.Int64, pl.Boolean), strict=True)), orient="row"
    )
    return frame.with_columns(_typed(column.name, column), _typed("label", target))


def _text(people: Said) -> str | None:
    agreed = consensus(people)
    return None if agreed is None else str(agreed)


def _typed(name: str, column: Column) -> "pl.Expr":
    """Text of the log as the contract types the column."""
    import polars as pl

    text = pl.col(name)
    if column.logical_type is LogicalType.BOOLEAN:
        return text.replace_strict({"true": True, "false": False}, return_dtype=pl.Boolean)
    if column.logical_type is LogicalType.INTEGER:
        return text.cast(pl.Float64).round().cast(pl.Int64) if name == "label" else text.cast(pl.Int64)
    return text.cast(pl.Float64) if column.logical_type is LogicalType.NUMBER else text


def _before(watched: Watched, folder: str, schema: "pl.Schema") -> "pl.DataFrame":
    """What earlier exports say now: the newest row of each id."""
    import polars as pl

    names = [path for path in children(location(folder)) if _ours(path.name, watched.spec.name)]
    key, *_ = schema.names()
    frames = []
    for path in names:
        with in_words(path):
            frames.append(pl.read_parquet(BytesIO(path.read_bytes())))
    if not frames:
        return pl.DataFrame(schema=schema)
    try:
        found = pl.concat(frames).sort("known").unique(key, keep="last").select(schema.names()).cast(schema)
    except pl.exceptions.PolarsError as error:
        raise MachineryError(
            f"{folder}: holds files that are no export of this model: {error}. Choose another."
        ) from error
    return found


def _ours(file: str, model: str) -> bool:
    return file.startswith(f"{model}-") and file.endswith("Z.parquet")
