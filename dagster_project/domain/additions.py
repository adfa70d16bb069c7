"""What we add to the standard, in its ``customProperties``: names beginning with ``threeacts.``."""

from datetime import timedelta
from typing import Annotated, Any, TypeVar, get_args

from pydantic import Field, ValidationError

from .base import StrictModel
from .contract import Condition, ImageForm, Role, SeriesForm
from .deepchecks_catalogue import CHECKS
from .durations import Duration
from .errors import Problem
from .families import Modality
from .odcs_schema import did_you_mean
from .odcs_walk import custom_properties
from .yamlfile import Document, Location


class ColumnAdditions(StrictModel):
    """``threeacts.*`` of a column."""

    role: Role | None = None
    available_at: Duration | None = None
    modality: Modality | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] | None = None
    image: ImageForm | None = None
    series: SeriesForm | None = None
    horizon: Annotated[Duration, Field(gt=timedelta(0))] | None = None
    unit: Annotated[str, Field(min_length=1)] | None = None


class ContractAdditions(StrictModel):
    """``threeacts.*`` of a contract."""

    derived_from: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], ...] = ()
    label_delay: Annotated[Duration, Field(ge=timedelta(0))] | None = None
    frequency: Annotated[Duration, Field(gt=timedelta(0))] | None = None
    deepchecks: tuple[Condition, ...] = ()


class ServerAdditions(StrictModel):
    """``threeacts.*`` of a server."""

    null_values: tuple[str, ...] = Field(default=(), description="texts of a CSV file that mean null")


_HINTS = {
    "null_values": "Write a list of the texts that mean null, besides the empty one: [NA].",
    "role": f"Roles are {', '.join(Role)}.",
    "available_at": "Write how long after the event time it is known: PT0S, PT6H, or -P1D for a day before.",
    "label_delay": "Write how long after the event time the label is known: PT6H, P1D.",
    "modality": f"Modalities are {', '.join(get_args(Modality))}.",
    "language": "Write an ISO 639-1 code: en.",
    "image": "Write {width: 28, height: 28, channels: 1}; channels are 1 (grey) or 3 (red, green, blue).",
    "series": "Write {steps: 48, frequency: PT1H}.",
    "horizon": "Write how long after the event time the label is: PT24H.",
    "frequency": "Write how far apart the rows of an entity are: PT1H.",
    "derived_from": "Write a list of the datasets that the SQL beside the contract reads.",
    "unit": "Write the unit as text: minutes, miles, degF.",
    "deepchecks": "Each entry has suite, check, and may have condition, parameters, arguments, severity.",
}


T = TypeVar("T", bound=StrictModel)


def read_additions(
    document: Document, owner: dict[str, Any], location: Location, model: type[T]
) -> tuple[T, list[Problem]]:
    """The additions of ``owner`` (those that are right), and what is wrong with the others."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for place, name, value in custom_properties(owner, location):
        if name not in model.model_fields:
            hint = did_you_mean(name, list(model.model_fields))
            problems.append(document.problem(place, f"`threeacts.{name}` means nothing here.", hint, "lint"))
        elif name in values:
            problems.append(document.problem(place, f"`threeacts.{name}` is set twice.", "Delete one.", "lint"))
        else:
            found = _checked(model, name, value)
            problems += [
                document.problem((*place, "value", *inner), message, _HINTS[name], "lint") for inner, message in found
            ]
            values |= {} if found else {name: value}
    return model.model_validate(values), problems


def condition_fault(condition: Condition) -> tuple[str, str] | None:
    """What is wrong with a condition of a contract, and what to do: a check that deepchecks does not have."""
    if condition.suite == "model_evaluation":
        return "a contract has no model to evaluate.", "Move the condition to the gates of a spec."
    if condition.check not in CHECKS[condition.suite]:
        message = f"`{condition.check}` is no check of the suite {condition.suite}."
        return message, did_you_mean(condition.check, CHECKS[condition.suite])
    return None


def _checked(model: type[StrictModel], name: str, value: Any) -> list[tuple[Location, str]]:
    try:
        model.model_validate({name: value})
    except ValidationError as error:
        found = [(tuple(e["loc"])[1:], e["msg"].removeprefix("Value error, ")) for e in error.errors()]
        return [(location, f"{_place(location)}{message}.") for location, message in found]
    return []


def _place(location: Location) -> str:
    return "".join(f"{step}: " for step in location if isinstance(step, str))
