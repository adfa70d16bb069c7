"""Guards on candidates and search: families that fit, spaces that make sense, a metric for the task."""

from collections.abc import Iterator

from .errors import Problem
from .families import FAMILIES, Distribution, Family, families_for
from .metrics import METRICS, metrics_for
from .spec import ModelSpec
from .validation import suggest
from .yamlfile import Document, Location

Value = str | int | float | bool | None


def check_search(spec: ModelSpec, at: Document) -> Iterator[Problem]:
    """The metric fits the task, the scheduler has something to stop, and each family gets a trial."""
    yield from check_metric(spec.search.metric, spec.task, at, ("search", "metric"))
    families = [FAMILIES[c.family] for c in spec.candidates if c.family in FAMILIES]
    if spec.search.scheduler == "asha" and families and not any(family.steps for family in families):
        stepping = ", ".join(sorted(name for name, family in FAMILIES.items() if family.steps))
        message = "asha stops what trains in steps, and no candidate does."
        yield at.problem(("search", "scheduler"), message, f"Write none, or add one of: {stepping}.", code="scheduler")
    if spec.search.trials < len(spec.candidates):
        message = f"{len(spec.candidates)} families need at least that many trials to be tried at all."
        yield at.problem(("search", "trials"), message, f"Write at least {len(spec.candidates)}.", code="trials")


def check_metric(name: str, task: str | None, at: Document, loc: Location) -> Iterator[Problem]:
    """The metric exists and fits the task; ``task`` None: the gate is for every task."""
    metric = METRICS.get(name)
    if metric is None:
        yield at.problem(loc, f"there is no metric {name}.", suggest(name, METRICS), code="unknown-metric")
    elif task is None:
        message = f"{name} does not fit every task."
        yield at.problem(loc, message, f"Put the gate below tasks: {' or '.join(metric.tasks)}.", code="metric-task")
    elif task not in metric.tasks:
        fitting = ", ".join(metrics_for(task))  # type: ignore[arg-type]
        yield at.problem(loc, f"{name} does not fit the task {task}.", f"Choose one of: {fitting}.", code="metric-task")


def check_candidates(spec: ModelSpec, at: Document) -> Iterator[Problem]:
    """Each family exists, fits the task, stands once, and is searched inside its space."""
    seen: set[str] = set()
    for index, candidate in enumerate(spec.candidates):
        loc: Location = ("candidates", index, "family")
        family = FAMILIES.get(candidate.family)
        fitting = ", ".join(families_for(spec.task))
        if candidate.family in seen:
            yield at.problem(
                loc, f"{candidate.family} stands twice.", "Put both search spaces into one.", code="duplicate"
            )
        seen.add(candidate.family)
        if family is None:
            hint = suggest(candidate.family, FAMILIES)
            yield at.problem(loc, f"there is no family {candidate.family}.", hint, code="unknown-family")
        elif spec.task not in family.tasks:
            message = f"{family.name} ({family.description}) does not fit the task {spec.task}."
            yield at.problem(loc, message, f"Choose one of: {fitting}.", code="family-task")
        else:
            for name, wanted in candidate.search.items():
                yield from _check_dimension(family, name, wanted, at, ("candidates", index, "search", name))


def check_weights(spec: ModelSpec, at: Document) -> Iterator[Problem]:
    """Pretrained weights are for networks."""
    for index, candidate in enumerate(spec.candidates):
        family = FAMILIES.get(candidate.family)
        if candidate.weights and family and not family.steps:
            networks = ", ".join(name for name in families_for(spec.task) if FAMILIES[name].steps)
            message = f"{family.name} ({family.description}) has no weights that could be pretrained."
            hint = f"Remove weights, or choose a network: {networks or 'mlp'}."
            yield at.problem(("candidates", index, "weights"), message, hint, code="weights")


def _check_dimension(
    family: Family, name: str, wanted: Distribution | Value, at: Document, loc: Location
) -> Iterator[Problem]:
    allowed = family.space.get(name)
    if allowed is None and family.open:
        flaw = _flaw(wanted) if isinstance(wanted, Distribution) else None
        if flaw:
            yield at.problem(loc, *flaw, code="distribution")
        return
    if allowed is None:
        message = f"{family.name} has no hyperparameter {name}."
        yield at.problem(loc, message, suggest(name, family.space), code="unknown-hyperparameter")
        return
    if isinstance(wanted, Distribution):
        flaw = _flaw(wanted)
        if flaw:
            yield at.problem(loc, *flaw, code="distribution")
            return
    outside = [value for value in _values(wanted) if not _inside(value, allowed)]
    if outside:
        message = f"{', '.join(map(_show, outside))} lies outside what {family.name} may be given."
        yield at.problem(loc, message, f"Stay within {describe(allowed)}.", code="out-of-range")
    elif isinstance(wanted, Distribution) and not _same_kind(wanted, allowed):
        yield at.problem(
            loc, f"{name} needs another kind of distribution.", f"Write {describe(allowed)}.", code="distribution"
        )


def _flaw(wanted: Distribution) -> tuple[str, str] | None:
    """What is wrong with a distribution by itself: message and hint."""
    given = [kind for kind in Distribution.model_fields if getattr(wanted, kind) is not None]
    if len(given) != 1:
        kinds = ", ".join(Distribution.model_fields)
        return f"a distribution has one kind, this has {' and '.join(given) or 'none'}.", f"Keep one of: {kinds}."
    if wanted.choice is not None:
        return None
    low, high = _bounds(wanted)
    if low >= high:
        return f"the lower end {_show(low)} is not below the upper end {_show(high)}.", "Swap or widen them."
    if wanted.log_uniform is not None and low <= 0:
        return f"a logarithmic scale cannot reach {_show(low)}.", "Start above 0, or write uniform."
    return None


def _values(wanted: Distribution | Value) -> tuple[Value, ...]:
    if not isinstance(wanted, Distribution):
        return (wanted,)
    return wanted.choice if wanted.choice is not None else _bounds(wanted)


def _bounds(distribution: Distribution) -> tuple[float, float]:
    bounds = distribution.uniform or distribution.log_uniform or distribution.integer
    if bounds is None:
        raise ValueError("a choice has no bounds")
    return bounds


def _inside(value: Value, allowed: Distribution) -> bool:
    if allowed.choice is not None:
        return any(type(value) is type(known) and value == known for known in allowed.choice)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if allowed.integer is not None and not isinstance(value, int):
        return False
    low, high = _bounds(allowed)
    return low <= value <= high


def _same_kind(wanted: Distribution, allowed: Distribution) -> bool:
    """Choices are always fine; a range must be whole numbers exactly where the family's is, and no range of words."""
    if wanted.choice is not None:
        return True
    return allowed.choice is None and (wanted.integer is None) == (allowed.integer is None)


def describe(distribution: Distribution) -> str:
    """Words for what a family may be given."""
    if distribution.choice is not None:
        return f"choice: [{', '.join(map(_show, distribution.choice))}]"
    kind = next(kind for kind in ("uniform", "log_uniform", "integer") if getattr(distribution, kind) is not None)
    return f"{kind}: [{', '.join(map(_show, _bounds(distribution)))}]"


def _show(value: Value) -> str:
    return "null" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
