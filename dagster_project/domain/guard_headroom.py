"""Guards on ``headroom``: the columns of a group are features, and something is left without them."""

from collections.abc import Iterator

from .errors import Problem
from .spec import ModelSpec
from .validation import suggest
from .yamlfile import Document


def check_headroom(spec: ModelSpec, at: Document) -> Iterator[Problem]:
    """Every problem of ``headroom.groups``."""
    features = spec.features.names
    for name, columns in spec.headroom.groups.items():
        loc = ("headroom", "groups", name)
        for index, column in enumerate(columns):
            if column not in features:
                message = f"{column} is no feature of {spec.name}, so leaving it out would change nothing."
                yield at.problem((*loc, index), message, suggest(column, features), code="no-feature")
        if not columns or not set(features) - set(columns):
            message = f"the group {name} has {'no column' if not columns else 'every feature'}."
            yield at.problem(loc, message, "Name some of the features, not all.", code="group")
