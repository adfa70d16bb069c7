"""What holds between contracts: inputs that exist, no cycles, relationships that lead somewhere."""

from collections.abc import Collection, Iterator, Mapping

from .contract import DataContract, Rule
from .errors import Problem
from .odcs_schema import did_you_mean


def check_contracts(contracts: Mapping[str, DataContract], unreadable: Collection[str] = ()) -> list[Problem]:
    """Problems between contracts, by name. ``unreadable`` are there too, but could not be read: nobody is blamed."""
    found = [*_cycles(contracts)]
    for contract in contracts.values():
        found += [*_inputs(contract, contracts, unreadable), *_relationships(contract, contracts, unreadable)]
    return found


def build_order(contracts: Mapping[str, DataContract]) -> tuple[str, ...]:
    """Datasets, each after what it is derived from. Raises ``graphlib.CycleError``."""
    from graphlib import TopologicalSorter

    return tuple(
        TopologicalSorter({name: sorted(_edges(name, contracts)) for name in sorted(contracts)}).static_order()
    )


def _edges(name: str, contracts: Mapping[str, DataContract]) -> set[str]:
    derivation = contracts[name].derivation
    return {source for source in (derivation.inputs if derivation else ()) if source in contracts}


def _cycles(contracts: Mapping[str, DataContract]) -> Iterator[Problem]:
    from graphlib import CycleError

    try:
        build_order(contracts)
    except CycleError as error:
        circle = error.args[1]
        contract = contracts[min(circle)]
        message = f"the datasets are derived from each other in a circle: {' → '.join(reversed(circle))}."
        yield _problem(contract, _line(contract), message, "Take one of them out of threeacts.derived_from.")


def _inputs(
    contract: DataContract, contracts: Mapping[str, DataContract], unreadable: Collection[str]
) -> Iterator[Problem]:
    for name in contract.derivation.inputs if contract.derivation else ():
        if name not in contracts and name not in unreadable:
            hint = did_you_mean(name, sorted(contracts))
            yield _problem(contract, _line(contract), f"it is derived from `{name}`, which has no contract.", hint)


def _relationships(
    contract: DataContract, contracts: Mapping[str, DataContract], unreadable: Collection[str]
) -> Iterator[Problem]:
    for rule in contract.rules:
        if rule.kind == "relationship" and rule.arguments["dataset"] not in unreadable:
            yield from _relationship(contract, rule, contracts)


def _relationship(contract: DataContract, rule: Rule, contracts: Mapping[str, DataContract]) -> Iterator[Problem]:
    dataset = rule.arguments["dataset"]
    if dataset not in contracts:
        message = f"the relationship leads to `{dataset}`, which has no contract."
        yield _problem(contract, rule.line, message, did_you_mean(dataset, sorted(contracts)), rule.name)
        return
    target = contracts[dataset]
    for here, there in zip(rule.columns, rule.arguments["columns"], strict=True):
        if there not in target.column_names:
            message = f"the relationship leads to `{dataset}.{there}`, and there is no such column."
            yield _problem(contract, rule.line, message, did_you_mean(there, list(target.column_names)), rule.name)
        elif contract.column(here).logical_type != target.column(there).logical_type:
            message = f"`{here}` and `{dataset}.{there}` are of different types and can never be equal."
            yield _problem(contract, rule.line, message, "Correct the relationship or a logicalType.", rule.name)


def _problem(contract: DataContract, line: int | None, message: str, hint: str, where: str = "") -> Problem:
    return Problem(file=contract.file, line=line, where=where, message=message, hint=hint, code="graph")


def _line(contract: DataContract) -> int | None:
    return contract.derivation.line if contract.derivation else None
