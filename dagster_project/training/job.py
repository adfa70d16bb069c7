"""The training program: ``python -m dagster_project.training.job REQUEST``, a path or a URI.

Reads a BuildRequest, searches, takes the best, exports it and holds the graph against the estimator; leaves a bundle in
the store and a TrainingResult where the request says. It knows of no Dagster, and of no holdout.
Exit codes: 0 a bundle stands, 1 nothing fit to be one came out, 2 the request is wrong, 3 the machinery broke,
130 interrupted.
"""

import os
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from dagster_project.domain.build import BuildRequest, TrainingResult
from dagster_project.domain.bundle import BundleManifest, Parity, Trial
from dagster_project.domain.errors import BROKEN, PASSED, ActsError, UsageError
from dagster_project.domain.lease import GpuUse
from dagster_project.inference.importances import permutation_importances
from dagster_project.inference.predictor import OnnxPredictor
from dagster_project.storage.files import location, write_atomic
from dagster_project.storage.store import ArtifactStore
from dagster_project.training.bundling import bundle_files, keep_bundle, make_manifest, with_reference
from dagster_project.training.candidate import Candidate, drift, refit, restore
from dagster_project.training.cluster import Cluster, cluster
from dagster_project.training.ending import ending
from dagster_project.training.export import export
from dagster_project.training.intake import load
from dagster_project.training.lifetime import die_with_parent
from dagster_project.training.parity import check_parity
from dagster_project.training.planted import plant, thresholds_of
from dagster_project.training.problem import Problem, pose
from dagster_project.training.progress import Display, Stopwatch, display
from dagster_project.training.reference import make_reference
from dagster_project.training.rows import Data
from dagster_project.training.search import best_trial, search
from dagster_project.training.space import Proposal, propose
from dagster_project.training.trial import Terms

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run the program; its exit code."""
    parent = os.getppid()
    die_with_parent(parent)
    try:
        request = read_request(sys.argv[1:] if arguments is None else arguments)
        result = train(request)
    except ActsError as error:
        print(f"{error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted: no bundle was written", file=sys.stderr)
        return INTERRUPTED
    except Exception:  # noqa: BLE001 the machinery broke: said with its traceback, and by the exit code
        traceback.print_exc()
        return BROKEN
    write_atomic(request.result, result.to_json().encode())
    return PASSED


def read_request(arguments: list[str]) -> BuildRequest:
    """The request that the one argument names.

    Raises:
        UsageError: there is not one argument, no such file, or no BuildRequest in it.
    """
    if len(arguments) != 1:
        raise UsageError("usage: python -m dagster_project.training.job REQUEST")
    try:
        return BuildRequest.from_json(location(arguments[0]).read_bytes())
    except (OSError, ValidationError) as error:
        raise UsageError(f"{arguments[0]}: no build request: {error}") from error


@dataclass(frozen=True)
class Learnt:
    """What the search left."""

    data: Data
    trials: list[Trial]
    candidate: Candidate
    gpu: GpuUse | None


def train(request: BuildRequest) -> TrainingResult:
    """Search, refit, export, parity, bundle.

    Raises:
        RefusedError: nothing fit to be a bundle came out, or the lease ended before.
    """
    watch, proposals = Stopwatch(), propose(request.spec)
    with display(request.spec.search.metric, len(proposals)) as shown:
        learnt = _learn(request, proposals, shown, watch)
        with ending(request):
            digest, manifest = _bundle(request, learnt.data, learnt.candidate, learnt.trials, watch)
        shown.say(f"bundle {digest}")
    return TrainingResult(
        bundle=digest,
        onnx=manifest.onnx_digest,
        family=learnt.candidate.family,
        value=learnt.candidate.value,
        trials=len(learnt.trials),
        failed=sum(trial.status == "failed" for trial in learnt.trials),
        seconds=watch.seconds,
        gpu=learnt.gpu,
    )


def _learn(request: BuildRequest, proposals: list[Proposal], shown: Display, watch: Stopwatch) -> Learnt:
    """Ray starts on this thread (its daemons live as long as it does) while another reads and prepares the rows.

    It ends before anything else runs: a reference to its objects that another thread drops meanwhile ends the process.
    """
    with ThreadPoolExecutor(1) as pool, ExitStack() as stack:
        posed = pool.submit(_pose, request, watch)
        with watch.stage("ray"):
            place = stack.enter_context(cluster(request))
        with ending(request):
            data, problem = posed.result()
            shown.say(f"{data.said}, {len(proposals)} trials")
            with watch.stage("search"):
                found = search(request, problem, proposals, place, shown)
            best = best_trial(found.trials, problem.metric)
            weights = _weights(request, place, best, data)
        with watch.stage("ray"):
            stack.close()
    shown.say(f"best: trial {best.number} {best.family}, {problem.metric} {best.value:.4f}")
    gpu = found.gpus.get(best.number)
    if gpu is None and request.spec.compute.gpus_per_trial:
        shown.say("its GPUs were not used: torch sees none where it ran, so it trained on the CPU")
    with watch.stage("refit"), ending(request):
        candidate = _take(request, problem, data, best, weights, shown)
    return Learnt(data, found.trials, candidate, gpu)


def _weights(request: BuildRequest, place: Cluster, best: Trial, data: Data) -> dict[str, Any] | None:
    """The best trial's weights, where what trained it is gone by now; None: it is trained again here."""
    compute = request.spec.compute
    kept = Terms.of(request, place.folder).checkpoints(Proposal(best.number, best.family, best.parameters))
    if kept is None or not (compute.gpus_per_trial or compute.processes > 1 or data.stream):
        return None
    return kept.load(best.steps)


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


def _pose(request: BuildRequest, watch: Stopwatch) -> tuple[Data, Problem]:
    with watch.stage("load"):
        data = load(request)
    with watch.stage("prepare"):
        return data, pose(request.spec, data)


def _bundle(
    request: BuildRequest, data: Data, candidate: Candidate, trials: list[Trial], watch: Stopwatch
) -> tuple[str, BundleManifest]:
    with watch.stage("export"):
        model = export(candidate)
    with watch.stage("parity"):
        parity = check_export(data, candidate, model)
    files = bundle_files(model, trials, parity)
    manifest = make_manifest(request, data, candidate, parity, files)
    with watch.stage("importances"):
        predictor = OnnxPredictor(model, manifest, threads=request.cpus)
        shares = permutation_importances(predictor, data.validation.columns, data.validation.labels(data.classes))
        manifest = manifest.model_copy(update={"importances": shares})
        manifest, files = with_reference(manifest, files, make_reference(predictor, data, request.restricted))
    with watch.stage("store"):
        return keep_bundle(ArtifactStore(request.store), manifest, files), manifest


def check_export(data: Data, candidate: Candidate, model: bytes) -> Parity:
    """Parity on validation rows and on rows planted for this candidate; raises what check_parity raises."""
    rows = data.validation.columns
    planted = plant(rows, data.inputs, thresholds_of(model, candidate.seen_columns()))
    return check_parity(candidate.family, model, candidate.answer, rows, planted)


if __name__ == "__main__":
    sys.exit(main())
