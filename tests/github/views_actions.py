"""How GitHub writes workflow runs, jobs and artifacts."""

from datetime import datetime, timedelta
from typing import Any

from tests.github import views, views_git, views_pulls
from tests.github.exchange import node_id
from tests.github.views import Json
from tests.github.world import Artifact, Repository, Run, World


def run(world: World, at: Repository, one: Run) -> Json:
    """A workflow's run. For pull requests from forks ``pull_requests`` is empty, as on GitHub."""
    url, web = (
        f"{views.repository_url(world, at)}/actions/runs/{one.id}",
        f"{world.url}/{at.full_name}/actions/runs/{one.id}",
    )
    pull = at.pulls.get(one.pull or 0)
    own = pull is not None and pull.head_repository is at
    workflow = f"{views.repository_url(world, at)}/actions/workflows/{one.workflow_id}"
    head = one.head_repository
    return {
        "id": one.id,
        "node_id": node_id("WorkflowRun", one.id),
        "name": one.name,
        "path": one.workflow,
        "event": one.event,
        "run_number": one.number,
        "run_attempt": one.attempt,
        "status": one.status,
        "conclusion": one.conclusion,
        "workflow_id": one.workflow_id,
        "workflow_url": workflow,
        "check_suite_id": one.id,
        "url": url,
        "html_url": web,
        "check_suite_url": f"{views.repository_url(world, at)}/check-suites/{one.id}",
        "head_branch": one.head_branch,
        "head_sha": one.head,
        "display_title": one.title or (pull.title if pull else one.name),
        "actor": views.user(world, one.actor),
        "triggering_actor": views.user(world, one.actor),
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "run_started_at": one.created_at,
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "cancel_url": f"{url}/cancel",
        "rerun_url": f"{url}/rerun",
        "artifacts_url": f"{url}/artifacts",
        "previous_attempt_url": None,
        "pull_requests": [views_pulls.minimal_pull(world, at, pull)] if pull and own else [],
        "head_commit": views_git.simple_commit(at.bare.commit(one.head)),
        "repository": views.repository(world, at),
        "head_repository": views.repository(world, head) if head else None,
        "referenced_workflows": [],
    }


def job(world: World, at: Repository, of: Run, one: Json) -> Json:
    """A run's job; ``one`` has what the run's player said of it."""
    url = f"{views.repository_url(world, at)}/actions/jobs/{one['id']}"
    return {
        "id": one["id"],
        "node_id": node_id("Job", one["id"]),
        "run_id": of.id,
        "run_url": _run_url(world, at, of.id),
        "run_attempt": of.attempt,
        "head_sha": of.head,
        "head_branch": of.head_branch,
        "workflow_name": of.name,
        "url": url,
        "html_url": f"{world.url}/{at.full_name}/actions/runs/{of.id}/job/{one['id']}",
        "labels": ["ubuntu-24.04"],
        "check_run_url": f"{views.repository_url(world, at)}/check-runs/{one['id']}",
        "name": one["name"],
        "status": one["status"],
        "conclusion": one["conclusion"],
        "created_at": of.created_at,
        "started_at": of.created_at,
        "completed_at": of.updated_at if one["status"] == "completed" else None,
        "steps": one["steps"],
        "runner_id": None,
        "runner_name": None,
        "runner_group_id": None,
        "runner_group_name": None,
    }


def artifact(world: World, at: Repository, one: Artifact) -> Json:
    """What a run uploaded; kept for 90 days."""
    url = f"{views.repository_url(world, at)}/actions/artifacts/{one.id}"
    end = datetime.fromisoformat(one.created_at) + timedelta(days=90)
    of = at.runs[one.run]
    ids = {"id": of.id, "repository_id": at.id, "head_repository_id": (of.head_repository or at).id}
    body: dict[str, Any] = {
        "id": one.id,
        "node_id": node_id("Artifact", one.id),
        "name": one.name,
        "size_in_bytes": len(one.content),
        "url": url,
        "archive_download_url": f"{url}/zip",
        "expired": one.expired,
        "digest": one.digest,
        "created_at": one.created_at,
        "updated_at": one.created_at,
        "expires_at": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return body | {"workflow_run": ids | {"head_branch": of.head_branch, "head_sha": of.head}}


def _run_url(world: World, at: Repository, id: int) -> str:
    return f"{views.repository_url(world, at)}/actions/runs/{id}"
