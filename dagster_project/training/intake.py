"""The rows of a build as they fit: all of them in memory; or a part of each, while training streams from the file."""

from math import prod
from typing import TYPE_CHECKING

from dagster_project.domain.build import BuildRequest
from dagster_project.domain.errors import MachineryError, RefusedError
from dagster_project.domain.families import FAMILIES, families_for
from dagster_project.training.preparation import preparations, prepared_width
from dagster_project.training.rows import (
    Data,
    Rows,
    classes_of,
    encode_target,
    frame_of,
    inputs_of,
    labelled_rows,
    load_data,
    raw_columns,
    refuse_empty,
)
from dagster_project.training.sampling import places, sampled_rows, take_places, widest
from dagster_project.training.stream import Stream

if TYPE_CHECKING:
    import polars as pl

    from dagster_project.domain.spec import ModelSpec

_FLOAT = 4


def load(request: BuildRequest) -> Data:
    """What the build learns from, within ``request.memory``.

    Where all prepared train rows take more, the train and validation rows of what comes back are a sample of their
    files, and ``stream`` has the train rows.

    Raises:
        MachineryError: the split's files can't be read or lack a column.
        RefusedError: nothing can be learnt from these rows, or the candidates can't learn from a stream.
    """
    if request.memory is None or surely_fits(request, request.memory):
        return load_data(request)
    sample = _sample(request, request.memory)
    size = prepared_bytes(request.spec, sample, request.split.train.labelled)
    if size <= request.memory:
        return load_data(request)
    refuse_without_steps(request.spec, sample, size, request.memory)
    return sample


def surely_fits(request: BuildRequest, memory: int) -> bool:
    """Whether the train rows fit however many categories they have; of a text nobody knows before it is read."""
    if "text" in request.modalities.values():
        return False
    columns = widest(len(request.numeric) + wide_numbers(request), len(request.categorical))
    return request.split.train.labelled * columns * _FLOAT * len(preparations(request.spec)) <= memory


def wide_numbers(request: BuildRequest) -> int:
    """How many numbers a row has in its images and windows."""
    return sum(map(prod, request.shapes.values()))


def prepared_bytes(spec: "ModelSpec", sample: Data, rows: int) -> int:
    """What ``rows`` rows take once they are prepared as the sample is."""
    frame = frame_of(sample.train.columns, sample.inputs)
    widths = [prepared_width(spec.features, sample.inputs, frame, kind) for kind in preparations(spec)]
    return rows * sum(widths) * _FLOAT


def refuse_without_steps(spec: "ModelSpec", sample: Data, size: int, memory: int) -> None:
    """Raise RefusedError where a candidate needs all rows at once."""
    whole = sorted({c.family for c in spec.candidates if not FAMILIES[c.family].steps})
    if whole:
        fitting = families_for(spec.task, {item.modality for item in sample.inputs})
        able = ", ".join(name for name in fitting if FAMILIES[name].steps) or "none for text"
        raise RefusedError(
            f"{spec.name}: the prepared train rows take {size / 1e9:.2f} GB, rows may take {memory / 1e9:.2f} GB here, "
            f"and {', '.join(whole)} can't learn from rows that stream. Families that can: {able}. "
            "Leave the others out, shorten the split's window, or give the build a machine with more memory."
        )


def _sample(request: BuildRequest, memory: int) -> Data:
    import polars as pl

    spec, split = request.spec, request.split
    wanted = sampled_rows(memory, len(request.numeric) + wide_numbers(request), len(request.categorical))
    counts = {"train": split.train.labelled, "validation": split.validation.labelled}
    try:
        lazy = {part: labelled_rows(request, part) for part in counts}
        parts = {part: take_places(lazy[part], places(rows, wanted, spec.search.seed)) for part, rows in counts.items()}
        inputs = inputs_of(parts["train"], spec.features.names, request)
        classes, shift, scale = _goal(spec, lazy["train"])
    except (OSError, pl.exceptions.PolarsError) as error:
        raise MachineryError(f"{split.train.uri}: the rows can't be read: {error}. Build the split again.") from error
    refuse_empty(parts["validation"], split.validation.uri, spec.target, "validation")
    rows = {
        part: Rows(raw_columns(table, inputs, part), encode_target(table[spec.target], classes, part))
        for part, table in parts.items()
    }
    buffer = memory // 4 // max(1, request.cpus)  # each of the trials beside each other has one
    stream = Stream(split.train.uri, counts["train"], inputs, spec.target, classes, shift, scale, buffer)
    return Data(rows["train"], rows["validation"], inputs, classes, stream, request.horizon, request.season)


def _goal(spec: "ModelSpec", train: "pl.LazyFrame") -> "tuple[tuple[str | int | bool, ...], float, float]":
    """Classes, mean and standard deviation of the target over all train rows."""
    import polars as pl

    target = pl.col(spec.target)
    if spec.task != "regression":
        found = train.select(target.unique()).collect(engine="streaming")
        return classes_of(found[spec.target], spec.target), 0.0, 1.0
    value = target.cast(pl.Float64)
    shift, scale = train.select(mean=value.mean(), deviation=value.std(ddof=0)).collect(engine="streaming").row(0)
    return (), float(shift), float(scale) or 1.0
