"""Rows of a contract as deepchecks wants them: a pandas frame that knows its label, categories, id and event time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from dagster_project.domain.contract import Column, DataContract, LogicalType, Role
from dagster_project.quality.library import load
from dagster_project.quality.properties import identities, properties

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

CATEGORICAL = (LogicalType.STRING, LogicalType.BOOLEAN)
NUMERIC = (LogicalType.NUMBER, LogicalType.INTEGER)
Task = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True)
class Layout:
    """Which columns are looked at, and as what. Columns of other types (dates, times) are left out.

    Columns that are ``described`` are looked at by their properties: texts, images, windows.
    """

    features: tuple[str, ...]
    categorical: tuple[str, ...]
    described: tuple[Column, ...] = ()
    label: str | None = None
    task: Task | None = None
    event_time: str | None = None
    index: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the rows that deepchecks gets to see as it is."""
        extra = (self.label, self.event_time, self.index)
        return self.features + tuple(name for name in extra if name is not None)

    @property
    def read(self) -> tuple[str, ...]:
        """Features and what is described."""
        return self.features + tuple(column.name for column in self.described)

    def as_they_are(self) -> "Layout":
        """The layout for checks that ask whether rows are the same: a text is what it is."""
        named = tuple(column.name for column in self.described)
        return replace(self, features=self.read, categorical=self.categorical + named, described=())


def layout_of(
    contract: DataContract, features: Sequence[str] | None = None, label: str | None = None, task: Task | None = None
) -> Layout:
    """Without ``features`` every number, text and boolean column without a role; without ``label`` the contract's."""
    names = features if features is not None else [c.name for c in contract.columns if c.role is None]
    usable = [contract.column(name) for name in names]
    described = tuple(column for column in usable if column.modality not in (None, "tabular"))
    usable = [c for c in usable if c not in described and c.logical_type in (*CATEGORICAL, *NUMERIC)]
    label = label or _first(contract.with_role(Role.LABEL))
    return Layout(
        features=tuple(column.name for column in usable),
        categorical=tuple(column.name for column in usable if column.logical_type in CATEGORICAL),
        described=described,
        label=label,
        task=task or (_task_of(contract.column(label)) if label else None),
        event_time=_first(contract.with_role(Role.EVENT_TIME)),
        index=_first(contract.with_role(Role.ID)),
    )


def shared(layout: Layout, frames: Sequence["pl.DataFrame"]) -> Layout:
    """The layout without columns that one of the frames lacks."""

    def there(name: str | None) -> bool:
        return name is not None and all(name in frame.columns for frame in frames)

    return Layout(
        features=tuple(filter(there, layout.features)),
        categorical=tuple(filter(there, layout.categorical)),
        described=tuple(column for column in layout.described if there(column.name)),
        label=layout.label if there(layout.label) else None,
        task=layout.task if there(layout.label) else None,
        event_time=layout.event_time if there(layout.event_time) else None,
        index=layout.index if there(layout.index) else None,
    )


def as_polars(frame: "pl.DataFrame | pl.LazyFrame | pd.DataFrame") -> "pl.DataFrame":
    """One kind of frame inside, whichever came in."""
    import polars as pl

    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    return frame if isinstance(frame, pl.DataFrame) else pl.from_pandas(frame)


def dataset(frame: "pl.DataFrame", layout: Layout, first_row: int, name: str) -> Any:
    """A ``deepchecks.tabular.Dataset`` whose index counts rows from ``first_row``.

    Categories become text, other booleans (labels) 0 and 1, missing numbers NaN, missing text None.
    """
    import numpy as np
    import pandas as pd

    values = {column: plain(frame[column]) for column in layout.columns if column not in layout.categorical}
    for column in layout.categorical:
        values[column] = _text(identities(frame[column]))
    described = properties(frame, layout.described)
    values |= {column.name: plain(column) for column in described}
    table = pd.DataFrame(values, index=np.arange(first_row, first_row + len(frame)))
    return load().Dataset(
        table,
        label=layout.label,
        features=[*layout.features, *described.columns],
        cat_features=list(layout.categorical),
        index_name=layout.index,
        datetime_name=layout.event_time,
        convert_datetime=False,
        label_type=layout.task,
        dataset_name=name,
    )


def plain(series: "pl.Series") -> Any:
    """A numpy array: int64, float64, datetime64 or objects."""
    import polars as pl

    if series.dtype == pl.Boolean:
        series = series.cast(pl.Int64)
    if series.dtype.is_numeric():
        exact = series.dtype.is_integer() and not series.has_nulls()
        return series.cast(pl.Int64 if exact else pl.Float64).to_numpy()
    if series.dtype == pl.Date:
        series = series.cast(pl.Datetime("us"))
    return series.to_numpy() if series.dtype.is_temporal() else _text(series)


def _text(series: "pl.Series") -> Any:
    import numpy as np
    import polars as pl

    return np.array(series.cast(pl.String).to_list(), dtype=object)


def _first(columns: Sequence[Column]) -> str | None:
    return columns[0].name if columns else None


def _task_of(label: Column) -> Task:
    if label.logical_type == LogicalType.NUMBER:
        return "regression"
    if label.logical_type == LogicalType.BOOLEAN or (label.enum and len(label.enum) == 2):
        return "binary"
    return "multiclass"
