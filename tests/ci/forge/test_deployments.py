"""Deployments and their statuses."""

import pytest

from tests.ci.forge.site import GATE, MODELS, Site
from tests.github.world import Deployment

PAYLOAD = {"models": {"m": "sha256:1"}, "desired": "sha256:2"}


def deployments(site: Site) -> list[Deployment]:
    return list(site.double.world.repository(MODELS).deployments.values())


def states(site: Site, index: int = 0) -> list[str]:
    return [status["state"] for status in deployments(site)[index].statuses]


def test_a_deployment_is_made_once_for_commit_environment_and_payload(site: Site) -> None:
    head = site.double.head(MODELS)
    first = site.gate.deployment(head, "production", "m at sha256:1", PAYLOAD)
    assert site.again().deployment(head, "production", "m at sha256:1", PAYLOAD) == first
    other = {site.gate.deployment(head, "staging", "", PAYLOAD), site.gate.deployment(head, "production", "", {})}
    assert first not in other and len(other) == 2 and len(deployments(site)) == 3
    made = deployments(site)[0]
    assert (made.id, made.sha, made.environment, made.payload) == (first, head, "production", PAYLOAD)
    assert made.creator.login == f"{GATE}[bot]" and made.production


def test_failed_checks_of_others_do_not_hold_it_up(site: Site) -> None:
    """What may be deployed is what a verdict passed; ``acts deploy`` has asked that."""
    head = site.double.head(MODELS)
    rights = {"metadata": "read", "statuses": "write"}
    token = site.double.actions_token(MODELS, rights)
    client = site.connect(token)._connection
    client.send("POST", client.url("statuses", head), {"state": "failure", "context": "lint"})
    assert site.gate.deployment(head, "production", "", {}) > 0


def test_statuses_follow_each_other_and_none_is_said_twice(site: Site) -> None:
    id = site.gate.deployment(site.double.head(MODELS), "production", "", PAYLOAD)
    for state in ("queued", "in_progress", "in_progress", "success"):
        site.again().deployment_status(id, state, f"is {state}", "https://example.org/log", "https://example.org")  # type: ignore[arg-type]
    assert states(site) == ["queued", "in_progress", "success"]
    last = deployments(site)[0].statuses[-1]
    assert (last["log_url"], last["environment_url"], last["description"]) == (
        "https://example.org/log",
        "https://example.org",
        "is success",
    )
    site.gate.deployment_status(id, "success", "is success", "https://example.org/other")
    assert states(site) == ["queued", "in_progress", "success", "success"]


def test_a_failure_after_a_success_is_said_and_so_is_the_next_success(site: Site) -> None:
    id = site.gate.deployment(site.double.head(MODELS), "production", "", PAYLOAD)
    for state in ("success", "failure", "success"):
        site.gate.deployment_status(id, state, "")  # type: ignore[arg-type]
    assert states(site) == ["success", "failure", "success"]


def test_long_descriptions_are_cut_as_github_wants(site: Site) -> None:
    id = site.gate.deployment(site.double.head(MODELS), "production", "", PAYLOAD)
    for _ in range(2):
        site.gate.deployment_status(id, "error", "ü" * 200)
    (status,) = deployments(site)[0].statuses
    assert len(status["description"]) == 140 and status["description"].endswith("ü…")


@pytest.mark.parametrize("fault", [{"lost": True}, {"lost": True, "done": False}])
def test_lost_answers_are_done_once(site: Site, fault: dict[str, object]) -> None:
    site.double.faults.next("POST", "deployments$", **fault)  # type: ignore[arg-type]
    id = site.gate.deployment(site.double.head(MODELS), "production", "", PAYLOAD)
    site.double.faults.next("POST", "statuses$", **fault)  # type: ignore[arg-type]
    site.gate.deployment_status(id, "success", "up")
    assert [one.id for one in deployments(site)] == [id] and states(site) == ["success"]
    assert len(site.double.faults.met) == 2
