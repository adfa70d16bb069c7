"""The library's default run on a fitted estimator and ours agree, check for check, on planted defects of real rows."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.slow

_FILE = Path(__file__).parents[1] / "benchmarks" / "bench_deepchecks.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_deepchecks", _FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_same_outcomes_on_planted_defects(bench: ModuleType) -> None:
    clean = bench.small(bench.flights(), 1000, 600)
    found = {name: bench.compare_on(name, clean) for name in bench.DEFECTS}
    assert len(found) >= 10
    assert {name: one["differing"] for name, one in found.items() if one["differing"]} == {}
    assert {name for name, one in found.items() if one["outcome"] not in ("failed", "warned")} == set()
