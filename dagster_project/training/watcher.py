"""Ends what a dead program leaves of its Ray session. Run as a script, on the standard library alone.

``python -I -S watcher.py FOLDER``: waits for the end of standard input, gives the session's processes a moment to go
by themselves, ends by its id each one that still holds a file of FOLDER or names it, then removes FOLDER.
"""

import os
import shutil
import signal
import sys
import time
from pathlib import Path

PATIENCE = 3.0
_POLL = 0.1


def main(folder: str) -> None:
    """Wait, end, remove."""
    spared = {os.getpid(), os.getppid()}  # who started us ends by itself, or has ended
    while os.read(0, 4096):
        pass
    deadline = time.monotonic() + PATIENCE
    while session_processes(folder, spared) and time.monotonic() < deadline:
        time.sleep(_POLL)
    while left := session_processes(folder, spared):
        for pid in left:
            end(pid)
        time.sleep(_POLL)
    shutil.rmtree(folder, ignore_errors=True)


def session_processes(folder: str, spared: set[int]) -> list[int]:
    """Ids of the processes, but for the spared ones, that belong to the session in ``folder``."""
    pids = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    return [pid for pid in pids if pid not in spared and belongs(pid, folder)]


def belongs(pid: int, folder: str) -> bool:
    """Whether the process was started with the folder's name, or holds a file in it.

    Ray's workers overwrite their command line, but keep their log files open.
    """
    place = Path("/proc", str(pid))
    try:
        if place.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return False
        if folder.encode() in place.joinpath("cmdline").read_bytes():
            return True
        return any(_target(link).startswith(folder + "/") for link in place.joinpath("fd").iterdir())
    except OSError:  # it ended while we looked, or is another user's
        return False


def end(pid: int) -> None:
    """Kill a process; that it is gone already is fine."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


if __name__ == "__main__":
    main(sys.argv[1])
