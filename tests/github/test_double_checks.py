"""Check runs, statuses and deployments."""

from typing import Any

from tests.github.conftest import MODELS, Client
from tests.github.double import Double


def notes(count: int) -> list[dict[str, Any]]:
    """Annotations on the first lines of a.txt."""
    return [
        {"path": "a.txt", "start_line": n, "end_line": n, "annotation_level": "warning", "message": f"m{n}"}
        for n in range(1, count + 1)
    ]


def test_annotations_in_batches(double: Double, gate: Client) -> None:
    output = {"title": "t", "summary": "s", "annotations": notes(50)}
    run = gate.post("check-runs", name="v", head_sha=double.head(MODELS), status="in_progress", output=output)
    path = f"check-runs/{run['id']}"
    gate.patch(path, conclusion="failure", output=output | {"text": "more", "annotations": notes(3)})
    now = gate.get(path)
    assert (now["status"], now["conclusion"], now["output"]["annotations_count"]) == ("completed", "failure", 53)
    assert now["completed_at"] and now["output"]["text"] == "more"
    assert [one["message"] for one in gate.get(f"{path}/annotations", page="2")][-1] == "m3"
    response = gate.call("PATCH", path, json={"output": output | {"annotations": notes(51)}})
    assert response.status_code == 422 and gate.get(path)["output"]["annotations_count"] == 53
    assert gate.call("PATCH", path, json={"output": {"summary": "x" * 65536}}).status_code == 422
    assert [line.split()[-1] for line in double.violations] == ["(maxItems)", "(maxLength)"]
    double.violations.clear()


def test_lists_of_a_commit(double: Double, gate: Client, actions: Client) -> None:
    head = double.head(MODELS)
    first = gate.post("check-runs", name="v", head_sha=head, external_id="one")["id"]
    other = actions.post("check-runs", name="v", head_sha=head, conclusion="success")
    again = gate.post("check-runs", name="v", head_sha=head, external_id="two")["id"]
    more = gate.post("check-runs", name="w", head_sha=head)["id"]

    def ids(**query: str) -> list[int]:
        return [one["id"] for one in gate.get("commits/main/check-runs", **query)["check_runs"]]

    assert ids() == [more, again, other["id"]]
    assert ids(filter="all") == [more, again, other["id"], first]
    assert ids(check_name="v", app_id=str(double.world.apps["gate"].id), filter="all") == [again, first]
    assert ids(app_id="15368") == [other["id"]] and ids(status="completed") == [other["id"]]
    suites = gate.get(f"commits/{head}/check-suites")["check_suites"]
    assert {one["app"]["slug"]: one["latest_check_runs_count"] for one in suites} == {"gate": 2, "github-actions": 1}
    found = gate.get(f"check-suites/{other['check_suite']['id']}/check-runs")
    assert [one["id"] for one in found["check_runs"]] == [other["id"]]


def test_check_runs_that_are_refused(double: Double, gate: Client, actions: Client) -> None:
    head = double.head(MODELS)
    assert gate.call("POST", "check-runs", json={"name": "v", "head_sha": "1" * 40}).status_code == 422
    mine = gate.post("check-runs", name="v", head_sha=head)["id"]
    assert actions.call("PATCH", f"check-runs/{mine}", json={"conclusion": "success"}).status_code == 403
    assert gate.call("GET", "check-runs/1").status_code == 404
    double.fork(MODELS, "stranger")
    there = double.push("stranger/models", "mine", {"a.txt": "2"})
    assert gate.call("POST", "check-runs", json={"name": "v", "head_sha": there}).status_code == 422
    double.open_pull(MODELS, "stranger:mine")
    assert gate.post("check-runs", name="v", head_sha=there)["pull_requests"] == []


def test_a_run_that_begins_again(double: Double, gate: Client) -> None:
    path = f"check-runs/{gate.post('check-runs', name='v', head_sha=double.head(MODELS), conclusion='failure')['id']}"
    again = gate.patch(path, status="in_progress")
    assert (again["conclusion"], again["completed_at"]) == (None, None)


def test_statuses(double: Double, gate: Client) -> None:
    head = double.head(MODELS)
    assert gate.get("commits/main/status")["state"] == "pending"
    for state, context in (("failure", "a"), ("success", "a"), ("success", "b")):
        gate.post(f"statuses/{head}", state=state, context=context, description="d", target_url="https://example.org/x")
    combined = gate.get(f"commits/{head}/status")
    assert (combined["state"], combined["total_count"]) == ("success", 2)
    assert [one["state"] for one in gate.get("commits/main/statuses")] == ["success", "success", "failure"]
    assert gate.call("POST", f"statuses/{'1' * 40}", json={"state": "success"}).status_code == 422


def test_deployments_and_what_they_make_inactive(double: Double, gate: Client) -> None:
    asked = {"ref": "main", "environment": "production", "payload": {"digest": "sha256:1"}, "description": "first"}
    first = gate.post("deployments", **asked)
    assert (first["sha"], first["payload"]["digest"], first["creator"]["login"]) == (
        double.head(MODELS),
        "sha256:1",
        "gate[bot]",
    )
    second = gate.post("deployments", **asked)
    for one in (first, second):
        for state in ("in_progress", "success"):
            gate.post(f"deployments/{one['id']}/statuses", state=state, environment_url="https://example.org")
    states = [one["state"] for one in gate.get(f"deployments/{first['id']}/statuses")]
    assert states == ["inactive", "success", "in_progress"]
    assert [one["id"] for one in gate.get("deployments", environment="production")] == [second["id"], first["id"]]
    assert gate.get("deployments", environment="staging") == []
    assert gate.get(f"deployments/{first['id']}")["id"] == first["id"]
    assert gate.call("POST", "deployments", json={"ref": "none"}).status_code == 422
    gate.post(f"statuses/{double.head(MODELS)}", state="failure", context="ci")
    assert gate.call("POST", "deployments", json=asked).status_code == 409
    gate.post("deployments", **asked, required_contexts=[])
