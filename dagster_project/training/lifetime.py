"""Programs that live no longer than who started them."""

import ctypes
import os
import signal
import sys

from dagster_project.domain.errors import BROKEN

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Have the kernel kill us when ``parent``, who started us, ends: no build outlives who asked for it (Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we asked
        sys.exit(BROKEN)
