"""Guards on tests of behaviour: columns that are there, values that fit them, and changes that can be made."""

from collections.abc import Iterator

from .behaviour import DISTURBS, Behaviour
from .contract import Column, DataContract, LogicalType
from .errors import Problem
from .gates import BehaviourGate, RobustnessGate
from .guard_columns import NUMBERS, find, unknown_column
from .spec import ModelSpec
from .validation import suggest
from .yamlfile import Document, Location


def check_disturbances(gate: RobustnessGate, contract: DataContract, at: Document, loc: Location) -> Iterator[Problem]:
    """There is something of the kind that each change disturbs."""
    kinds = {column.modality for column in contract.columns}
    for index, change in enumerate(gate.changes):
        if DISTURBS[change] not in kinds:
            message = f"{change} is done to {DISTURBS[change]}, and no column of {contract.name} is."
            fitting = ", ".join(name for name, kind in DISTURBS.items() if kind in kinds) or "none of them"
            yield at.problem((*loc, "changes", index), message, f"There is: {fitting}.", code="gate-cannot-fail")


def check_behaviours(
    gate: BehaviourGate, task: str | None, contract: DataContract | None, at: Document, loc: Location
) -> Iterator[Problem]:
    """Names that differ, and tests that can be run."""
    names = [test.name for test in gate.tests]
    for index, test in enumerate(gate.tests):
        place = (*loc, "tests", index)
        if test.name in names[:index]:
            yield at.problem((*place, "name"), f"'{test.name}' stands twice.", "Name it otherwise.", code="duplicate")
        if test.change is not None and not test.change.columns:
            yield at.problem((*place, "change"), "nothing is changed.", "Write set, add or append.", code="behaviour")
        if test.of is not None and task == "regression":
            yield at.problem((*place, "of"), "a regression has no classes.", "Remove it.", code="behaviour")
        if contract:
            yield from _check_columns(test, contract, at, place)


def check_tested_features(spec: ModelSpec, contract: DataContract, at: Document) -> Iterator[Problem]:
    """Tests change what the model reads, and ask for classes that there are."""
    target = find(contract, spec.target)
    known = target.enum if target and target.enum else None
    for place, gate in enumerate(spec.gates):
        for index, test in enumerate(gate.tests if isinstance(gate, BehaviourGate) else ()):
            loc: Location = ("gates", place, "tests", index)
            named = [*(test.change.columns if test.change else ()), *(name for row in test.rows for name in row)]
            for name in dict.fromkeys(named):
                if name not in spec.features.names and find(contract, name):
                    message = f"'{test.name}' changes {name}, which the model does not read."
                    yield at.problem(loc, message, suggest(name, spec.features.names), code="behaviour")
            for value in (*test.answers, *((test.of,) if test.of is not None else ())):
                if known is not None and spec.task != "regression" and value not in known:
                    message = f"'{test.name}' asks for {value}, which is no value of {spec.target}."
                    yield at.problem(loc, message, f"There is: {', '.join(map(str, known))}.", code="behaviour")


def _check_columns(test: Behaviour, contract: DataContract, at: Document, loc: Location) -> Iterator[Problem]:
    change = test.change
    for key in ("set", "add", "append") if change else ():
        for name in getattr(change, key):
            yield from _check_column(key, name, contract, at, (*loc, "change", key, name))
    for index, row in enumerate(test.rows):
        for name in row:
            yield from _check_column("set", name, contract, at, (*loc, "rows", index, name))


def _check_column(key: str, name: str, contract: DataContract, at: Document, loc: Location) -> Iterator[Problem]:
    column = find(contract, name)
    if column is None:
        yield unknown_column(name, contract, at, loc)
    elif not _fits(key, column):
        fitting = {"set": "one value a row", "add": "numbers", "append": "text"}[key]
        yield at.problem(
            loc, f"{key} is for columns of {fitting}, which {name} is not.", "Remove it.", code="behaviour"
        )


def _fits(key: str, column: Column) -> bool:
    if column.shape:
        return False
    if key == "append":
        return column.logical_type is LogicalType.STRING
    return key == "set" or column.logical_type in NUMBERS
