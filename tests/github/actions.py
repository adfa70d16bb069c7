"""Runs of workflows and what they upload, as a test's runner tells them."""

import hashlib
import io
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

from tests.github import views, views_actions
from tests.github.exchange import GitHubError
from tests.github.world import Artifact, Repository, Run, Token, World, now


def begin(
    world: World, root: Repository, workflow: str, event: str, number: int | None, head: str, branch: str, title: str
) -> Run:
    """A run of a pull request's head, or of a commit."""
    pull = root.pulls[number] if number is not None else None
    source = pull.head_repository if pull else root
    actor = pull.user if pull else root.owner
    earlier = [run for run in root.runs.values() if run.workflow == workflow]
    made = Run(
        world.next_id(),
        len(earlier) + 1,
        workflow,
        zlib.crc32(workflow.encode()),
        _name(workflow),
        event,
        pull.head if pull else head,
        pull.head_branch if pull else branch or root.default_branch,
        source,
        actor,
        number,
        title,
    )
    root.runs[made.id] = made
    _tell(world, root, made, "requested")
    made.status = "in_progress"
    return made


def end(world: World, root: Repository, run: Run, conclusion: str, jobs: Mapping[str, str]) -> None:
    """A run is over."""
    run.status, run.conclusion, run.updated_at = "completed", conclusion, now()
    run.jobs = [
        {"id": world.next_id(), "name": name, "status": "completed", "conclusion": word, "steps": []}
        for name, word in jobs.items()
    ]
    _tell(world, root, run, "completed")


def upload(world: World, root: Repository, run: int, name: str, content: bytes | Mapping[str, Any]) -> Artifact:
    """An artifact; a name can be used once in a run.

    Raises:
        GitHubError: 409, the run has one of this name.
    """
    if any(one.run == run and one.name == name for one in root.artifacts.values()):
        raise GitHubError(409, f"Conflict: an artifact with the name {name} already exists on the workflow run")
    data = content if isinstance(content, bytes) else zipped(content)
    made = Artifact(world.next_id(), run, name, data, f"sha256:{hashlib.sha256(data).hexdigest()}")
    root.artifacts[made.id] = made
    return made


def zipped(files: Mapping[str, Any]) -> bytes:
    """Files as a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return buffer.getvalue()


def payload(world: World, root: Repository, run: Run, action: str) -> dict[str, Any]:
    """The workflow_run event."""
    workflow = {"id": run.workflow_id, "name": run.name, "path": run.workflow, "state": "active"}
    body = {"action": action, "workflow_run": views_actions.run(world, root, run), "workflow": workflow}
    return body | {"repository": views.repository(world, root), "sender": views.user(world, run.actor)}


def _tell(world: World, root: Repository, run: Run, action: str) -> None:
    world.tell("workflow_run", action, root, payload(world, root, run, action), Token(run.actor))


def _name(workflow: str) -> str:
    return workflow.split("/")[-1].split(".")[0]
