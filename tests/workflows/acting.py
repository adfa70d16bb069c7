"""``act``: run a workflow file of a clone from an event to its end, without Docker and without a network."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.workflows import joblog, processes
from tests.workflows.home import Home, origin
from tests.workflows.pins import standins

_ACT = Path(sys.executable).with_name("act")
# No Docker; no checkout of act's own, which copies the clone; no masks, so that a secret in the log is seen.
_FLAGS = (
    *("--platform=ubuntu-24.04=-self-hosted", "--defaultbranch=main", "--no-cache-server"),
    *("--no-skip-checkout", "--insecure-secrets", "--json"),
)


@dataclass(frozen=True)
class Acted:
    """What a run of a workflow left; README.md tells how jobs are named."""

    returncode: int
    jobs: dict[str, str]  # success, failure or skipped
    steps: tuple[joblog.Step, ...]
    outputs: dict[str, dict[str, str]]  # of each job's steps: {"step.name": value}
    summaries: dict[str, str]  # of each job
    journal: tuple[dict[str, Any], ...]  # what stand-ins were asked for: name, job, folder, what
    orphans: tuple[str, ...]  # processes that outlived the run; they have been ended
    log: str

    def step(self, job: str, name: str) -> str:
        """The result of the step with this name or id; ``skipped`` where it did not run."""
        found = [step.result for step in self.steps if step.job == job and name in (step.id, step.name)]
        return found[-1] if found else "skipped"

    def asked(self, name: str) -> list[Any]:
        """What the stand-ins that write under ``name`` (pip, attest, aws ...) were asked for, in order."""
        return [line["what"] for line in self.journal if line["name"] == name]


def act(
    clone: Path,
    *,
    workflow: str,
    event: str,
    payload: Mapping[str, Any],
    env: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    repositories: Mapping[str, Path] | None = None,
    local_actions: Mapping[str, Path] | None = None,
    timeout: float = 120,
) -> Acted:
    """Run ``workflow`` (a path within ``clone``, whose HEAD is github.sha) for ``event``.

    ``repositories`` are bare ones that jobs may check out, by "owner/name"; the clone's origin is there already, as the
    payload's repository. ``local_actions`` ("owner/name@commit" -> folder) come before the stand-ins. Raises
    ``TimeoutError``, and ``RuntimeError`` where act gave up. Nothing is left behind: no file, no process.
    """
    with tempfile.TemporaryDirectory(prefix="acting-") as place:
        home = Home(Path(place))
        home.link({payload["repository"]["full_name"]: origin(clone), **(repositories or {})})
        settings = home.options(payload, env or {}, secrets or {}, variables or {})
        actions = [f"--local-repository={name}={at}" for name, at in {**standins(), **(local_actions or {})}.items()]
        command = [str(_ACT), event, f"--workflows={workflow}", *_FLAGS, *settings, *actions]
        with _ended(home.mark) as orphans:
            returncode = _run(command, clone, home, timeout)
        return _acted(returncode, yaml.safe_load((clone / workflow).read_text()), home, tuple(orphans))


@contextmanager
def _ended(mark: str) -> Iterator[list[str]]:
    """Whatever the block started is gone afterwards; the list then names what had to be ended."""
    orphans: list[str] = []
    try:
        yield orphans
    finally:
        orphans.extend(processes.end(mark))


def _run(command: list[str], clone: Path, home: Home, timeout: float) -> int:
    """act in a session of its own, its words in ``home.log``; its exit code."""
    with home.log.open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=clone,
            env=home.environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{command[2]} took longer than {timeout:g} s:\n{home.prints()[-4000:]}") from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _acted(returncode: int, workflow: Mapping[str, Any], home: Home, orphans: tuple[str, ...]) -> Acted:
    log = list(joblog.entries(home.text()))
    asked = home.journal.read_text().splitlines() if home.journal.exists() else []
    return Acted(
        returncode=returncode,
        jobs=joblog.job_results(log, workflow),
        steps=joblog.steps(log, workflow),
        outputs=joblog.outputs(log, workflow),
        summaries=joblog.summaries(log, workflow),
        journal=tuple(json.loads(line) for line in asked),
        orphans=orphans,
        log=f"{joblog.told(log)}\n{home.prints()}\n",
    )
