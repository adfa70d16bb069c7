"""Processes as the kernel shows them: those of a PID namespace, seen from outside."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process and when it began, in ticks since boot: an id may be given again."""

    pid: int
    began: int

    def alive(self) -> bool:
        """Whether it still runs; what waits to be buried does not."""
        return _began(self.pid) == self.began

    def end(self, number: int = signal.SIGKILL) -> None:
        """Send a signal; that it is gone already is fine."""
        try:
            if self.alive():
                os.kill(self.pid, number)
        except ProcessLookupError:
            return


def process(pid: int) -> Process | None:
    """The living process of this id."""
    began = _began(pid)
    return None if began is None else Process(pid, began)


def within(namespace: str) -> list[Process]:
    """The living processes of a PID namespace, ``/proc/PID/ns/pid`` as it reads."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [found for pid in pids if pid_namespace(pid) == namespace and (found := process(pid))]


def pid_namespace(pid: int) -> str | None:
    """The namespace that a process is in; None: it is gone."""
    try:
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        return None


def children(pid: int) -> list[int]:
    """Ids of the processes that this one started and that still are."""
    try:
        threads = [path / "children" for path in Path(f"/proc/{pid}/task").iterdir()]
        return [int(each) for path in threads for each in path.read_text().split()]
    except OSError:
        return []


def tree(pid: int) -> list[Process]:
    """A living process and all that descend from it."""
    found = process(pid)
    return ([found] if found else []) + [each for child in children(pid) for each in tree(child)]


def name(pid: int) -> str:
    """The program's name; empty: it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def title(pid: int) -> str:
    """The command line, or what the process has written there; empty: it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def environment(pid: int) -> dict[str, str]:
    """The environment that a process began with; empty: it is gone."""
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return {}
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


def _began(pid: int) -> int | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])
