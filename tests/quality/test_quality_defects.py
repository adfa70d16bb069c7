"""The library's default run on a fitted estimator and ours agree, check for check, on planted defects of real rows."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = pytest.mark.slow

_FILE = Path(__file__).parents[1] / "benchmarks" / "bench_deepchecks.py"


def _bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_deepchecks", _FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BENCH = _bench()


@pytest.fixture(scope="module")
def clean() -> Any:
    return BENCH.small(BENCH.flights(), 800, 500)


def test_there_are_ten() -> None:
    assert len(BENCH.DEFECTS) >= 10


@pytest.mark.parametrize("name", BENCH.DEFECTS)
def test_same_outcomes_on_a_planted_defect(name: str, clean: Any) -> None:
    found = BENCH.compare_on(name, clean)
    assert found["differing"] == {} and found["outcome"] in ("failed", "warned")
