"""Processes that a run started, found by a mark in their environment, whatever group or session they moved to."""

import os
import signal
import time
from pathlib import Path


def marked(mark: str) -> dict[int, str]:
    """Process id and command line of each living process with ``mark`` in its environment."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found[int(folder.name)] = (
                    (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
        except OSError:  # it has just ended, or belongs to somebody else
            continue
    return found


def end(mark: str, within: float = 10.0) -> tuple[str, ...]:
    """Kill them until there is none; the command lines of those that were there, sorted."""
    seen: dict[int, str] = {}
    deadline = time.monotonic() + within
    while alive := marked(mark):
        if time.monotonic() > deadline:
            raise TimeoutError(f"these processes do not end: {alive}")
        seen |= alive
        for process in alive:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.02)
    return tuple(sorted(seen.values()))
