"""Rows of a split as the graph will see them: float32 numbers (NaN is missing) and strings ("" is missing)."""

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from dagster_project.domain.build import BuildRequest
from dagster_project.domain.bundle import Input
from dagster_project.domain.errors import MachineryError, RefusedError
from dagster_project.domain.projection import Projection
from dagster_project.inference.frames import tensors

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import polars as pl

    from dagster_project.training.stream import Stream

Label = str | int | bool


@dataclass(frozen=True)
class Rows:
    """Labelled rows: ``columns`` are the graph's inputs, each of shape (rows, width).

    ``target`` holds indexes into the classes (int64), or values (float64) for regression; shape (rows,).
    """

    columns: "dict[str, np.ndarray]"
    target: "np.ndarray"

    def labels(self, classes: "tuple[Label, ...]") -> "np.ndarray":
        """The target as the contract has it: classes themselves, or values; shape (rows,)."""
        import numpy as np

        return np.asarray(classes)[self.target] if classes else self.target

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True)
class Data:
    """What a build may see of the snapshot. With a ``stream``, the train and validation rows here are a sample."""

    train: Rows
    validation: Rows
    inputs: tuple[Input, ...]
    classes: tuple[Label, ...]
    stream: "Stream | None" = None
    horizon: int = 0
    season: int = 1

    @property
    def counts(self) -> dict[str, int]:
        """Rows used, by part; where train rows stream, ``sampled`` of them fitted the preparation."""
        trained = {"train": len(self.train)}
        if self.stream is not None:
            trained = {"train": self.stream.rows, "sampled": len(self.train)}
        return {**trained, "validation": len(self.validation)}

    @property
    def said(self) -> str:
        """The counts in words."""
        whole = f"{self.counts['train']} train and {len(self.validation)} validation rows"
        return whole if self.stream is None else f"{whole}; train rows stream, {len(self.train)} fit the preparation"


def load_data(request: BuildRequest) -> Data:
    """Read both parts of the split; rows without a label are left out.

    Raises:
        MachineryError: the split's files can't be read or lack a column.
        RefusedError: nothing can be learnt from these rows; the message says why.
    """
    spec = request.spec
    parts = {part: read_labelled(request, part) for part in ("train", "validation")}
    inputs = inputs_of(parts["train"], spec.features.names, request)
    classes = () if spec.task == "regression" else classes_of(parts["train"][spec.target], spec.target)
    rows = {
        part: Rows(raw_columns(table, inputs, part), encode_target(table[spec.target], classes, part))
        for part, table in parts.items()
    }
    return Data(rows["train"], rows["validation"], inputs, classes, horizon=request.horizon, season=request.season)


def read_labelled(request: BuildRequest, part: str) -> "pl.DataFrame":
    """Feature and target columns of the part's rows that have a label, in the file's order."""
    import polars as pl

    target, uri = request.spec.target, getattr(request.split, part).uri
    try:
        table = labelled_rows(request, part).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise MachineryError(f"{uri}: the {part} rows can't be read: {error}. Build the split again.") from error
    refuse_empty(table, uri, target, part)
    return table


def refuse_empty(table: "pl.DataFrame", uri: str, target: str, part: str) -> None:
    """Raise RefusedError where no row has a label."""
    if table.is_empty():
        raise RefusedError(f"{uri}: no {part} row has a label in '{target}'. Widen the split or wait for labels.")


def labelled_rows(request: BuildRequest, part: str) -> "pl.LazyFrame":
    """The same columns and rows, not read yet."""
    import polars as pl

    target = request.spec.target
    columns = [*request.spec.features.names, target]
    return pl.scan_parquet(getattr(request.split, part).uri).select(columns).filter(pl.col(target).is_not_null())


def inputs_of(table: "pl.DataFrame", names: tuple[str, ...], known: BuildRequest | Projection) -> tuple[Input, ...]:
    """One graph input a column, by what is ``known`` of it.

    Categories and text are strings; numbers, booleans, images and windows are float32.
    """
    import polars as pl

    strings = {name for name in known.categorical if table.schema[name] != pl.Boolean}
    return tuple(
        Input(
            name=name,
            dtype="string" if name in strings else "float32",
            modality=known.modalities.get(name, "tabular"),
            shape=known.shapes.get(name, ()),
        )
        for name in names
    )


def raw_columns(table: "pl.DataFrame", inputs: tuple[Input, ...], part: str) -> "dict[str, np.ndarray]":
    """The graph's inputs, each of shape (rows, width).

    Raises:
        RefusedError: a column fits no tensor, or holds values that are infinite or too large for float32.
    """
    columns = tensors(table, inputs)
    refuse_infinite(columns, inputs, part)
    return columns


def refuse_infinite(columns: "dict[str, np.ndarray]", inputs: tuple[Input, ...], part: str) -> None:
    """Raise RefusedError where a number of the ``part`` rows is infinite, or too large for float32."""
    import numpy as np

    infinite = [item.name for item in inputs if item.dtype == "float32" and np.isinf(columns[item.name]).any()]
    if infinite:
        raise RefusedError(f"{part} rows of {infinite} are infinite in float32. Bound them by a rule in the contract.")


def alias(position: int) -> str:
    """What training calls the input at a position: the converter changes names that are no identifiers."""
    return f"c{position}"


def frame_of(columns: "dict[str, np.ndarray]", inputs: tuple[Input, ...]) -> "pd.DataFrame":
    """The graph's inputs as the pandas frame that scikit-learn's column transformers take, in their order: a column
    for each number of a wide one."""
    import pandas as pd

    parts = [pd.DataFrame(columns[item.name], columns=_names(place, item)) for place, item in enumerate(inputs)]
    narrow = {alias(place): columns[item.name][:, 0] for place, item in enumerate(inputs) if item.width == 1}
    if len(narrow) == len(inputs):
        return pd.DataFrame(narrow)
    return pd.concat(parts, axis=1)


def places_of(inputs: tuple[Input, ...]) -> "list[list[int]]":
    """Where in :func:`frame_of` each input's columns are."""
    ends = list(accumulate(item.width for item in inputs))
    return [list(range(end - item.width, end)) for end, item in zip(ends, inputs, strict=True)]


def _names(place: int, item: Input) -> list[str]:
    return [alias(place)] if item.width == 1 else [f"{alias(place)}_{number}" for number in range(item.width)]


def classes_of(target: "pl.Series", name: str) -> tuple[Label, ...]:
    """Labels of the training rows, sorted: this is the order of the probability columns.

    Raises:
        RefusedError: there is one class only, or the labels are no booleans, integers or text.
    """
    classes = tuple(sorted(target.unique().to_list()))
    if not all(isinstance(label, bool | int | str) for label in classes):
        raise RefusedError(f"target '{name}' is {target.dtype}: a class is a boolean, an integer or text.")
    if len(classes) < 2:
        raise RefusedError(f"all training rows have {name} = {classes[0]!r}: there is nothing to tell apart.")
    return classes


def encode_target(target: "pl.Series", classes: tuple[Label, ...], part: str) -> "np.ndarray":
    """Indexes into ``classes``; for regression (no classes) the values.

    Raises:
        RefusedError: a class stands in no training row, or a value is not finite.
    """
    import numpy as np

    if not classes:
        values = target.cast(float).to_numpy().astype(np.float64)
        if not np.isfinite(values).all():
            raise RefusedError(f"target '{target.name}' has infinite or NaN values in the {part} rows. Add a rule.")
        return values
    place = {label: index for index, label in enumerate(classes)}
    unseen = sorted(set(target.unique().to_list()) - set(place))
    if unseen:
        raise RefusedError(f"classes {unseen} of '{target.name}' stand in {part} rows but in no training row.")
    return np.array([place[label] for label in target.to_list()], dtype=np.int64)
