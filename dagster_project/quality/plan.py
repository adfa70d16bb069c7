"""Which checks run, on which rows, with which conditions: deepchecks' own, or those that the contract declares."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from dagster_project.domain.contract import Condition
from dagster_project.domain.errors import Problem, UserFileError
from dagster_project.quality.catalogue import LEFT_OUT, SUITES
from dagster_project.quality.faster import faster_checks
from dagster_project.quality.library import load

_EVERYWHERE = {"random_state": 42, "n_to_show": 5}  # as the library's suites set them
# The library gives up when it projects more seconds than this; 0 lets it run.
_ARGUMENTS: dict[str, dict[str, Any]] = {"OutlierSampleDetection": {"timeout": 0}}


@dataclass(frozen=True)
class Check:
    """A check with its conditions. ``severities``: one for each condition, in order."""

    suite: str
    name: str
    library: Any
    severities: tuple[str, ...]

    @property
    def compares(self) -> bool:
        """Whether it looks at two datasets at once."""
        return isinstance(self.library, load().TrainTestCheck)


@dataclass(frozen=True)
class Rulebook:
    """Severity of the library's own conditions, what may fail with a warning, and what is declared."""

    default_severity: str
    declared: tuple[Condition, ...] = ()
    allow: Collection[str] = ()
    file: str = ""

    def severity(self, name: str, severity: str) -> str:
        """A check on the allow list only warns."""
        return "warning" if name in self.allow else severity


def checks_of(suite: str, rules: Rulebook) -> list[Check]:
    """The suite's checks in its order, each once for each set of declared arguments, then declared others.

    Raises:
        UserFileError: the contract names a check, a condition or an argument that deepchecks does not have.
    """
    declared = [condition for condition in rules.declared if condition.suite == suite]
    defaults = _default_conditions(suite)
    others = sorted({c.check for c in declared} - set(SUITES[suite]))
    checks: list[Check] = []
    for name in (*SUITES[suite], *others):
        wanted = [condition for condition in declared if condition.check == name]
        if name in LEFT_OUT and not wanted:
            continue
        if wanted:
            checks += _declared(suite, name, wanted, rules, defaults)
        else:
            check = _instance(name, {})
            check._conditions = dict(defaults[name])
            severities = (rules.severity(name, rules.default_severity),) * len(defaults[name])
            checks.append(Check(suite, name, check, severities))
    return checks


def _default_conditions(suite: str) -> dict[str, dict[int, Any]]:
    library_suite = getattr(load().suites, suite)()
    return {type(check).__name__: check._conditions for check in library_suite.checks.values()}


def _declared(
    suite: str, name: str, wanted: Sequence[Condition], rules: Rulebook, defaults: dict[str, dict[int, Any]]
) -> Iterable[Check]:
    for _, same in groupby(sorted(wanted, key=lambda c: repr(c.arguments)), key=lambda c: repr(c.arguments)):
        conditions = list(same)
        try:
            check = _instance(name, conditions[0].arguments)
            severities: list[str] = []
            for condition in conditions:
                before = len(check._conditions)
                _add(check, condition, defaults.get(name, {}))
                severities += [rules.severity(name, condition.severity)] * (len(check._conditions) - before)
        except Exception as error:
            raise UserFileError([_problem(rules.file, name, error)]) from error
        yield Check(suite, name, check, tuple(severities))


def _instance(name: str, arguments: dict[str, Any]) -> Any:
    library = load().checks
    found = faster_checks().get(name) or getattr(library, name, None)
    known = isinstance(found, type) and issubclass(found, load().SingleDatasetCheck | load().TrainTestCheck)
    if not known or name in LEFT_OUT:
        raise ValueError(f"deepchecks has no check of this name for tables: {name}")
    assert found is not None
    return found(**{**_EVERYWHERE, **_ARGUMENTS.get(name, {}), **arguments})


def _add(check: Any, condition: Condition, defaults: dict[int, Any]) -> None:
    if condition.condition is not None:
        add = getattr(check, f"add_condition_{condition.condition}", None)
        if add is None:
            names = [n.removeprefix("add_condition_") for n in dir(check) if n.startswith("add_condition_")]
            raise ValueError(f"no condition {condition.condition!r}; there are: {', '.join(names)}")
        add(**condition.parameters)
        return
    for default in defaults.values():
        check.add_condition(default.name, default.function, **default.params)


def _problem(file: str, name: str, error: Exception) -> Problem:
    return Problem(
        file=file,
        where=f"threeacts.deepchecks.{name}",
        message=str(error) or type(error).__name__,
        hint="See deepchecks.tabular.checks for the names of checks, conditions and their parameters.",
        code="deepchecks",
    )
