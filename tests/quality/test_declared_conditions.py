"""Conditions that the repository's own contracts and specs declare are ones that deepchecks has."""

from pathlib import Path

import pytest

from dagster_project.domain.contract import Condition
from dagster_project.domain.gates import DeepchecksGate
from dagster_project.domain.loading import load_repository
from dagster_project.domain.repository import FolderTree
from dagster_project.quality.plan import Rulebook, checks_of

REPOSITORY = load_repository(FolderTree(Path(__file__).resolve().parents[2]))
DECLARED: dict[str, tuple[Condition, ...]] = {
    **{contract.file: contract.conditions for contract in REPOSITORY.contracts.values()},
    **{
        name: tuple(c for gate in spec.gates if isinstance(gate, DeepchecksGate) for c in gate.conditions)
        for name, spec in REPOSITORY.specs.items()
    },
}


@pytest.mark.parametrize("where", sorted(name for name, conditions in DECLARED.items() if conditions))
def test_declared_conditions_exist(where: str) -> None:
    for suite in sorted({condition.suite for condition in DECLARED[where]}):
        names = {check.name for check in checks_of(suite, Rulebook("error", DECLARED[where]))}
        assert {c.check for c in DECLARED[where] if c.suite == suite} <= names
