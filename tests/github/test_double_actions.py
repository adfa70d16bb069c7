"""Runs and artifacts."""

import hashlib
import io
import zipfile
from collections.abc import Callable

from tests.github.conftest import MODELS, Client
from tests.github.double import Double

WORKFLOW = ".github/workflows/pull-request.yml"


def test_a_run_of_a_fork_and_its_events(double: Double, gate: Client) -> None:
    double.fork(MODELS, "stranger")
    head = double.push("stranger/models", "mine", {"a.txt": "2"}, by="stranger")
    double.open_pull(MODELS, "stranger:mine", title="Mine")
    run = double.run_began(MODELS, WORKFLOW, "pull_request", pull=1)
    assert gate.get(f"actions/runs/{run.id}")["status"] == "in_progress"
    double.run_ended(run, "success", {"plan": "success", "build": "skipped"})
    told = [one for one in double.webhook_events if one.name == "workflow_run"]
    assert [(one.action, one.payload["workflow_run"]["status"]) for one in told] == [
        ("requested", "queued"),
        ("completed", "completed"),
    ]
    found = gate.get(f"actions/runs/{run.id}")
    assert (found["path"], found["event"], found["head_sha"]) == (WORKFLOW, "pull_request", head)
    assert found["head_repository"]["full_name"] == "stranger/models" and found["pull_requests"] == []
    assert (found["conclusion"], found["display_title"], found["actor"]["login"]) == ("success", "Mine", "stranger")
    jobs = gate.get(f"actions/runs/{run.id}/jobs")["jobs"]
    assert {one["name"]: one["conclusion"] for one in jobs} == {"plan": "success", "build": "skipped"}


def test_runs_are_listed(double: Double, gate: Client) -> None:
    double.push(MODELS, "topic", {"a.txt": "2"})
    double.open_pull(MODELS, "topic")
    first = double.run_began(MODELS, WORKFLOW, "pull_request", pull=1)
    second = double.run_began(MODELS, ".github/workflows/deploy.yml", "push")
    assert [one["id"] for one in gate.get("actions/runs")["workflow_runs"]] == [second.id, first.id]
    assert [one["number"] for one in gate.get(f"actions/runs/{first.id}")["pull_requests"]] == [1]
    assert [one["id"] for one in gate.get("actions/runs", event="push", branch="main")["workflow_runs"]] == [second.id]
    found = gate.get("actions/workflows/deploy.yml/runs")
    assert [one["head_sha"] for one in found["workflow_runs"]] == [double.head(MODELS)]
    assert gate.call("GET", "actions/runs/1").status_code == 404


def test_artifacts(double: Double, gate: Client, client: Callable[[str | None], Client]) -> None:
    run = double.run_began(MODELS, WORKFLOW, "push")
    made = double.upload_artifact(run, "bundle", {"model.onnx": b"\x00" * 1000})
    found = gate.get(f"actions/runs/{run.id}/artifacts")
    assert found["total_count"] == 1 and found["artifacts"][0]["name"] == "bundle"
    one = gate.get(f"actions/artifacts/{made.id}")
    sent = gate.call("GET", f"actions/artifacts/{made.id}/zip", allow_redirects=False)
    assert sent.status_code == 302
    data = client(None).call("GET", sent.headers["Location"].removeprefix(double.url)).content
    assert f"sha256:{hashlib.sha256(data).hexdigest()}" == one["digest"] and len(data) == one["size_in_bytes"]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["model.onnx"]
    place = sent.headers["Location"].removeprefix(double.url).partition("?")[0]
    assert client(None).call("GET", place).status_code == 403
    assert client(None).call("GET", f"actions/artifacts/{made.id}/zip").status_code == 401
    weak = client(double.actions_token(MODELS, {"contents": "read"}))
    assert weak.call("GET", f"actions/artifacts/{made.id}/zip").status_code == 403
    made.expired = True
    assert gate.get(f"actions/artifacts/{made.id}")["expired"] is True
    assert gate.call("GET", f"actions/artifacts/{made.id}/zip").status_code == 410


def test_a_program_uploads(double: Double, gate: Client) -> None:
    run = double.run_began(MODELS, WORKFLOW, "push")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", "b")
    path = f"/_double/runs/{MODELS}/{run.id}/artifacts?name=bundle"
    made = gate.call("POST", path, data=buffer.getvalue())
    assert made.status_code == 201 and gate.get("actions/artifacts", name="bundle")["total_count"] == 1
    assert gate.call("POST", path, data=b"other").status_code == 409
    assert gate.call("GET", f"actions/artifacts/{made.json()['id']}/zip").content == buffer.getvalue()
