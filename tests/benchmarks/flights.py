"""The real flights as a training request: late_arrival's contracts and spec over files of train and validation rows."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dagster_project.domain.build import BuildRequest
from dagster_project.domain.fingerprint import ROOT
from dagster_project.domain.loading import load_repository
from dagster_project.domain.projection import project
from dagster_project.domain.repository import FolderTree
from dagster_project.domain.snapshot import Snapshot, SplitResult, SplitRows
from dagster_project.domain.spec import ModelSpec

MODEL = "late_arrival"
DIGEST = "sha256:" + "0" * 64


def flights_request(folder: Path, last: int | None = None, **changes: Any) -> BuildRequest:
    """A request in ``folder``. ``last``: that many of the latest train rows alone. ``changes`` are the spec's."""
    from tests.benchmarks.plain_script import departures, parts

    repository = load_repository(FolderTree(ROOT))
    found = repository.specs[MODEL]
    contract = repository.contracts[found.contract.name]
    spec = ModelSpec.model_validate({**found.model_dump(mode="json", by_alias=True), **changes})
    frames = parts(spec, departures(ROOT), contract)
    train = frames["train"] if last is None else frames["train"].tail(last)
    columns = project(spec, contract)
    return BuildRequest(
        spec=spec,
        snapshot=Snapshot(
            dataset=contract.name, contract_version="1.0.0", contract_digest=DIGEST, uri=str(folder), version=0,
            digest=DIGEST, rows=len(train), created=datetime(2026, 1, 1, tzinfo=UTC),
        ),
        split=SplitResult(
            snapshot=DIGEST,
            train=_written(folder / "train.parquet", train, spec.target),
            validation=_written(folder / "validation.parquet", frames["validation"], spec.target),
        ),
        numeric=columns.numeric,
        categorical=columns.categorical,
        build_key=DIGEST,
        code_digest=DIGEST,
        environment_digest=DIGEST,
        store=str(folder / "store"),
        result=str(folder / "result.json"),
    )  # fmt: skip


def _written(path: Path, rows: Any, target: str) -> SplitRows:
    rows.write_parquet(path)
    return SplitRows(uri=str(path), digest=DIGEST, rows=len(rows), labelled=rows[target].count())
