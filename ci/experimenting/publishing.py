"""Publishing what a run of the workflow ``experiment`` judged: bytes by digest, ledgers, Dagster, the pull request.

Nothing here parses what was built. Whether the run is main's own is asked of GitHub, and every challenge is made again.
"""

from pathlib import Path

from ci.experimenting.agenda import Evaluated, Evaluation
from ci.experimenting.challenge import Challenge, challenge
from ci.experimenting.hub import HubForge
from ci.experimenting.jobs import provenance_of
from ci.experimenting.rows import append, is_known, settled
from ci.experimenting.telling import tell_dagster
from ci.git import is_ancestor
from ci.github.outbox import read_document, take_in
from ci.github.submission import MAIN, Desk
from ci.report.model import Report
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.experimenting import ExperimentRow
from dagster_project.domain.verdict import Verdict
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.leases import LeaseLedger
from dagster_project.storage.ledger import Ledger
from dagster_project.storage.store import ArtifactStore

WORKFLOW, EVENTS = ".github/workflows/experiment.yml", ("schedule", "workflow_dispatch")


def publish(desk: Desk, token: str | None, folder: Path, digest: str, run_id: int) -> tuple[ExperimentRow, ...]:
    """Publish the outbox in ``folder``; the rows as the ledger has them. It may be killed and run again.

    Raises:
        RefusedError: the bytes are not those that were evaluated, or GitHub knows another run by that number.
    """
    document = read_document(folder, digest, Evaluation)
    _check_run(desk, document, run_id)
    workspace = Workspace(repo=desk.repo)
    store = ArtifactStore(workspace.store)
    take_in(folder, document.blobs, store)
    return tuple(_published(desk, token, document, each, store) for each in document.experiments)


def _check_run(desk: Desk, document: Evaluation, run_id: int) -> None:
    """Whether the outbox is of this run, this run is main's own, and its base is a commit of main."""
    run, tip = desk.forge.run(run_id), desk.fetch_main()
    ours = (run.workflow, run.head_branch, run.head_repository) == (WORKFLOW, MAIN, desk.forge.repository)
    if (document.run, document.repository) != (run_id, desk.forge.repository) or not ours or run.event not in EVENTS:
        raise RefusedError(f"run {run_id} is of {run.workflow} on {run.head_branch}: nothing is taken from it.")
    base = document.agenda.base
    if base != tip and not is_ancestor(desk.repo, base, tip):
        raise RefusedError(f"{base[:12]} is no commit of {MAIN}: nothing is taken from run {run_id}.")


def _published(
    desk: Desk, token: str | None, document: Evaluation, each: Evaluated, store: ArtifactStore
) -> ExperimentRow:
    workspace, agenda = Workspace(repo=desk.repo), document.agenda
    tried = challenge(desk.repo, agenda.base, each.row.model, agenda.item(each.row.model).due, agenda.now)
    row = each.row
    if each.verdict and each.report:
        verdict = Verdict.from_json(store.get(each.verdict))
        if (verdict.base, verdict.head, verdict.subject.name) != (tried.base, tried.head, tried.model):
            raise RefusedError(f"the verdict on {tried.model} is of {str(verdict.head)[:12]}: nothing is taken.")
        if verdict.challenger:
            _vouch(workspace, desk.forge.run(document.run).url, each, tried, verdict.challenger, store)
        known = is_known(workspace, row)
        report = Report.from_json(store.get(each.report))
        row = settled(row, tried, verdict, report, store, HubForge(desk, token))
        if workspace.shares_dagster and not known:
            tell_dagster(workspace, tried, row, verdict)
    append(workspace, row)
    return row


def _vouch(
    workspace: Workspace, run_url: str, each: Evaluated, tried: Challenge, bundle: str, store: ArtifactStore
) -> None:
    """Who stands for the bundle, and what it took; once for each run."""
    ledger = Ledger(workspace.ledger, "provenance")
    if (bundle, run_url) in {(row.get("bundle"), row.get("run")) for row in ledger.rows()}:
        return
    ledger.append(provenance_of(store, bundle, tried, run_url).model_dump(mode="json"))
    if each.lease:
        LeaseLedger(workspace.ledger).add(each.lease)
    if each.cost:
        Ledger(workspace.ledger, "builds").append(each.cost)
