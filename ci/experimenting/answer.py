"""What is said of a challenger: the verdict on it, or on why none was built."""

from dataclasses import dataclass

from ci.experimenting.bench import Bench
from ci.experimenting.challenge import Challenge, refusal, refused, spent
from ci.judging.run import Judged
from ci.judging.snapshots import snapshot_of
from dagster_project.domain.build import BuildResult
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.snapshot import Snapshot
from dagster_project.domain.verdict import Outcome, Verdict


@dataclass(frozen=True)
class Answer:
    """What was said of a challenger, and from what."""

    judged: Judged
    build: BuildResult | None = None
    snapshot: Snapshot | None = None
    labelled: int | None = None
    waiting: bool = False


def answered(tried: Challenge, bench: Bench) -> Answer:
    """The verdict: on a challenger, or on why none was built.

    Raises:
        MachineryError: something broke, so nothing has been decided.
    """
    from dagster_project.data.labelled import labelled_rows

    session = tried.session
    spec, workspace = session.head.specs[tried.model], session.workspace
    try:
        snapshot = snapshot_of(spec.contract.name, session.head, workspace)
        labelled = labelled_rows(snapshot, spec.target)
        why = spent(tried, snapshot)
    except RefusedError as error:
        return Answer(unmeasured(refusal(tried, [refused("data", str(error))])))
    if why:
        found = refused("holdout budget", why, "Nothing is built until then.")
        return Answer(unmeasured(refusal(tried, [found], snapshot)), None, snapshot, labelled, waiting=True)
    try:
        built = bench.build(tried)
    except RefusedError as error:  # its ceiling or its deadline, before or on the way
        return Answer(unmeasured(refusal(tried, [refused("build", str(error))], snapshot)), None, snapshot, labelled)
    if built.outcome == "failed":
        stopped = [finding for finding in built.findings if finding.outcome in (Outcome.FAILED, Outcome.BROKEN)]
        findings = stopped or [refused("build", "The build was refused.")]
        return Answer(unmeasured(refusal(tried, findings, built.snapshot)), built, snapshot, labelled)
    return Answer(bench.judge(tried, built), built, snapshot, labelled)


def unmeasured(verdict: Verdict) -> Judged:
    """A verdict that took no time and left no pages."""
    return Judged(verdict, {}, 0.0)
