"""Whatever a spec or floor says, reading it ends in a repository or in problems with words; nothing else escapes."""

import copy
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.domain.loading import read_repository
from dagster_project.domain.spec_changes import compare_floors, compare_specs
from tests.trees import FLOOR, SPEC, MemoryTree, repository, tree

VALUES = [
    None, True, 0, -1, 1.5, 1e300, "", "x", "P1D", "-P1D", 10**18, "é\u2028", [], {}, [[]], [None], {"a": 1}, ["late"],
    ["a", "a"], [{"kind": "bound"}], {"by": "time"}, {"choice": []}, {"integer": [1, 2]}, {"uniform": [1, "x"]},
]  # fmt: skip
KEYS = ["zzz", "kind", "by", "choice", "metric", "severity"]
BEFORE = repository()


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(*path, key) for key, _ in inner] + [p for key, below in inner for p in places(below, (*path, key))]


@st.composite
def spoiled(draw: st.DrawFn, text: str) -> str:
    document = yaml.safe_load(text)
    for _ in range(draw(st.integers(1, 3))):
        found = places(document)
        *way, last = draw(st.sampled_from(found)) if found else (draw(st.sampled_from(KEYS)),)
        owner = document
        for key in way:
            owner = owner[key]
        value = copy.deepcopy(draw(st.sampled_from(VALUES)))
        action = draw(st.sampled_from(["replace", "replace", "add", "remove"]))
        if action == "remove":
            owner.pop(last)
        elif action == "add" and isinstance(owner, dict):
            owner[draw(st.sampled_from(KEYS))] = value
        else:
            owner[last] = value
    return yaml.safe_dump(document, allow_unicode=True)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(spec=spoiled(SPEC), floor=spoiled(FLOOR))
def test_anything_ends_in_a_repository_or_in_problems(spec: str, floor: str) -> None:
    reading = read_repository(MemoryTree(tree(spec=spec, floor=floor)))
    assert all(problem.message and problem.line for problem in reading.problems)
    compare_specs(BEFORE.specs["tardy"], reading.repository.specs.get("tardy"))
    compare_floors(BEFORE.floor, reading.repository.floor)
