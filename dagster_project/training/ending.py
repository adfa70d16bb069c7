"""The lease's end: the program ends itself then, on the way that every other end takes."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from dagster_project.domain.build import BuildRequest
from dagster_project.domain.errors import RefusedError

_SOON = 1e-3
_AGAIN = 5.0  # seconds, should a library keep the first for itself


class _Over(BaseException):
    """No library's ``except Exception`` takes it for a failure of its own."""


class _Bell:
    """The handler of the alarm."""

    rung = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.rung = True
        raise _Over


@contextmanager
def ending(request: BuildRequest) -> Iterator[None]:
    """What runs inside ends with the lease. Enter it on the main thread.

    Raises:
        RefusedError: the lease is over; the message says what to change.
    """
    if request.ends is None:
        yield
        return
    refuse_late(request)
    bell = _Bell()
    before = signal.signal(signal.SIGALRM, bell)
    signal.setitimer(signal.ITIMER_REAL, max(_SOON, request.ends - time.time()), _AGAIN)
    try:
        yield
    except BaseException as error:
        if bell.rung:  # whatever a library has made of it: Ray's native code turns it into a SystemError
            raise RefusedError(words(request)) from error
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def refuse_late(request: BuildRequest) -> None:
    """Nothing begins once the lease is over.

    Raises:
        RefusedError: it is.
    """
    if request.ends is not None and request.ends <= time.time():
        raise RefusedError(words(request))


def words(request: BuildRequest) -> str:
    """Why the program ended, and what may be changed."""
    compute = request.spec.compute
    ceiling = "" if compute.cost_ceiling is None else f" or its cost ceiling ({compute.cost_ceiling:g})"
    raise_ = "compute.deadline" if compute.cost_ceiling is None else "compute.deadline or compute.cost_ceiling"
    return (
        f"the lease is over: it reached its deadline ({compute.deadline}){ceiling}, so training was ended "
        f"and no bundle was written. Raise {raise_}, or let the search take less: search.trials, search.time_budget."
    )
