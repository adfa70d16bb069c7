"""One flat search space: a family, then its parameters. Trial i is the same on every machine, whatever ran before.

Sampling is ours and not the tuner's, so that neither timing nor the tuner's version moves it.
"""

import math
from dataclasses import dataclass
from random import Random
from typing import Any

from dagster_project.domain.families import FAMILIES, Distribution
from dagster_project.domain.spec import CandidateFamily, ModelSpec

KEEP = "keep"
_ATTEMPTS = 50


@dataclass(frozen=True)
class Proposal:
    """What one trial fits."""

    number: int
    family: str
    parameters: dict[str, Any]


def propose(spec: ModelSpec) -> list[Proposal]:
    """The trials of a search: the families in turn, so that each has its share; no proposal twice.

    There are fewer than ``search.trials`` where the space holds no more.
    """
    proposals: list[Proposal] = []
    seen: set[str] = set()
    for number in range(spec.search.trials):
        for attempt in range(_ATTEMPTS):
            candidate = spec.candidates[(number + attempt) % len(spec.candidates)]
            parameters = sample(candidate, spec, Random(f"{spec.search.seed}/{number}/{attempt}"))
            name = f"{candidate.family} {sorted(parameters.items())}"
            if name not in seen:
                seen.add(name)
                proposals.append(Proposal(len(proposals), candidate.family, parameters))
                break
    return proposals


def sample(candidate: CandidateFamily, spec: ModelSpec, random: Random) -> dict[str, Any]:
    """Parameters of one trial; ``keep`` is the share of prepared columns where the spec selects features."""
    family = FAMILIES[candidate.family]
    space = {**family.space, **family.defaults, **candidate.search}
    parameters = {name: draw(space[name], random) for name in sorted(space)}
    selection = spec.features.selection
    if selection.method != "none":
        parameters[KEEP] = random.choice(selection.keep)
    return parameters


def draw(dimension: Distribution | str | float | bool | None, random: Random) -> str | int | float | bool | None:
    """A value of one dimension; what is no distribution is fixed."""
    if not isinstance(dimension, Distribution):
        return dimension
    if dimension.choice is not None:
        return random.choice(dimension.choice)
    if dimension.integer is not None:
        return random.randint(*dimension.integer)
    if dimension.log_uniform is not None:
        low, high = dimension.log_uniform
        return _rounded(math.exp(random.uniform(math.log(low), math.log(high))))
    assert dimension.uniform is not None, "domain/specs refuses an empty distribution"
    return _rounded(random.uniform(*dimension.uniform))


def _rounded(value: float) -> float:
    """Four significant digits: people read parameters in diffs."""
    return float(f"{value:.4g}")
