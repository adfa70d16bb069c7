"""A repository of its own for a benchmark, its commands as a user runs them, and what they took."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dagster_project.domain.fingerprint import ROOT
from tests.looking import looking

MODEL = "late_arrival"
SPEC = Path("models", MODEL, "spec.yaml")
INTERVAL = 0.5
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Took:
    """Wall seconds, and CPU seconds of the program and of all that it started."""

    wall: float
    cpu: float

    def __add__(self, other: "Took") -> "Took":
        return Took(self.wall + other.wall, self.cpu + other.cpu)


class Bench:
    """A git repository with the contracts on main, and the model on a branch: the pull request that is measured."""

    def __init__(self, folder: Path, trials: int | None = None) -> None:
        self.repo, self.home = folder / "repository", folder / "home"
        self.home.mkdir(parents=True)
        shutil.copytree(ROOT / "data_contracts", self.repo / "data_contracts")
        self._copy(Path("models/floor.yaml"))
        (self.repo / ".gitignore").write_text(".acts/\n")
        self.git("init", "--quiet", "--initial-branch", "main")
        self.commit("contracts")
        self.git("switch", "--quiet", "--create", "model")
        self._copy(SPEC)
        if trials:
            self.edit("trials: 12", f"trials: {trials}")
        self.commit("model")

    def acts(self, *arguments: str) -> Took:
        """Run an ``acts`` command in the repository."""
        return self.run("ci.main", *arguments, "--repo", str(self.repo), accepted=(0, 1))

    def run(self, module: str, *arguments: str, accepted: tuple[int, ...] = (0,)) -> Took:
        """Run a module of this repository's Python; raises where it breaks."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("ACTS_", "DAGSTER_"))}
        environment |= {"HOME": str(self.home), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", module, *arguments]
        log = self.repo.parent / "log.txt"
        with log.open("w") as output:
            started = time.perf_counter()
            process = subprocess.Popen(command, env=environment, cwd=self.repo, stdout=output, stderr=output)
            with measured(process.pid) as cpu:
                code = process.wait()
            wall = time.perf_counter() - started
        if code not in accepted:
            raise RuntimeError(f"{' '.join(command)} ended with {code}:\n{log.read_text()[-3000:]}")
        return Took(wall, sum(cpu.values()))

    def edit(self, old: str, new: str) -> None:
        """Replace text of the spec, which must hold it once."""
        text = (self.repo / SPEC).read_text()
        assert text.count(old) == 1, f"{old!r} does not stand once in {SPEC}"
        (self.repo / SPEC).write_text(text.replace(old, new))

    def commit(self, message: str) -> None:
        """Commit everything."""
        self.git("add", "--all")
        author = ("-c", "user.name=bench", "-c", "user.email=bench@example.invalid", "-c", "commit.gpgsign=false")
        self.git(*author, "commit", "--quiet", "--message", message)

    def git(self, *arguments: str) -> None:
        """Run git in the repository."""
        subprocess.run(["git", *arguments], cwd=self.repo, check=True, capture_output=True)

    def _copy(self, path: Path) -> None:
        (self.repo / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, self.repo / path)


@contextmanager
def bench(trials: int | None = None) -> Iterator[Bench]:
    """A fresh repository, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="acts-bench-") as folder:
        yield Bench(Path(folder), trials)


@contextmanager
def measured(root: int) -> Iterator[dict[int, float]]:
    """CPU seconds by process of ``root`` and its descendants, looked at twice a second while they live.

    rusage does not know of Ray's workers: their parent never waits for them. What a process did since the last look
    before its end is missed.
    """
    seen: dict[int, float] = {}
    with looking(INTERVAL, lambda: seen.update(_times(root))):
        yield seen


def _times(root: int) -> dict[int, float]:
    """CPU seconds of every living process of the tree under ``root``."""
    parents, times = {}, {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                fields = (path / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it ended while we looked
                continue
            parents[int(path.name)] = int(fields[1])
            times[int(path.name)] = (int(fields[11]) + int(fields[12])) / _TICK
    tree, fresh = set(), {root}
    while fresh:
        tree |= fresh
        fresh = {pid for pid, parent in parents.items() if parent in fresh}
    return {pid: times[pid] for pid in tree if pid in times}
