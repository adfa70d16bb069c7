"""How GitHub writes check runs, check suites and commit statuses."""

from typing import Any
from urllib.parse import quote

from tests.github import rules, views, views_git, views_pulls
from tests.github.exchange import node_id
from tests.github.views import Json
from tests.github.world import CheckRun, Repository, Status, World

WORST = ("failure", "cancelled", "timed_out", "action_required", "stale", "neutral", "success")


def check(world: World, at: Repository, run: CheckRun) -> Json:
    """A check run."""
    url = f"{views.repository_url(world, at)}/check-runs/{run.id}"
    output = {key: run.output.get(key) for key in ("title", "summary", "text")}
    return {
        "id": run.id,
        "node_id": node_id("CheckRun", run.id),
        "name": run.name,
        "head_sha": run.head,
        "external_id": run.external_id,
        "url": url,
        "html_url": f"{world.url}/{at.full_name}/runs/{run.id}",
        "details_url": run.details_url or views_app_url(world, run),
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": run.started_at,
        "completed_at": run.completed_at,
        "output": output | {"annotations_count": len(run.annotations), "annotations_url": f"{url}/annotations"},
        "check_suite": {"id": run.suite},
        "app": views.app(world, run.app),
        "pull_requests": _pulls(world, at, run.head),
    }


def views_app_url(world: World, run: CheckRun) -> str:
    """Where an App's details are when it says nothing."""
    return f"{world.url}/apps/{run.app.slug}"


def annotation(world: World, at: Repository, run: CheckRun, one: Json) -> Json:
    """One annotation."""
    names = ("path", "start_line", "end_line", "start_column", "end_column", "annotation_level", "title", "message")
    kept = {name: one.get(name) for name in (*names, "raw_details")}
    return kept | {"blob_href": f"{world.url}/{at.full_name}/blob/{run.head}/{quote(one['path'])}"}


def suite(world: World, at: Repository, sha: str, app: int, id: int) -> Json:
    """An App's check runs on a commit, taken together."""
    runs = [run for run in rules.latest_checks(at, sha) if run.app.id == app]
    url = f"{views.repository_url(world, at)}/check-suites/{id}"
    done = all(run.status == "completed" for run in runs)
    conclusions = [run.conclusion for run in runs]
    worst = next((word for word in WORST if word in conclusions), None)
    return {
        "id": id,
        "node_id": node_id("CheckSuite", id),
        "head_branch": None,
        "head_sha": sha,
        "status": "completed" if done else "in_progress",
        "conclusion": worst if done else None,
        "url": url,
        "before": None,
        "after": sha,
        "pull_requests": _pulls(world, at, sha),
        "app": views.app(world, next(run.app for run in at.checks.values() if run.suite == id)),
        "repository": views.repository(world, at),
        "created_at": runs[0].started_at,
        "updated_at": runs[-1].started_at,
        "head_commit": views_git.simple_commit(at.bare.commit(sha)),
        "latest_check_runs_count": len(runs),
        "check_runs_url": f"{url}/check-runs",
    }


def status(world: World, at: Repository, one: Status) -> Json:
    """A commit status."""
    person = views.user(world, one.creator)
    return {
        "id": one.id,
        "node_id": node_id("Status", one.id),
        "url": f"{views.repository_url(world, at)}/statuses/{one.sha}",
        "avatar_url": person["avatar_url"],
        "state": one.state,
        "description": one.description,
        "target_url": one.target_url,
        "context": one.context,
        "created_at": one.created_at,
        "updated_at": one.created_at,
        "creator": person,
    }


def combined(world: World, at: Repository, sha: str) -> Json:
    """The newest status of each context, and the word for all."""
    newest = rules.latest_statuses(at, sha)
    states: set[Any] = {one.state for one in newest}
    word = "failure" if states & {"failure", "error"} else "success" if states == {"success"} else "pending"
    url = views.repository_url(world, at)
    return {
        "state": word,
        "sha": sha,
        "total_count": len(newest),
        "statuses": [status(world, at, one) for one in newest],
        "repository": views.repository(world, at),
        "commit_url": f"{url}/commits/{sha}",
        "url": f"{url}/commits/{sha}/status",
    }


def _pulls(world: World, at: Repository, sha: str) -> list[Json]:
    """Open ones from branches of the repository itself: GitHub leaves those from forks out."""
    own = [one for one in at.pulls.values() if one.head == sha and one.state == "open" and one.head_repository is at]
    return [views_pulls.minimal_pull(world, at, one) for one in own]
