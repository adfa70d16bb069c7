"""Small contracts and workspaces of their own for the data layer's tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.domain.contract import Column, DataContract, Derivation, Rule, Server
from dagster_project.domain.workspace import Workspace

Make = Callable[..., DataContract]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A repository in a temporary folder, untouched by the environment of whoever runs the tests."""
    for name in ("ACTS_HOME", "ACTS_WAREHOUSE", "ACTS_STORE", "ACTS_LEDGER", "ACTS_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    return Workspace(repo=tmp_path / "repo")


@pytest.fixture
def contract() -> Make:
    """``contract(id={"logical_type": "integer"}, ..., rules=[...], path="landing/*.csv")``; a type alone is enough."""

    def make(
        columns: dict[str, Any],
        rules: tuple[Rule, ...] = (),
        path: str = "",
        server: Server | None = None,
        sql: str | None = None,
        inputs: tuple[str, ...] = (),
        name: str = "orders",
    ) -> DataContract:
        typed: dict[str, dict[str, Any]] = {
            key: value if isinstance(value, dict) else {"logical_type": value} for key, value in columns.items()
        }
        servers = (server,) if server else (Server(name="here", type="local", options={"path": path}),) if path else ()
        derived = Derivation(sql=sql, inputs=inputs, file=f"data_contracts/{name}.sql") if sql else None
        return DataContract(
            name=name,
            id=name,
            version="1.0.0",
            status="active",
            columns=tuple(
                Column(name=key, line=10 + place, **value) for place, (key, value) in enumerate(typed.items())
            ),
            rules=rules,
            servers=servers,
            derivation=derived,
            file=f"data_contracts/{name}.yaml",
        )

    return make


@pytest.fixture
def landing(workspace: Workspace) -> Callable[[str, str], Path]:
    """``landing("day1.csv", "id,price\\n1,2\\n")`` delivers a file."""

    def deliver(name: str, text: str) -> Path:
        path = workspace.repo / "landing" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return deliver
