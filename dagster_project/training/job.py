"""The training program: ``python -m dagster_project.training.job REQUEST``, a path or a URI.

Reads a BuildRequest, searches, takes the best, exports it and holds the graph against the estimator; leaves a bundle in
the store and a TrainingResult where the request says. It knows of no Dagster, and of no holdout.
Exit codes: 0 a bundle stands, 1 nothing fit to be one came out, 2 the request is wrong, 3 the machinery broke,
130 interrupted.
"""

import os
import sys
import traceback

from pydantic import ValidationError

from dagster_project.domain.build import BuildRequest, TrainingResult
from dagster_project.domain.bundle import BundleManifest, Parity
from dagster_project.domain.errors import BROKEN, PASSED, ActsError, UsageError
from dagster_project.inference.importances import permutation_importances
from dagster_project.inference.predictor import OnnxPredictor
from dagster_project.storage.files import location, write_atomic
from dagster_project.storage.store import ArtifactStore
from dagster_project.training.bundling import bundle_files, keep_bundle, make_manifest, with_reference
from dagster_project.training.candidate import Candidate
from dagster_project.training.ending import ending, refuse_late
from dagster_project.training.export import export
from dagster_project.training.learning import Learnt, learn
from dagster_project.training.lifetime import die_with_parent
from dagster_project.training.parity import check_parity
from dagster_project.training.planted import plant, thresholds_of
from dagster_project.training.progress import Stopwatch, display
from dagster_project.training.reference import make_reference
from dagster_project.training.rows import Data
from dagster_project.training.space import propose

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run the program; its exit code."""
    parent = os.getppid()
    die_with_parent(parent)
    try:
        request = read_request(sys.argv[1:] if arguments is None else arguments)
        write_atomic(request.result, train(request).to_json().encode())
    except ActsError as error:
        print(f"{error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted: no bundle was written", file=sys.stderr)
        return INTERRUPTED
    except Exception:  # noqa: BLE001 the machinery broke: said with its traceback, and by the exit code
        traceback.print_exc()
        return BROKEN
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


def train(request: BuildRequest) -> TrainingResult:
    """Search, refit, export, parity, bundle.

    Raises:
        RefusedError: nothing fit to be a bundle came out, or the lease ended before.
    """
    refuse_late(request)
    watch, proposals = Stopwatch(), propose(request.spec)
    with display(request.spec.search.metric, len(proposals)) as shown:
        learnt = learn(request, proposals, shown, watch)
        with ending(request):
            digest, manifest = _bundle(request, learnt, watch)
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


def _bundle(request: BuildRequest, learnt: Learnt, watch: Stopwatch) -> tuple[str, BundleManifest]:
    data, candidate = learnt.data, learnt.candidate
    with watch.stage("export"):
        model = export(candidate)
    with watch.stage("parity"):
        parity = check_export(data, candidate, model)
    files = bundle_files(model, [*learnt.trials, *learnt.baselines], parity, learnt.headroom)
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
