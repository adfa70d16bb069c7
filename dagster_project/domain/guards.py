"""What can be refused before a cent is spent: a spec held against its contract and the catalogues.

Each guard is a pure function that yields problems; :func:`check_spec` runs them all.
"""

from collections.abc import Iterable

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from .architecture import check_architecture
from .compute import Profiles
from .contract import DataContract
from .errors import Problem
from .gates import Floor
from .guard_behaviour import check_tested_features
from .guard_columns import check_features, check_target
from .guard_compute import check_compute
from .guard_gates import check_gates
from .guard_headroom import check_headroom
from .guard_modalities import check_modalities
from .guard_monitoring import check_monitoring
from .guard_search import check_candidates, check_search, check_weights
from .guard_split import check_split
from .spec import ModelSpec
from .validation import suggest
from .yamlfile import Document

CONTRACT_RANGE = "contract-range"


def check_spec(spec: ModelSpec, contract: DataContract | None, profiles: Profiles, at: Document) -> list[Problem]:
    """Every problem of a well-formed spec; without a contract, those that need none."""
    problems = [*check_search(spec, at), *check_candidates(spec, at), *check_compute(spec, profiles, at)]
    problems += [*check_headroom(spec, at), *check_architecture(spec, at), *check_weights(spec, at)]
    problems += check_gates(spec.gates, spec.task, contract, at, ("gates",))
    if contract:
        problems += check_version(spec, contract, at)
        problems += check_target(spec, contract, at)
        problems += check_features(spec, contract, at)
        problems += check_modalities(spec, contract, at)
        problems += check_split(spec, contract, at)
        problems += check_monitoring(spec, contract, at)
        problems += check_tested_features(spec, contract, at)
    return problems


def check_version(spec: ModelSpec, contract: DataContract, at: Document) -> Iterable[Problem]:
    """The contract's version must lie in the range that the spec was written for."""
    loc = ("contract", "version")
    try:
        accepted = SpecifierSet(spec.contract.version)
    except InvalidSpecifier:
        hint = f"Write one such as >={contract.version}."
        yield at.problem(loc, f"'{spec.contract.version}' is no version range (PEP 440).", hint, code="version-range")
        return
    if not accepted.contains(contract.version, prereleases=True):
        message = f"{contract.name} is at version {contract.version}, outside {spec.contract.version}."
        yield at.problem(
            loc, message, "Look at what changed in the contract, then widen the range.", code=CONTRACT_RANGE
        )


def missing_contract(spec: ModelSpec, names: Iterable[str], document: Document) -> Problem:
    """The spec names a contract that is not there."""
    name = spec.contract.name
    message = f"there is no contract {name}."
    return document.problem(("contract", "name"), message, suggest(name, names), code="unknown-contract")


def check_floor(floor: Floor, at: Document) -> list[Problem]:
    """The floor's gates must fit their tasks; those for every task may name no metric."""
    problems = list(check_gates(floor.every, None, None, at, ("every",)))
    for task, gates in floor.tasks.items():
        problems += check_gates(gates, task, None, at, ("tasks", task))
    return problems
