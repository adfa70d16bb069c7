"""Deployments and their statuses."""

from typing import Any

from tests.github import rules, views
from tests.github.exchange import Answer, Call, GitHubError, node_id, not_found, operation
from tests.github.world import Deployment, Repository, World, now


@operation("GET REPO/deployments", "deployments")
def deployments(call: Call) -> Answer:
    """Newest first."""
    found = [one for one in call.repository.deployments.values() if _is_wanted(call, one)]
    return call.page(found[::-1], lambda one: view(call.world, call.repository, one))


@operation("POST REPO/deployments", "deployments")
def create(call: Call) -> Answer:
    """A new one; the commit's statuses have to be good unless it says which."""
    asked = call.json
    sha = call.bare.resolve(asked["ref"])
    if sha is None:
        raise GitHubError(422, f"No ref found for: {asked['ref']}")
    _refuse_failed(call.repository, sha, asked.get("required_contexts"))
    environment = asked.get("environment", "production")
    made = Deployment(
        call.world.next_id(),
        asked["ref"],
        sha,
        asked.get("task", "deploy"),
        environment,
        asked.get("description"),
        asked.get("payload", {}),
        call.by.user,
        call.by.app,
        asked.get("transient_environment", False),
        asked.get("production_environment", environment == "production"),
    )
    call.repository.deployments[made.id] = made
    return Answer(201, view(call.world, call.repository, made))


@operation("GET REPO/deployments/{deployment_id}", "deployments")
def deployment(call: Call) -> Answer:
    """One."""
    return Answer(200, view(call.world, call.repository, _deployment(call)))


@operation("GET REPO/deployments/{deployment_id}/statuses", "deployments")
def statuses(call: Call) -> Answer:
    """Newest first."""
    return call.page(_deployment(call).statuses[::-1], lambda one: one)


@operation("POST REPO/deployments/{deployment_id}/statuses", "deployments")
def create_status(call: Call) -> Answer:
    """A new one; success makes the environment's earlier ones inactive."""
    one, asked = _deployment(call), call.json
    if len(asked.get("description", "")) > 140:
        raise GitHubError(
            422, "Validation Failed", [{"resource": "DeploymentStatus", "field": "description", "code": "custom"}]
        )
    if asked["state"] == "success" and asked.get("auto_inactive", True):
        for other in call.repository.deployments.values():
            if other is not one and other.environment == one.environment and _is_active(other):
                _add_status(call, other, {"state": "inactive"})
    return Answer(201, _add_status(call, one, asked))


def view(world: World, at: Repository, one: Deployment) -> dict[str, Any]:
    """A deployment, as GitHub writes it."""
    url = f"{views.repository_url(world, at)}/deployments/{one.id}"
    return {
        "id": one.id,
        "node_id": node_id("Deployment", one.id),
        "sha": one.sha,
        "ref": one.ref,
        "task": one.task,
        "payload": one.payload,
        "original_environment": one.environment,
        "environment": one.environment,
        "description": one.description,
        "creator": views.user(world, one.creator),
        "url": url,
        "created_at": one.created_at,
        "updated_at": one.created_at,
        "statuses_url": f"{url}/statuses",
        "repository_url": views.repository_url(world, at),
        "transient_environment": one.transient,
        "production_environment": one.production,
        "performed_via_github_app": views.app(world, one.app),
    }


def _add_status(call: Call, one: Deployment, asked: dict[str, Any]) -> dict[str, Any]:
    id, url = call.world.next_id(), f"{views.repository_url(call.world, call.repository)}/deployments/{one.id}"
    log = asked.get("log_url") or asked.get("target_url") or ""
    status = {
        "id": id,
        "node_id": node_id("DeploymentStatus", id),
        "state": asked["state"],
        "url": f"{url}/statuses/{id}",
        "creator": views.user(call.world, call.by.user),
        "description": asked.get("description", ""),
        "environment": asked.get("environment", one.environment),
        "target_url": log,
        "log_url": log,
        "environment_url": asked.get("environment_url", ""),
        "created_at": now(),
        "updated_at": now(),
        "deployment_url": url,
        "repository_url": views.repository_url(call.world, call.repository),
        "performed_via_github_app": views.app(call.world, call.by.app),
    }
    one.statuses.append(status)
    return status


def _refuse_failed(at: Repository, sha: str, contexts: list[str] | None) -> None:
    states = {one.context: one.state for one in rules.latest_statuses(at, sha)}
    wanted = list(states) if contexts is None else contexts
    bad = {name: states.get(name, "missing") for name in wanted if states.get(name) != "success"}
    if bad:
        raise GitHubError(409, f"Conflict: Commit status checks failed for {sha}: {', '.join(sorted(bad))}.")


def _is_active(one: Deployment) -> bool:
    return not one.transient and bool(one.statuses) and one.statuses[-1]["state"] == "success"


def _is_wanted(call: Call, one: Deployment) -> bool:
    return all(
        call.query.get(name, "none") in ("none", getattr(one, name)) for name in ("sha", "ref", "task", "environment")
    )


def _deployment(call: Call) -> Deployment:
    found = call.repository.deployments.get(call.number("deployment_id"))
    if found is None:
        raise not_found()
    return found
