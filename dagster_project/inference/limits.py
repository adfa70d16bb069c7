"""What running a stranger's graph may take: a graph of a few bytes can ask for any size and any time."""

import resource
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnxruntime as ort

_LOOK_EVERY = 0.1  # seconds


@dataclass(frozen=True)
class Limits:
    """``memory``: bytes beyond what the process has when a run begins. ``seconds``: of all runs of a model together."""

    memory: int = 4 * 1024**3
    seconds: float = 1200.0

    def __str__(self) -> str:
        return f"{self.memory / 1024**3:g} GiB of memory and {self.seconds:g} s in all"


class Meter:
    """Holds the runs of one model to its limits; a run beyond them ends in an error of onnxruntime's.

    What it can't allocate it reports itself. Between two nodes it looks at ``options.terminate``, so that a run that is
    too long ends with the node that is running.
    """

    def __init__(self, limits: Limits) -> None:
        import onnxruntime as ort

        self.limits = limits
        self.options = ort.RunOptions()
        self.options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")  # gives back after a run
        self._used = 0.0
        self._began: float | None = None
        # one thread for all runs: starting one would cost more than a small run
        threading.Thread(target=_watch, args=(weakref.ref(self),), daemon=True).start()

    @contextmanager
    def running(self) -> "Iterator[ort.RunOptions]":
        """Count and limit what runs inside, with these options."""
        began = self._began = time.monotonic()
        try:
            with limited_memory(self.limits.memory):
                yield self.options
        finally:
            self._began = None
            self._used += time.monotonic() - began

    def look(self) -> bool:
        """Whether the seconds are used up: then the run ends, and every later one."""
        began = self._began
        running = 0.0 if began is None else time.monotonic() - began
        if self._used + running > self.limits.seconds:
            self.options.terminate = True
        return bool(self.options.terminate)


def _watch(meter: "weakref.ref[Meter]") -> None:
    while (watched := meter()) is not None and not watched.look():
        del watched
        time.sleep(_LOOK_EVERY)


@contextmanager
def limited_memory(more: int) -> Iterator[None]:
    """Have allocations fail once the process has ``more`` bytes of addresses than now (Linux; elsewhere no limit)."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        yield
        return
    limits = soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = int(statm.read_text().split()[0]) * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (min([wanted, *(x for x in limits if x != resource.RLIM_INFINITY)]), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
