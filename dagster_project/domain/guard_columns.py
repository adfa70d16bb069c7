"""Guards on target and features: leakage, stand-ins for the label, types that no family reads."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, get_args

from pydantic import TypeAdapter

from .contract import Column, DataContract, LogicalType, Role
from .errors import Problem
from .families import outputs_of
from .spec import CategoricalTransform, ImageTransform, ModelSpec, NumericTransform, TextTransform
from .validation import suggest
from .yamlfile import Document, Location

UNKNOWN_COLUMN = "unknown-column"
NUMBERS = (LogicalType.NUMBER, LogicalType.INTEGER)
CATEGORIES = (LogicalType.STRING, LogicalType.BOOLEAN)
_TARGETS = {
    "binary": (LogicalType.BOOLEAN, LogicalType.STRING, LogicalType.INTEGER),
    "multiclass": (LogicalType.STRING, LogicalType.INTEGER),
    "regression": NUMBERS,
}
_PYTHON = {LogicalType.BOOLEAN: bool, LogicalType.STRING: str, LogicalType.INTEGER: int}
_KEPT_OUT = {
    Role.ID: "it names the row (role id), so a model would learn rows by heart.",
    Role.EVENT_TIME: "it is the event time, which never repeats; derive hour, weekday or month in SQL instead.",
    Role.WEIGHT: "it is the rows' weight (role weight), not known of a new row.",
}


def find(contract: DataContract, name: str) -> Column | None:
    """The contract's column, if there is one."""
    return next((column for column in contract.columns if column.name == name), None)


def unknown_column(name: str, contract: DataContract, at: Document, loc: Location) -> Problem:
    """A name that the contract does not have."""
    message = f"{contract.name} has no column {name}."
    return at.problem(loc, message, suggest(name, contract.column_names), code=UNKNOWN_COLUMN)


def check_target(spec: ModelSpec, contract: DataContract, at: Document) -> Iterator[Problem]:
    """The target exists, is a label by contract, and has a type that the task can answer."""
    loc: Location = ("target",)
    column = find(contract, spec.target)
    if column is None:
        yield unknown_column(spec.target, contract, at, loc)
        return
    if column.role != Role.LABEL:
        labels = ", ".join(c.name for c in contract.with_role(Role.LABEL)) or "none yet"
        hint = f"Give it threeacts.role: label in {contract.file}, or choose a label (there is: {labels})."
        yield at.problem(
            loc, f"{spec.target} is no label in the contract {contract.name}.", hint, code="target-not-a-label"
        )
    if column.logical_type not in _TARGETS[spec.task]:
        fitting = " or ".join(kind.value for kind in _TARGETS[spec.task])
        message = f"{spec.target} is a {column.logical_type.value}; the task {spec.task} needs a {fitting}."
        yield at.problem(loc, message, "Change the task or the target.", code="target-type")
    else:
        yield from _check_positive(spec, column, at)


def _check_positive(spec: ModelSpec, column: Column, at: Document) -> Iterator[Problem]:
    loc: Location = ("positive",)
    value = spec.positive
    if spec.task != "binary":
        if value is not None:
            yield at.problem(
                loc, f"only a binary task has a positive label, this is {spec.task}.", "Remove it.", code="positive"
            )
        return
    if value is None:
        if column.logical_type != LogicalType.BOOLEAN:
            hint = "Add positive: with the label that counts as positive."
            message = f"{spec.target} is a {column.logical_type.value}, which has no true."
            yield at.problem(("target",), message, hint, code="positive")
        return
    if type(value) is not _PYTHON[column.logical_type]:
        message = f"{value!r} is no value of {spec.target}, which is a {column.logical_type.value}."
        yield at.problem(loc, message, "Write one of the column's values.", code="positive")
    elif column.enum is not None and value not in column.enum:
        hint = f"There is: {', '.join(map(str, column.enum))}."
        yield at.problem(loc, f"{value!r} is not among the contract's values of {spec.target}.", hint, code="positive")


def check_features(spec: ModelSpec, contract: DataContract, at: Document) -> Iterator[Problem]:
    """Every feature exists, is known in time, is no stand-in for the label and has a type that a model reads."""
    include = spec.features.include
    for index, name in enumerate(include):
        loc: Location = ("features", "include", index)
        if name in include[:index]:
            yield at.problem(loc, f"{name} is listed twice.", "Remove one.", code="duplicate")
        elif name not in spec.features.exclude:
            yield from _check_feature(spec, contract, name, at, loc)
    for index, name in enumerate(spec.features.exclude):
        if name not in include:
            message = f"{name} is excluded but not included, so this does nothing."
            yield at.problem(("features", "exclude", index), message, suggest(name, include), code="exclude")
    if not spec.features.names:
        message = "every feature is excluded."
        yield at.problem(("features", "include"), message, "Leave at least one.", code="no-features")
    yield from _check_transforms(spec, contract, at)
    selection = spec.features.selection
    columns = [column for name in spec.features.names if (column := find(contract, name))]
    whole = [f"{column.name} is {column.modality}" for column in columns if column.modality not in (None, "tabular")]
    if selection.method != "none" and whole:
        message = f"columns are selected where all are numbers and categories, and {whole[0]}."
        hint = "Write method none; a linear family shrinks what says nothing."
        yield at.problem(("features", "selection", "method"), message, hint, code="selection")
    if selection.method == "none" and selection.keep != (1.0,):
        message = "keep does nothing while method is none."
        hint = "Choose method univariate or model."
        yield at.problem(("features", "selection", "keep"), message, hint, code="selection")


def _check_feature(
    spec: ModelSpec, contract: DataContract, name: str, at: Document, loc: Location
) -> Iterator[Problem]:
    column = find(contract, name)
    if column is None:
        yield unknown_column(name, contract, at, loc)
    elif column.name == spec.target:
        yield at.problem(loc, f"{name} is the target itself.", "Remove it from the features.", code="leak")
    elif column.role == Role.LABEL:
        message = f"{name} is a label too: a stand-in for {spec.target} that nobody knows at prediction time."
        yield at.problem(loc, message, "Remove it from the features.", code="leak")
    elif name in outputs_of(spec.task):
        message = f"{name} is what the model's graph calls an output, and names in a graph are unique."
        yield at.problem(loc, message, "Give the column another name.", code="feature-name")
    elif column.role in _KEPT_OUT:
        yield at.problem(loc, f"{name} can't be a feature: {_KEPT_OUT[column.role]}", code="feature-role")
    else:
        yield from _check_known_in_time(spec, contract, column, at, loc)
        yield from _check_readable(column, at, loc)


def _check_known_in_time(
    spec: ModelSpec, contract: DataContract, column: Column, at: Document, loc: Location
) -> Iterator[Problem]:
    place = f"{contract.file}:{column.line}" if column.line else contract.file
    if column.available_at is None:
        message = f"nobody has declared when {column.name} becomes known, so it may leak the answer."
        yield at.problem(loc, message, f"Add threeacts.available_at to the column ({place}).", code="availability")
    elif column.available_at > spec.prediction_time:
        message = (
            f"{column.name} becomes known at {iso(column.available_at)} from the event time, after the prediction "
            f"at {iso(spec.prediction_time)}: at prediction time it does not exist."
        )
        yield at.problem(loc, message, f"Remove it, or predict later (declared in {place}).", code="leak")


def _check_readable(column: Column, at: Document, loc: Location) -> Iterator[Problem]:
    if column.logical_type not in (*NUMBERS, *CATEGORIES, LogicalType.ARRAY):
        message = f"{column.name} is a {column.logical_type.value}, which no family reads."
        yield at.problem(loc, message, "Derive numbers or categories from it in SQL.", code="feature-type")


def _check_transforms(spec: ModelSpec, contract: DataContract, at: Document) -> Iterator[Problem]:
    for name, transform in spec.features.transforms.items():
        loc: Location = ("features", "transforms", name)
        column = find(contract, name)
        if name not in spec.features.names or column is None:
            hint = suggest(name, spec.features.names)
            yield at.problem(loc, f"{name} is not among the features.", hint, code="transform")
            continue
        fitting = get_args(_transforms_of(column))
        if transform not in fitting:
            kind = str(column.modality) if column.modality else f"a {column.logical_type.value}"
            message = f"{transform} does not fit {name}, which is {kind}."
            yield at.problem(loc, message, f"Choose {' or '.join(fitting)}.", code="transform")


def _transforms_of(column: Column) -> Any:
    if column.logical_type in (*NUMBERS, LogicalType.ARRAY):
        return NumericTransform
    return {"text": TextTransform, "image": ImageTransform}.get(str(column.modality), CategoricalTransform)


def iso(duration: timedelta) -> str:
    """ISO 8601 words for a duration."""
    return str(TypeAdapter(timedelta).dump_python(duration, mode="json"))
