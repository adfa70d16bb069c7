"""The jobs of the workflow ``experiment``: what is due; judged as data, without a secret; published by digest.

All of them run main's code on main's declarations. What a build says of itself can make its verdict fail, never pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ci.experimenting.agenda import Agenda, Evaluated, Evaluation, Item
from ci.experimenting.answer import Answer, answered
from ci.experimenting.asking import look, models_asked
from ci.experimenting.bench import LAUNCHER
from ci.experimenting.challenge import Challenge, challenge, reported, spent
from ci.experimenting.rows import broken_row, row_of
from ci.forge.github import GitHub
from ci.git import GitTree
from ci.github.builds import BUNDLE, MOST_ZIP, builds_of, unpack
from ci.github.outbox import write_outbox
from ci.judging.run import Judged, cost_row, measured
from ci.judging.snapshots import snapshot_of
from ci.pull_request import write_pages
from dagster_project.domain.base import canonical_json
from dagster_project.domain.build import BuildResult
from dagster_project.domain.bundle import Provenance
from dagster_project.domain.errors import MachineryError, RefusedError
from dagster_project.domain.experimenting import Cause, Due
from dagster_project.domain.loading import load_repository
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.bundles import load_manifest
from dagster_project.storage.store import ArtifactStore


@dataclass(frozen=True)
class RunBench:
    """Builds are what the run's jobs left as artifacts; ``run_url`` stands for them."""

    forge: GitHub
    run: int
    run_url: str
    folder: Path

    def build(self, tried: Challenge) -> BuildResult:
        """Taken in by name. Raises ``MachineryError`` where the run left none, or another's."""
        artifact = builds_of(self.forge, self.run).get(f"model {tried.model}")
        if artifact is None:
            raise MachineryError(f"the run left no build of {tried.model}. Look at {self.run_url}, and run it again.")
        result = unpack(self.forge.download(artifact, MOST_ZIP), self.folder / tried.model)
        if (result.kind, result.name) != ("model", tried.model):
            raise MachineryError(f"the build of {tried.model} says that it is of {result.kind} {result.name}.")
        return result

    def judge(self, tried: Challenge, built: BuildResult) -> Judged:
        """On rows of this job's own."""
        store = ArtifactStore.of(tried.session.workspace)

        def vouch(bundle: str) -> Provenance:
            return provenance_of(store, bundle, tried, self.run_url)

        return measured(tried.session, tried.model, self.folder / tried.model / BUNDLE, vouch, built.lease)


def provenance_of(store: ArtifactStore, bundle: str, tried: Challenge, run_url: str) -> Provenance:
    """What is written down of a bundle that a run of the workflow built."""
    manifest = load_manifest(store, bundle)
    return Provenance(
        bundle=bundle,
        build_key=manifest.build_key,
        model=manifest.model,
        commit=tried.head,
        snapshot=manifest.snapshot,
        environment=manifest.environment_digest,
        run=run_url,
        launcher=LAUNCHER,
    )


def agenda_of(repo: Path, base: str, now: datetime, model: str | None, cause: Cause | None) -> tuple[Agenda, list[str]]:
    """What is due on ``base``, and why nothing is of the rest. A spent holdout needs no build."""
    workspace, tree = Workspace(repo=repo), GitTree(repo, base)
    known = load_repository(tree)
    looks = [look(workspace, known, name, now, cause) for name in models_asked(known, model)]
    wanted = [(each.model, each.due) for each in looks if each.due]
    items = tuple(Item(model=name, due=due, build=_may(repo, tree.commit, name, due, now)) for name, due in wanted)
    return Agenda(base=tree.commit, now=now, items=items), [f"{e.model}: {e.words}" for e in looks if not e.due]


def _may(repo: Path, base: str, model: str, due: Due, now: datetime) -> bool:
    """Whether anything can be said of a challenger; the job that judges says why where not."""
    tried = challenge(repo, base, model, due, now)
    spec = tried.session.head.specs[model]
    try:
        return not spent(tried, snapshot_of(spec.contract.name, tried.session.head, tried.session.workspace))
    except RefusedError:
        return False


def evaluate(forge: GitHub, repo: Path, agenda: Agenda, run: tuple[int, str], out: Path, pages: Path) -> str:
    """Judge what the run built of the agenda; leave the outbox in ``out`` and reports in ``pages``. Its digest."""
    store = ArtifactStore.of(Workspace(repo=repo))
    found = []
    for item in agenda.items:
        tried = challenge(repo, agenda.base, item.model, item.due, agenda.now)
        try:
            answer = answered(tried, RunBench(forge, *run, out.with_name(f"{out.name}-builds")))
            found.append(_evaluated(tried, answer, store, pages / item.model, run[1]))
        except (MachineryError, RefusedError) as error:
            found.append(Evaluated(row=broken_row(tried, str(error))))
    document = Evaluation(repository=forge.repository, run=run[0], agenda=agenda, experiments=tuple(found))
    return write_outbox(out, document.model_copy(update={"blobs": _blobs(store, found)}), store)


def _evaluated(tried: Challenge, answer: Answer, store: ArtifactStore, pages: Path, page: str) -> Evaluated:
    report = reported(tried, answer.judged, answer.build)
    write_pages(store, report, [answer.judged], pages)
    return Evaluated(
        row=row_of(tried, answer, page),
        verdict=store.put(canonical_json(answer.judged.verdict.model_dump(mode="json"))),
        report=store.put(report.to_json().encode()),
        cost=cost_row(answer.judged) if answer.build else None,
        lease=answer.build.lease if answer.build else None,
    )


def _blobs(store: ArtifactStore, found: Sequence[Evaluated]) -> tuple[str, ...]:
    named = {digest for each in found for digest in (each.verdict, each.report) if digest}
    return tuple(sorted(named.union(store.own_digests())))
