"""One challenger: the commit that declares it, its build, and its verdict by the rules of the commit below it."""

import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ci.experimenting.commits import commit_files
from ci.git import GitTree
from ci.judging.budget import outlook
from ci.judging.run import Judged
from ci.planning import make_plan
from ci.pull_request import Progress, report_of
from ci.report.model import Report
from ci.session import DECLARATIONS, Session, open_commits
from dagster_project.domain.build import BuildResult
from dagster_project.domain.decide import Case, decide
from dagster_project.domain.experimenting import Due, branch_of
from dagster_project.domain.snapshot import Snapshot
from dagster_project.domain.spec_changes import compare_specs, spec_file
from dagster_project.domain.spec_edits import widened
from dagster_project.domain.trust import judging_rules
from dagster_project.domain.verdict import Finding, Measurements, Outcome, Subject, Verdict
from dagster_project.storage.files import write_atomic
from dagster_project.storage.store import ArtifactStore

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Challenge:
    """What is tried: ``session`` holds the base, whose rules judge, and the head, which declares the challenger."""

    model: str
    due: Due
    now: datetime
    session: Session
    begun: float = field(default_factory=time.perf_counter)

    @property
    def base(self) -> str:
        """Commit of the base."""
        return str(self.session.commits.base)

    @property
    def head(self) -> str:
        """Commit that declares the challenger: the base, or the wider search on top of it."""
        return str(self.session.commits.head)

    @property
    def changes(self) -> tuple[str, ...]:
        """What the head declares otherwise."""
        before, after = (side.specs[self.model] for side in (self.session.base, self.session.head))
        return tuple(change.what for change in compare_specs(before, after))


def challenge(repo: Path, base: str, model: str, due: Due, now: datetime) -> Challenge:
    """The challenge of ``model`` on commit ``base``: the same one, whenever it is made again.

    Raises:
        UserFileError: a file of the base is wrong, or the wider search can't be written into the spec.
    """
    return Challenge(model, due, now, open_commits(repo, base, declared_head(repo, base, model, now)))


def declared_head(repo: Path, base: str, model: str, now: datetime) -> str:
    """The commit that is built: what is built is what the pull request's files will say."""
    session = open_commits(repo, base, base)
    path = spec_file(model)
    text = session.tree.read(path).decode()
    edited = widened(text, session.base.specs[model])
    if edited == text:
        return base
    message = f"feat(models): search wider for {model}\n\nAs its experiment declares.\n"
    return commit_files(repo, base, [base], {path: edited.encode()}, message, now)


def write_declarations(repo: Path, commit: str, folder: Path) -> None:
    """Contracts and models of a commit as files, for the program that builds."""
    tree = GitTree(repo, commit)
    for path in (path for part in DECLARATIONS for path in tree.paths(part)):
        write_atomic(folder / path, tree.read(path))


def spent(tried: Challenge, snapshot: Snapshot) -> str:
    """Why the holdout answers nothing more now; empty where it does, or where no gate asks it."""
    from dagster_project.data.splits import read_part

    session = tried.session
    rules = judging_rules(tried.model, session.base, session.head)
    if not any(getattr(gate, "rows", None) == "holdout" for gate in rules.gates):
        return ""
    holdout = read_part(rules.spec, rules.contract, snapshot, "holdout")
    store = ArtifactStore.of(session.workspace)
    answer = outlook(session.workspace, store, rules.spec, rules.contract, holdout)
    return "" if answer.granted else answer.reason


def refusal(tried: Challenge, checks: "Iterable[Finding]", snapshot: Snapshot | None = None) -> Verdict:
    """The verdict where nothing came to be measured."""
    lock = tried.session.base.locks.get(tried.model)
    case = Case(
        subject=Subject(kind="model", name=tried.model),
        champion=lock.onnx if lock else None,
        snapshot=snapshot.digest if snapshot else None,
        base=tried.base,
        head=tried.head,
    )
    return decide((), Measurements(checks=tuple(checks)), case)


def refused(name: str, summary: str, hint: str = "") -> Finding:
    """A finding that says no."""
    return Finding(name=name, source="trust", outcome=Outcome.FAILED, summary=summary, hint=hint)


def reported(tried: Challenge, judged: Judged, build: BuildResult | None) -> Report:
    """The report of a challenge, as of a pull request. What ran is not what a plan says, so its steps are left out."""
    repo, plan = tried.session.workspace.repo, None
    if tried.head != tried.base:
        plan = make_plan(repo, tried.base, tried.head).model_copy(update={"steps": ()})
    done = Progress(builds=[build] if build else [], judged=[judged])
    report = report_of(tried.session, plan, done)
    return report.model_copy(update={"notes": (_next(tried, judged.verdict),)})


def _next(tried: Challenge, verdict: Verdict) -> str:
    end = f"Merge {branch_of(tried.model)} to promote it." if verdict.promotable else "There is nothing to merge."
    return f"An experiment tried this, because: {'; '.join(tried.due.reasons)}. {end}"
