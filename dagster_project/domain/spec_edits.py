"""Edits of a spec's text that people will review: what is not edited stays to the byte."""

from datetime import timedelta

import yaml

from .errors import Problem, UserFileError
from .spec import ModelSpec, Search
from .spec_changes import spec_file
from .specs import load_spec


def wider_search(spec: ModelSpec) -> Search:
    """The search that an experiment of this spec makes: never a narrower one than the spec's own."""
    own, asked = spec.search, spec.experiment
    wider = {
        "trials": max(own.trials, asked.trials or 0),
        "time_budget": max(own.time_budget, asked.time_budget or timedelta(0)),
    }
    return own.model_copy(update=wider)


def widened(text: str, spec: ModelSpec) -> str:
    """``text``, which declares ``spec``, with the wider search; the same text where it is none.

    Raises:
        UserFileError: the text has the search in a form that can't be edited in place.
    """
    search, edited = wider_search(spec), text
    for key in ("trials", "time_budget"):
        if getattr(search, key) != getattr(spec.search, key):
            edited = _with(edited, key, str(search.model_dump(mode="json")[key]))
    if _read(edited, spec.name) != spec.model_copy(update={"search": search, "architecture": None}):
        raise _unclear(spec.name)
    return edited


def _read(text: str, model: str) -> ModelSpec:
    try:
        return load_spec(text, spec_file(model))
    except UserFileError as error:
        raise _unclear(model) from error


def _with(text: str, key: str, value: str) -> str:
    """``search.KEY`` with another value, or before the first key where it is missing."""
    search = _value(yaml.compose(text, Loader=yaml.SafeLoader), "search")
    pairs = getattr(search, "value", [])
    if not isinstance(search, yaml.MappingNode) or not pairs:
        return text
    found = next((node for name, node in pairs if name.value == key), None)
    if found is not None:
        return text[: found.start_mark.index] + value + text[found.end_mark.index :]
    first = pairs[0][0].start_mark
    after = ", " if search.flow_style else "\n" + " " * first.column
    return f"{text[: first.index]}{key}: {value}{after}{text[first.index :]}"


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)


def _unclear(model: str) -> UserFileError:
    hint = "Write trials and time_budget as plain values of search, without anchors."
    message = "the experiment's wider search can't be written into this file."
    return UserFileError([Problem(file=spec_file(model), where="search", message=message, hint=hint, code="layout")])
