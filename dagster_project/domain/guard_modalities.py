"""Guards on kinds of data: families that read what the features are, and what a series asks of label and split."""

from collections.abc import Iterator
from datetime import timedelta

from .contract import Column, DataContract
from .errors import Problem
from .families import FAMILIES, Family, Modality, families_for
from .guard_columns import find, iso
from .seasons import season_lag
from .spec import ModelSpec, TimeSplit
from .yamlfile import Document, Location


def check_modalities(spec: ModelSpec, contract: DataContract, at: Document) -> Iterator[Problem]:
    """Each candidate reads every kind of column that the features are of, and finds the kind that it needs."""
    kinds: dict[Modality, list[Column]] = {}
    for name in spec.features.names:
        if column := find(contract, name):
            kinds.setdefault(column.modality or "tabular", []).append(column)
    for index, candidate in enumerate(spec.candidates):
        family = FAMILIES.get(candidate.family)
        if family is not None and spec.task in family.tasks:
            loc: Location = ("candidates", index, "family")
            yield from _check_family(family, kinds, ", ".join(families_for(spec.task, kinds)) or "none yet", at, loc)
    yield from _check_series(spec, contract, kinds.get("series", []), at)


def _check_family(
    family: Family, kinds: dict[Modality, list[Column]], fitting: str, at: Document, loc: Location
) -> Iterator[Problem]:
    said = f"{family.name} ({family.description})"
    missed = [kind for kind in kinds if kind not in family.modalities]
    found = kinds.get(family.needs, []) if family.needs else []
    if missed:
        kind = missed[0]
        message = f"{said} does not read {kind}, and {kinds[kind][0].name} is {kind}."
        hint = f"Choose one of: {fitting}; or leave the column out."
        yield at.problem(loc, message, hint, code="family-modality")
    elif family.needs and not found:
        message = f"{said} needs a column of the modality {family.needs}, and no feature is."
        yield at.problem(loc, message, f"Choose one of: {fitting}.", code="family-modality")
    elif len(found) > 1:
        message = f"{said} reads one {family.needs}; {found[0].name} and {found[1].name} are."
        yield at.problem(loc, message, "Leave one out, or choose another family.", code="family-modality")


def _check_series(spec: ModelSpec, contract: DataContract, series: list[Column], at: Document) -> Iterator[Problem]:
    """Whoever forecasts says how far ahead, trains on the past alone, and leaves out what the future overlaps."""
    target = find(contract, spec.target)
    if not series or target is None:
        return
    if target.horizon is None:
        place = f"{contract.file}:{target.line}" if target.line else contract.file
        message = (
            f"{series[0].name} is a series, and nobody has declared how long after its last step {target.name} is."
        )
        yield at.problem(("target",), message, f"Add threeacts.horizon to the label ({place}).", code="horizon")
        return
    yield from _check_steps(series, target.horizon, at)
    if not isinstance(spec.split, TimeSplit):
        message = "a series is split by time: a model that has seen the future of its validation rows says nothing."
        yield at.problem(("split", "by"), message, "Write by: time.", code="split")
    elif spec.split.gap < target.horizon:
        ahead = iso(target.horizon)
        message = f"{target.name} is {ahead} ahead, so the last train rows' labels lie among the validation rows."
        yield at.problem(("split",), message, f"Write gap: {ahead} or more.", code="split")


def _check_steps(series: list[Column], horizon: timedelta, at: Document) -> Iterator[Problem]:
    forms = [column.series for column in series if column.series]
    if len({form.frequency for form in forms}) > 1:
        message = f"{series[0].name} and {series[1].name} have other frequencies."
        yield at.problem(("features", "include"), message, "Derive windows of one frequency.", code="horizon")
    elif horizon % forms[0].frequency:
        message = f"the label is {iso(horizon)} ahead, which is no whole number of steps of {series[0].name}."
        yield at.problem(("target",), message, f"A step is {iso(forms[0].frequency)}.", code="horizon")
    else:
        for column, form in zip(series, forms, strict=True):
            try:
                season_lag(form.steps, form.season_steps, round(horizon / form.frequency))
            except ValueError as error:
                hint = f"Derive longer windows of {column.name}, or declare a shorter season."
                yield at.problem(("features", "include"), f"{error}.", hint, code="season")
