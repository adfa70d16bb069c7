"""The repository's own contracts on the bundled sample: 336,776 real flights."""

from pathlib import Path

import polars as pl
import pytest

from dagster_project.data.datasets import materialise, read
from dagster_project.domain.contract import DataContract
from dagster_project.domain.odcs import load_contract
from dagster_project.domain.snapshot import Snapshot
from dagster_project.domain.verdict import Outcome
from dagster_project.domain.workspace import Workspace

REPO = Path(__file__).parents[2]
ORDER = ("airports", "planes", "weather", "flights", "departures")


def load(name: str) -> DataContract:
    path = REPO / "data_contracts" / f"{name}.yaml"
    beside = path.with_suffix(".sql")
    sql = beside.read_text() if beside.exists() else None
    return load_contract(path.read_bytes(), f"data_contracts/{name}.yaml", sql, f"data_contracts/{name}.sql")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> dict[str, tuple[DataContract, Snapshot]]:
    """Every dataset, built once."""
    workspace = Workspace(repo=tmp_path_factory.mktemp("flights"))
    snapshots: dict[str, Snapshot] = {}
    contracts = {name: load(name) for name in ORDER}
    for name, contract in contracts.items():
        inputs = contract.derivation.inputs if contract.derivation else ()
        result = materialise(contract, {source: snapshots[source] for source in inputs}, workspace)
        bad = [found for found in result.findings if found.outcome in (Outcome.FAILED, Outcome.BROKEN)]
        assert result.snapshot is not None and not bad, bad
        snapshots[name] = result.snapshot
    return {name: (contracts[name], snapshots[name]) for name in ORDER}


def test_every_row_is_there(made) -> None:
    rows = {name: (snapshot.rows, snapshot.quarantined) for name, (_, snapshot) in made.items()}
    assert rows == {
        "airports": (1458, 0), "planes": (3322, 0), "weather": (26115, 0), "flights": (336776, 0),
        "departures": (336776, 0),
    }  # fmt: skip


def test_what_is_known_of_the_flights(made) -> None:
    contract, snapshot = made["departures"]
    label = next(column.name for column in contract.columns if column.role == "label")
    counts = read(snapshot, [label]).select(nulls=pl.col(label).null_count(), late=pl.col(label).sum()).collect().row(0)
    assert counts[0] == 9430
    assert counts[1] / (336776 - 9430) == pytest.approx(0.237, abs=0.003)
    assert read(snapshot).collect_schema().names() == list(contract.column_names)
