"""From a request to the best trial's candidate: rows and Ray beside each other, the search, and what it found."""

import importlib
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple

from dagster_project.domain.build import BuildRequest
from dagster_project.domain.bundle import Trial
from dagster_project.domain.headroom_report import HeadroomReport
from dagster_project.domain.headroom_words import next_gain
from dagster_project.domain.lease import GpuUse
from dagster_project.storage.store import ArtifactStore
from dagster_project.training.baselines import baseline_trials, unbeaten
from dagster_project.training.candidate import Candidate, drift, refit, restore
from dagster_project.training.cluster import Cluster, cluster
from dagster_project.training.ending import ending
from dagster_project.training.intake import load
from dagster_project.training.problem import Problem, pose
from dagster_project.training.progress import Display, Stopwatch, describe
from dagster_project.training.rows import Data
from dagster_project.training.search import best_trial, search
from dagster_project.training.space import Proposal
from dagster_project.training.trial import Terms


class Posed(NamedTuple):
    """The rows, the search's problem, and what its trials have to beat."""

    data: Data
    problem: Problem
    baselines: list[Trial]


@dataclass(frozen=True)
class Learnt:
    """What the search left. ``baselines`` are what its trials had to beat."""

    data: Data
    trials: list[Trial]
    baselines: list[Trial]
    candidate: Candidate
    gpu: GpuUse | None
    headroom: HeadroomReport | None = None


def learn(request: BuildRequest, proposals: list[Proposal], shown: Display, watch: Stopwatch) -> Learnt:
    """Search, and take the best.

    Ray starts on this thread (its daemons live as long as it does) while another reads and prepares the rows.

    It ends before anything else runs: a reference to its objects that another thread drops meanwhile ends the process.

    Raises:
        RefusedError: no trial has a value, or the lease ended before.
        MachineryError: Ray did not start, or the best trial's weights are gone.
    """
    with ThreadPoolExecutor(1) as pool, ExitStack() as stack:
        posed: list[Future[Posed]] = []
        with watch.stage("ray"):
            given = (request, watch, len(proposals))
            place = stack.enter_context(cluster(request, lambda: posed.append(pool.submit(_pose, *given))))
        with ending(request):
            data, problem, baselines = posed[0].result()
            shown.say(f"{data.said}, {len(proposals)} trials")
            for each in baselines:
                shown.say(describe(each, problem.metric))
            with watch.stage("search"):
                found = search(request, problem, proposals, place, shown)
            best = best_trial(found.trials, problem.metric)
            weights = _weights(request, place, best)
            report = _headroom(request, data, best, watch)
        with watch.stage("ray"):
            stack.close()
    shown.say(f"best: trial {best.number} {best.family}, {problem.metric} {best.value:.4f}")
    words = unbeaten(best, baselines, problem.metric)
    if words is not None:
        shown.say(words)
    if report is not None:
        shown.say(next_gain(report))
    gpu = found.gpus.get(best.number)
    if gpu is None and request.spec.compute.gpus_per_trial:
        shown.say("its GPUs were not used: torch sees none where it ran, so it trained on the CPU")
    with watch.stage("refit"), ending(request):
        candidate = _take(request, problem, data, best, weights, shown)
    return Learnt(data, found.trials, baselines, candidate, gpu, report)


def _weights(request: BuildRequest, place: Cluster, best: Trial) -> dict[str, Any] | None:
    """The best trial's weights, where it trained in steps; None: it is trained again here."""
    kept = Terms.of(request, place.folder).checkpoints(Proposal(best.number, best.family, best.parameters))
    return kept.load(best.steps) if kept else None


def _headroom(request: BuildRequest, data: Data, best: Trial, watch: Stopwatch) -> HeadroomReport | None:
    """Imported by name, so that it is no part of a build that does not ask for it."""
    if not request.spec.headroom.on:
        return None
    module = importlib.import_module(f"{__package__}.headroom.examine")
    with watch.stage("headroom"):
        report: HeadroomReport = module.examine_beside(request, data, best)
    return report


def _take(
    request: BuildRequest, problem: Problem, data: Data, best: Trial, weights: dict[str, Any] | None, shown: Display
) -> Candidate:
    if weights is None:
        return refit(problem, data, best, request.cpus)
    candidate = restore(problem, data, best, weights)
    words = drift(best, candidate)
    if words is not None:
        shown.say(words)
    return candidate


def _pose(request: BuildRequest, watch: Stopwatch, trials: int) -> Posed:
    spec = request.spec
    with watch.stage("load"):
        data = load(request)
    with watch.stage("prepare"):
        problem = pose(spec, data, _pretrained(request))
    with watch.stage("baselines"):
        return Posed(data, problem, baseline_trials(spec, data, problem.positive, trials))


def _pretrained(request: BuildRequest) -> dict[str, bytes]:
    store = ArtifactStore(request.store)
    return {each.weights.digest: store.get(each.weights.digest) for each in request.spec.candidates if each.weights}
