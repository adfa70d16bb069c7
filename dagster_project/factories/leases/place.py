"""What a place has to do for a lease, and the one way through it: begun, trained, released, written down."""

import signal
import time
import uuid
from dataclasses import dataclass
from typing import Protocol

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError  # not among Dagster's public names
from dagster._utils.interrupts import capture_interrupts

from dagster_project.domain.build import BuildRequest, TrainingResult
from dagster_project.domain.compute import Compute, Profiles
from dagster_project.domain.errors import REFUSED, USER_ERROR, MachineryError, RefusedError, UsageError
from dagster_project.domain.estimates import HINT, estimate
from dagster_project.domain.lease import GpuUse, Lease, LeaseEnd, NodeUse, Outcome, amount_of, new_lease
from dagster_project.storage.leases import LeaseLedger

CRASHES = frozenset((signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT))
_LONGEST_NAME = 27  # with a dash and twelve digits the id has at most 40 characters
_LONGEST_REASON = 500


@dataclass(frozen=True)
class Released:
    """What a lease took. ``outcome`` and ``reason`` where the place itself ended it."""

    nodes: tuple[NodeUse, ...]
    last_gone: float | None
    outcome: Outcome | None = None
    reason: str = ""


class Place(Protocol):
    """Machines that are there for a lease, and not after it."""

    def train(self, lease: Lease, request: BuildRequest) -> TrainingResult:
        """Acquire what the lease asks for, run the training program, take its bundle into the request's store.

        Raises:
            RefusedError: the program said no, or the lease's deadline or ceiling was reached.
            UsageError: it found something wrong in the user's files.
            MachineryError: it broke, or no machine came.
        """
        ...

    def release(self, lease: Lease, *, hurry: bool) -> Released:
        """Let go of everything, however far it came; ``hurry``: don't wait long until the last machine is gone."""
        ...


def begin(model: str, build_key: str, run: str, compute: Compute, profiles: Profiles) -> Lease:
    """A lease that begins now, under an id of its own."""
    identity = f"{model[:_LONGEST_NAME].replace('_', '-').rstrip('-')}-{uuid.uuid4().hex[:12]}"
    return new_lease(identity, model, compute, profiles, time.time(), build_key, run)


def check_ceiling(model: str, compute: Compute, profiles: Profiles, leases: LeaseLedger) -> None:
    """Ask the ledger whether the build would cross its ceiling.

    Raises:
        RefusedError: it would, so it isn't started.
    """
    expected = estimate(model, compute, profiles, leases.ends())
    if expected and expected.crosses:
        raise RefusedError(f"Not started: {expected.refusal(model)} {HINT}")


def train_within(
    place: Place, lease: Lease, request: BuildRequest, leases: LeaseLedger, currency: str, log: dg.DagsterLogManager
) -> tuple[TrainingResult, LeaseEnd]:
    """Train in ``place``; the result, and what it took, which is in the ledger however it ends."""
    leases.begin(lease)
    try:
        result = place.train(lease, request)
    except BaseException as error:
        _end(place, lease, leases, currency, log, error)
        raise
    return result, _end(place, lease, leases, currency, log, gpu=result.gpu)


def _end(
    place: Place,
    lease: Lease,
    leases: LeaseLedger,
    currency: str,
    log: dg.DagsterLogManager,
    error: BaseException | None = None,
    gpu: GpuUse | None = None,
) -> LeaseEnd:
    """Release, and write down; a second Ctrl-C meanwhile leaves no machines behind."""
    with capture_interrupts():
        outcome = _outcome_of(error)
        done = _released(place, lease, outcome == "interrupted", log)
        words = (" ".join(str(error).split())[:_LONGEST_REASON] if error else "", done.reason)
        end = LeaseEnd(
            lease=lease,
            outcome=done.outcome or outcome if error else outcome,
            reason="; ".join(word for word in words if word),
            nodes=done.nodes,
            last_gone=done.last_gone,
            gpu=gpu,
            amount=round(amount_of(done.nodes), 6),
            currency=currency,
        )
        leases.end(end)
    log.info(f"lease {lease.id} {end.outcome}: {end.what}, {end.amount:,.2f} {end.currency}")
    return end


def _released(place: Place, lease: Lease, hurry: bool, log: dg.DagsterLogManager) -> Released:
    """What the place says; where releasing breaks, that: the row is written whatever happens."""
    try:
        return place.release(lease, hurry=hurry)
    except Exception as error:  # noqa: BLE001 - whatever it was, it is in the ledger and in the log
        log.warning(f"lease {lease.id}: releasing it broke: {error!r}. Run acts compute reap.")
        return Released((), None, reason=f"releasing it broke, so nothing is known of its machines: {error!r}")


def reason_of(code: int) -> Exception:
    """What the training program's exit code means."""
    crash = crash_of(code)
    words = (
        f"The training program ended with exit code {code}{f' ({crash})' if crash else ''}. Its last lines are above."
    )
    return {REFUSED: RefusedError(words), USER_ERROR: UsageError(words)}.get(code, MachineryError(words))


def crash_of(code: int) -> str:
    """Name of the signal by which a program crashes, where one did; the code is subprocess's or a shell's."""
    number = -code if code < 0 else code - 128
    return signal.Signals(number).name if number in CRASHES else ""


def end_of(lease: Lease, now: float) -> tuple[Outcome | None, str]:
    """Whether the lease's end was reached, and which: on one machine the ceiling is a time too."""
    if now < lease.ends:
        return None, ""
    early = lease.ends < lease.begun + lease.compute.deadline.total_seconds()
    return ("ceiling", "the cost ceiling was reached") if early else ("deadline", "the deadline was reached")


def _outcome_of(error: BaseException | None) -> Outcome:
    if error is None:
        return "succeeded"
    stopped = isinstance(error, KeyboardInterrupt | DagsterExecutionInterruptedError)
    return "interrupted" if stopped else "failed"
