"""``acts pr``: check, plan, build, judge and report, as the plan says and nothing else."""

import difflib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import click

from ci.git import is_dirty, resolve
from ci.judging.run import Judged, judge
from ci.options import say
from ci.planning import make_plan
from ci.programs import record, run_build
from ci.report.files import as_terminal, mark_latest, write_report
from ci.report.model import InDagster, Links, Proposal, Report, lineage_of
from ci.session import DECLARATIONS, Session, open_session
from dagster_project.domain.build import BuildResult
from dagster_project.domain.dagster_ui import ui_of
from dagster_project.domain.errors import MachineryError, RefusedError, UserFileError
from dagster_project.domain.facts import Cost
from dagster_project.domain.lock_changes import lock_file
from dagster_project.domain.plan import Plan, PlanStep
from dagster_project.domain.promotion import champion_lock, lock_text
from dagster_project.domain.repository import Tree
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.bundles import load_manifest
from dagster_project.storage.files import write_atomic
from dagster_project.storage.store import ArtifactStore


@dataclass
class Progress:
    """What came of the plan's steps so far."""

    builds: list[BuildResult] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    @property
    def stopped(self) -> bool:
        """Whether later steps have nothing to stand on."""
        return bool(self.broken) or any(build.outcome == "failed" for build in self.builds)


def run_pull_request(repo: Path, base: str | None, *, quiet: bool = False) -> tuple[Workspace, Report, list[Judged]]:
    """The whole way of a pull request on this machine; problems in files are in the report, not raised."""
    ui_of(os.environ)  # a wrong address is told now, not after hours of work
    try:
        plan = make_plan(repo, base)
        if plan.refused:
            return Workspace(repo=repo), refused_report(repo, plan), []
        session = open_session(repo, base)
    except UserFileError as error:
        return Workspace(repo=repo), Report(created=datetime.now(UTC), problems=tuple(error.problems)), []
    done = Progress()
    for step in plan.steps:
        if done.stopped:
            break
        say(f"{step.action} {step.kind} {step.name}: {'; '.join(step.reasons)}") if not quiet else None
        _run(step, session, done, quiet)
    return session.workspace, report_of(session, plan, done), done.judged


def _run(step: PlanStep, session: Session, done: Progress, quiet: bool) -> None:
    started = time.perf_counter()
    try:
        if step.action == "build":
            done.builds.append(run_build(session.workspace, step.kind, step.name, quiet=quiet))
        else:
            done.judged.append(judge(session, step.name))
    except (MachineryError, RefusedError) as error:
        done.broken.append(f"{step.action} {step.name}: {error}")
    done.timings[f"{step.action} {step.name}"] = round(time.perf_counter() - started, 3)


def refused_report(repo: Path, plan: Plan) -> Report:
    """The report of a plan that was refused outright: its head need not load, since it may break what it left alone."""
    commits = {"base": plan.base, "head": resolve(repo, "HEAD")}
    dirty = is_dirty(repo, DECLARATIONS)
    return Report(created=datetime.now(UTC), repository=repo.name, dirty=dirty, plan=plan, **commits)


def report_of(session: Session, plan: Plan | None = None, done: Progress | None = None) -> Report:
    """One report of everything that was done."""
    done = done or Progress()
    verdicts = tuple(judged.verdict for judged in done.judged)
    touched = {step.name for step in plan.steps} if plan else {v.subject.name for v in verdicts}
    return Report(
        created=datetime.now(UTC),
        repository=session.workspace.repo.name,
        base=session.commits.base,
        head=session.commits.head,
        dirty=session.dirty,
        plan=plan,
        builds=tuple(done.builds),
        verdicts=verdicts,
        broken=tuple(done.broken),
        proposals=proposals(session, done.judged),
        lineage=lineage_of(session.head, frozenset(touched)),
        timings=done.timings,
        cost=_cost(done.builds),
        links=Links(
            bundles={b.name: b.bundle for b in done.builds if b.bundle},
            suites={_title(j): {suite: _page(j, suite) for suite in j.pages} for j in done.judged},
            dagster=InDagster.of(ui_of(os.environ), done.builds, verdicts),
        ),
    )


def _cost(builds: Sequence[BuildResult]) -> Cost | None:
    """What machines cost in all; None where they cost nothing."""
    leases = [build.lease for build in builds if build.lease and build.lease.amount > 0]
    if not leases:
        return None
    return Cost(amount=sum(lease.amount for lease in leases), currency=leases[0].currency)


def proposals(session: Session, judged: Sequence[Judged]) -> tuple[Proposal, ...]:
    """The lock that ``acts promote`` would write for every challenger that may be promoted, as a diff."""
    store = ArtifactStore.of(session.workspace)
    found = []
    for verdict in (j.verdict for j in judged if j.verdict.promotable):
        name, file = verdict.subject.name, lock_file(verdict.subject.name)
        manifest = load_manifest(store, str(verdict.challenger))
        new = lock_text(champion_lock(verdict, manifest, session.commits.head))
        old = _text(session.tree, file)
        lines = difflib.unified_diff(old.splitlines(True), new.splitlines(True), f"a/{file}", f"b/{file}")
        found.append(Proposal(model=name, file=file, diff="".join(lines)))
    return tuple(found)


def _text(tree: Tree, path: str) -> str:
    """A file's text; empty where there is none."""
    try:
        return tree.read(path).decode()
    except FileNotFoundError:
        return ""


def publish(workspace: Workspace, report: Report, judged: Sequence[Judged], *, as_json: bool) -> None:
    """Write the report's folder, tell Dagster, and print the report."""
    folder = workspace.reports / f"{report.created:%Y%m%dT%H%M%S%f}"
    verdicts, page = write_pages(ArtifactStore.of(workspace), report, judged, folder)
    mark_latest(folder)
    if verdicts:
        record(workspace, *verdicts)
    if as_json:
        click.echo(report.to_json(), nl=False)
    else:
        click.echo(as_terminal(report))
        say(f"Report: {page}")


def write_pages(
    store: ArtifactStore, report: Report, judged: Sequence[Judged], folder: Path
) -> tuple[list[Path], Path]:
    """The report, its verdicts and the suites' pages in ``folder``; the verdicts' files, and the page to open."""
    verdicts = [folder / f"verdict-{_slug(j)}.json" for j in judged]
    for path, each in zip(verdicts, judged, strict=True):
        write_atomic(path, each.verdict.to_json().encode())
        for suite, digest in each.pages.items():
            write_atomic(folder / _page(each, suite), store.get(digest))
    return verdicts, write_report(report, folder)


def _title(judged: Judged) -> str:
    return f"{judged.verdict.subject.kind} {judged.verdict.subject.name}"


def _slug(judged: Judged) -> str:
    return _title(judged).replace(" ", "-")


def _page(judged: Judged, suite: str) -> str:
    return f"suites/{_slug(judged)}/{suite}.html"
