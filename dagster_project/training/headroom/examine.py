"""Better data or a better model? Three examinations of the chosen candidate, their fits beside each other."""

import time
from collections.abc import Callable, Mapping, Sequence

from dagster_project.domain.build import BuildRequest
from dagster_project.domain.bundle import Trial
from dagster_project.domain.families import FAMILIES
from dagster_project.domain.headroom_report import HeadroomReport, LabelNoise, LearningCurve, SourceLosses
from dagster_project.training.headroom.asked import WHOLE, Asked
from dagster_project.training.headroom.beside import fit_beside
from dagster_project.training.headroom.curve import curve_jobs, learning_curve
from dagster_project.training.headroom.fits import Fitted, Job
from dagster_project.training.headroom.noise import label_noise, noise_jobs
from dagster_project.training.headroom.sources import source_jobs, source_losses
from dagster_project.training.rows import Data

FitAll = Callable[[Sequence[Job]], Mapping[str, Fitted]]


def examine_beside(request: BuildRequest, data: Data, best: Trial) -> HeadroomReport:
    """The examination on the connected Ray, within the time budget and half of what the lease has left."""
    seconds = request.spec.headroom.time_budget.total_seconds()
    if request.ends is not None:
        seconds = min(seconds, (request.ends - time.time()) / 2)
    return examine(request, data, best, lambda jobs: fit_beside(request, best, jobs, seconds))


def examine(request: BuildRequest, data: Data, best: Trial, fit_all: FitAll) -> HeadroomReport:
    """What the spec's ``headroom`` asks of the trial. The same fits give the same report, but for its seconds."""
    began, wanted, asked = time.perf_counter(), request.spec.headroom, Asked(request, data, best)
    report = HeadroomReport(
        task=request.spec.task,
        family=best.family,
        metric=request.spec.search.metric,
        rows=data.counts["train"],
        validation=len(data.validation),
    )
    if why := hindrance(request, data, best):
        return report.model_copy(update=_none(report, asked, why))
    found = fit_all(jobs_of(asked))
    return report.model_copy(
        update={
            "curve": learning_curve(asked, found) if wanted.rows else None,
            "sources": source_losses(asked, found) if wanted.sources else None,
            "noise": label_noise(asked, found) if wanted.label_noise else None,
            "seconds": round(time.perf_counter() - began, 3),
        }
    )


def jobs_of(asked: Asked) -> list[Job]:
    """The candidate itself first, which curve and sources are held against; then what takes longest."""
    wanted = asked.spec.headroom
    jobs = [Job(WHOLE)] if wanted.rows or wanted.sources else []
    jobs += source_jobs(asked) if wanted.sources else []
    jobs += noise_jobs(asked) if wanted.label_noise else []
    return jobs + (curve_jobs(asked) if wanted.rows else [])


def hindrance(request: BuildRequest, data: Data, best: Trial) -> str:
    """Why these fits can't be repeated a dozen times; empty where they can."""
    compute = request.spec.compute
    if data.stream is not None:
        return "The train rows stream from their file, and each fit would be another whole training."
    if FAMILIES[best.family].steps and compute.gpus_per_trial:
        return f"The candidate is a network ({best.family}) trained on GPUs, and each fit would hold them again."
    if FAMILIES[best.family].steps and compute.processes > 1:
        return f"The candidate is a network ({best.family}) trained by {compute.processes} processes together."
    return ""


def _none(report: HeadroomReport, asked: Asked, why: str) -> dict[str, object]:
    wanted = asked.spec.headroom
    taken = "most recent" if asked.spec.split.by == "time" else "drawn"
    return {
        "curve": LearningCurve(taken=taken, points=(), absent=why) if wanted.rows else None,
        "sources": SourceLosses(absent=why) if wanted.sources else None,
        "noise": LabelNoise(absent=why) if wanted.label_noise else None,
    }
