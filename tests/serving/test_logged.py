"""What a served request leaves behind: rows in the table after ingestion, and nothing in the store."""

import json
from pathlib import Path

import pytest

from dagster_project.domain.workspace import Workspace
from dagster_project.monitoring.ingest import ingest
from dagster_project.monitoring.log_table import answers
from dagster_project.storage.store import ArtifactStore
from tests.serving import served
from tests.serving.running import running

Place = tuple[Path, ArtifactStore, str]


def listing(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}


def test_every_answered_row_comes_into_the_table_and_the_store_is_only_read(place: Place) -> None:
    folder, store, writes = place
    workspace = Workspace(repo=folder)
    model = served.desired(store, log={"inputs": 1.0, "flush": "PT0.1S"})
    hidden = tuple(entry.model_copy(update={"restricted": entry.name == "carrier"}) for entry in model.inputs)
    served.publish(store, writes, model.model_copy(update={"inputs": hidden, "id_restricted": True}))
    before = listing(Path(workspace.store))
    said: dict[str, float] = {}
    with running(folder) as server:
        server.wait()
        for miles in (100.0, 200.0):
            rides = [f"ride {miles} {i}" for i in range(2)]
            rows = {"miles": [miles, miles + 1], "carrier": ["UA", None], "ride": rides}
            status, answer = server.infer(rows)
            assert status == 200
            ids = answer["parameters"]["row_ids"]
            chances = next(o["data"] for o in answer["outputs"] if o["name"] == "probabilities")
            said |= dict(zip(ids, chances[1::2], strict=True))
    assert listing(Path(workspace.store)) == before
    ingested = ingest(workspace.serving_log, workspace.warehouse)
    assert (ingested.rows, ingested.dropped, ingested.broken) == (4, 0, 0)
    table = answers(workspace.warehouse).collect()
    assert sorted(table["row_id"]) == sorted(said)
    for row in table.iter_rows(named=True):
        assert row["probabilities"][1] == pytest.approx(said[row["row_id"]], abs=1e-6)
        assert row["model"] == "delays" and row["onnx"] == model.onnx and row["place"] == "live"
        assert row["label"] == ("true" if row["probabilities"][1] > 0.5 else "false")
        inputs = json.loads(row["inputs"])
        assert inputs["miles"] in (100.0, 101.0, 200.0, 201.0)
        assert inputs["carrier"] in (None, "") or len(inputs["carrier"]) == 32
        assert "ride" not in row["id"] and len(row["id"]) == 32
    assert "UA" not in "".join(table["inputs"])
    assert ingest(workspace.serving_log, workspace.warehouse).rows == 0
