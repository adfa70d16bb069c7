"""Check runs and check suites: written by Apps only."""

from typing import Any

from tests.github import rules, views_checks
from tests.github.exchange import Answer, Call, GitHubError, invalid, not_found, operation
from tests.github.world import App, CheckRun, now


@operation("POST REPO/check-runs", "checks")
def create(call: Call) -> Answer:
    """A new one. Several may have one name: the newest counts."""
    asked, app = call.json, _app(call)
    if call.bare.kind(asked["head_sha"]) != "commit":
        raise GitHubError(422, f"No commit found for SHA: {asked['head_sha']}")
    suite = call.repository.suites.setdefault((asked["head_sha"], app.id), call.world.next_id())
    run = CheckRun(
        call.world.next_id(),
        app,
        suite,
        asked["name"],
        asked["head_sha"],
        "queued",
        None,
        "",
        None,
        now(),
        None,
        {},
        [],
    )
    _write(run, asked)
    call.repository.checks[run.id] = run
    return Answer(201, views_checks.check(call.world, call.repository, run))


@operation("PATCH REPO/check-runs/{check_run_id}", "checks")
def update(call: Call) -> Answer:
    """Another state, by the App that made it; annotations are added to those that are there."""
    run = _run(call)
    if run.app is not _app(call):
        raise GitHubError(
            403,
            f"Invalid app_id `{_app(call).id}` - check run can only be modified by the GitHub App that created it.",
        )
    _write(run, call.json)
    return Answer(200, views_checks.check(call.world, call.repository, run))


@operation("GET REPO/check-runs/{check_run_id}", "checks")
def check(call: Call) -> Answer:
    """One."""
    return Answer(200, views_checks.check(call.world, call.repository, _run(call)))


@operation("GET REPO/check-runs/{check_run_id}/annotations", "checks")
def annotations(call: Call) -> Answer:
    """Its annotations, in their order."""
    run = _run(call)
    return call.page(run.annotations, lambda one: views_checks.annotation(call.world, call.repository, run, one))


@operation("GET REPO/commits/{ref}/check-runs", "checks")
def of_commit(call: Call) -> Answer:
    """Newest first; the newest of each App and name unless all are asked for."""
    return _list(call, [run for run in call.repository.checks.values() if run.head == call.commit()])


@operation("GET REPO/check-suites/{check_suite_id}/check-runs", "checks")
def of_suite(call: Call) -> Answer:
    """The same for one suite."""
    number = call.number("check_suite_id")
    if number not in call.repository.suites.values():
        raise not_found()
    return _list(call, [run for run in call.repository.checks.values() if run.suite == number])


@operation("GET REPO/commits/{ref}/check-suites", "checks")
def suites(call: Call) -> Answer:
    """One for each App."""
    sha, wanted = call.commit(), call.query.get("app_id")
    found = [
        (app, id) for (head, app), id in call.repository.suites.items() if head == sha and wanted in (None, str(app))
    ]
    return call.page(found, lambda one: views_checks.suite(call.world, call.repository, sha, *one), "check_suites")


def _list(call: Call, runs: list[CheckRun]) -> Answer:
    if call.query.get("filter", "latest") == "latest":
        newest = {id(run) for head in {run.head for run in runs} for run in rules.latest_checks(call.repository, head)}
        runs = [run for run in runs if id(run) in newest]
    tests = {
        "check_name": lambda run: run.name,
        "status": lambda run: run.status,
        "app_id": lambda run: str(run.app.id),
    }
    for name, value in tests.items():
        runs = [run for run in runs if call.query.get(name) in (None, value(run))]
    runs = sorted(runs, key=lambda run: -run.id)
    return call.page(runs, lambda run: views_checks.check(call.world, call.repository, run), "check_runs")


def _write(run: CheckRun, asked: dict[str, Any]) -> None:
    for name in ("name", "external_id", "details_url", "started_at"):
        setattr(run, name, asked.get(name, getattr(run, name)))
    run.conclusion = asked.get("conclusion", run.conclusion)
    run.status = asked.get("status", "completed" if "conclusion" in asked else run.status)
    if run.status == "completed" and run.conclusion is None:
        raise invalid("CheckRun", "conclusion", "missing_field")
    if run.status != "completed":
        run.conclusion = None
    run.completed_at = asked.get("completed_at", now()) if run.status == "completed" else None
    _write_output(run, asked.get("output") or {})


def _write_output(run: CheckRun, output: dict[str, Any]) -> None:
    run.output |= {name: output[name] for name in ("title", "summary", "text") if name in output}
    run.annotations += output.get("annotations", [])


def _app(call: Call) -> App:
    if call.by.app is None:
        raise GitHubError(403, "You must authenticate via a GitHub App.")
    return call.by.app


def _run(call: Call) -> CheckRun:
    found = call.repository.checks.get(call.number("check_run_id"))
    if found is None:
        raise not_found()
    return found
