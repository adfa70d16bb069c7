"""GitHub's JSON as our values. A key that is missing is a ``KeyError``; what doesn't fit a ``ValidationError``."""

from typing import Any

from .values import Artifact, Check, PullRequest, Run

GHOST = "ghost"
Json = dict[str, Any]


def pull_request(found: Json) -> PullRequest:
    """Of ``pull-request`` and ``pull-request-simple``, which alone lacks ``merged``."""
    head, base = found["head"], found["base"]
    return PullRequest(
        number=found["number"],
        title=found["title"],
        author=(found["user"] or {"login": GHOST})["login"],
        state=found["state"],
        merged=found["merged_at"] is not None,
        draft=bool(found.get("draft")),
        head=head["sha"],
        head_branch=head["ref"],
        head_repository=_full_name(head["repo"]),
        base=base["sha"],
        base_branch=base["ref"],
        repository=base["repo"]["full_name"],
        merge_commit=found["merge_commit_sha"],
        labels=tuple(label["name"] for label in found["labels"]),
    )


def check(found: Json) -> Check:
    """Of ``check-run``."""
    return Check(
        id=found["id"],
        name=found["name"],
        head=found["head_sha"],
        status=found["status"],
        conclusion=found["conclusion"],
        external_id=found["external_id"] or "",
        app=found["app"]["id"] if found["app"] else None,
        url=found["html_url"] or "",
    )


def check_run(run: Any) -> Check:
    """Of github3.py's ``CheckRun``, whose own JSON stays as it was when the run is updated."""
    names = {"id": run.id, "name": run.name, "head_sha": run.head_sha, "html_url": run.html_url}
    state = {"status": run.status, "conclusion": run.conclusion, "external_id": run.external_id}
    return check(names | state | {"app": {"id": run.app.id}})


def run(found: Json) -> Run:
    """Of ``workflow-run``. Its path may say at which ref the file was read: ``.github/workflows/x.yml@main``."""
    return Run(
        id=found["id"],
        workflow=_workflow(found["path"]),
        event=found["event"],
        head=found["head_sha"],
        head_branch=found["head_branch"] or "",
        head_repository=_full_name(found["head_repository"]),
        status=found["status"] or "",
        conclusion=found["conclusion"],
        title=found["display_title"],
        attempt=found.get("run_attempt", 1),
        url=found["html_url"],
    )


def _workflow(path: str) -> str:
    """The file; GitHub may add at which ref it was read, and a file's own name may hold an @."""
    return path if path.endswith((".yml", ".yaml")) else path.rpartition("@")[0]


def artifact(found: Json) -> Artifact:
    """Of ``artifact``."""
    return Artifact(
        id=found["id"],
        name=found["name"],
        size=found["size_in_bytes"],
        digest=found.get("digest"),
        expired=found["expired"],
    )


def _full_name(repository: Json | None) -> str | None:
    return repository["full_name"] if repository else None
