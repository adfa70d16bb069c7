"""Workflow runs, their jobs and artifacts. A test's runner says what runs (``Double.run_began``), not the double."""

from tests.github import views_actions
from tests.github.exchange import Answer, Call, GitHubError, not_found, operation
from tests.github.world import Artifact, Run

FILTERS = {"event": "event", "branch": "head_branch", "head_sha": "head"}


@operation("GET REPO/actions/runs", "actions")
def runs(call: Call) -> Answer:
    """Newest first."""
    return _runs(call, list(call.repository.runs.values()))


@operation("GET REPO/actions/workflows/{workflow_id}/runs", "actions")
def of_workflow(call: Call) -> Answer:
    """Those of one workflow, by its number or its file's name."""
    wanted = call.params["workflow_id"]
    return _runs(
        call,
        [one for one in call.repository.runs.values() if wanted in (str(one.workflow_id), one.workflow.split("/")[-1])],
    )


@operation("GET REPO/actions/runs/{run_id}", "actions")
def run(call: Call) -> Answer:
    """One."""
    return Answer(200, views_actions.run(call.world, call.repository, _run(call)))


@operation("GET REPO/actions/runs/{run_id}/jobs", "actions")
def jobs(call: Call) -> Answer:
    """A run's jobs, as the runner told them."""
    of = _run(call)
    return call.page(of.jobs, lambda one: views_actions.job(call.world, call.repository, of, one), "jobs")


@operation("GET REPO/actions/runs/{run_id}/artifacts", "actions")
def of_run(call: Call) -> Answer:
    """A run's artifacts."""
    number = _run(call).id
    return _artifacts(call, [one for one in call.repository.artifacts.values() if one.run == number])


@operation("GET REPO/actions/artifacts", "actions")
def artifacts(call: Call) -> Answer:
    """All."""
    return _artifacts(call, list(call.repository.artifacts.values()))


@operation("GET REPO/actions/artifacts/{artifact_id}", "actions")
def artifact(call: Call) -> Answer:
    """One."""
    return Answer(200, views_actions.artifact(call.world, call.repository, _artifact(call)))


@operation("GET REPO/actions/artifacts/{artifact_id}/{archive_format}", "actions", always=True)
def download(call: Call) -> Answer:
    """Sends elsewhere, for a minute and without a token, as GitHub does."""
    one = _artifact(call)
    if one.expired:
        raise GitHubError(410, "Artifact has expired")
    if call.params["archive_format"] != "zip":
        raise not_found()
    place = f"{call.world.url}/_double/artifacts/{call.repository.full_name}/{one.id}?signature={one.digest[7:39]}"
    return Answer(302, headers={"Location": place})


def _runs(call: Call, found: list[Run]) -> Answer:
    for name, attribute in FILTERS.items():
        found = [one for one in found if call.query.get(name) in (None, getattr(one, attribute))]
    found = [one for one in found if call.query.get("status") in (None, one.status, one.conclusion)]
    return call.page(found[::-1], lambda one: views_actions.run(call.world, call.repository, one), "workflow_runs")


def _artifacts(call: Call, found: list[Artifact]) -> Answer:
    found = [one for one in found if call.query.get("name") in (None, one.name)]
    return call.page(found[::-1], lambda one: views_actions.artifact(call.world, call.repository, one), "artifacts")


def _run(call: Call) -> Run:
    found = call.repository.runs.get(call.number("run_id"))
    if found is None:
        raise not_found()
    return found


def _artifact(call: Call) -> Artifact:
    found = call.repository.artifacts.get(call.number("artifact_id"))
    if found is None:
        raise not_found()
    return found
