"""A lease of this machine: the training program is a child of ours, and ends with us."""

import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import dagster as dg
from dagster._core.errors import DagsterPipesExecutionError  # not among Dagster's public names

from dagster_project.compute.manifest import PROGRAM
from dagster_project.domain.build import BuildRequest, TrainingResult
from dagster_project.domain.compute import LocalProfile
from dagster_project.domain.errors import MachineryError
from dagster_project.domain.lease import Lease, NodeUse
from dagster_project.factories.leases.place import Released, crash_of, end_of, reason_of
from dagster_project.storage.files import read_optional, write_atomic
from dagster_project.training.local_ray import memory_for_rows


class LocalPlace:
    """This machine, while the training program runs on it. The program itself keeps the lease's end."""

    def __init__(
        self, context: dg.AssetExecutionContext, pipes: dg.PipesSubprocessClient, profile: LocalProfile
    ) -> None:
        self._context, self._pipes, self._profile = context, pipes, profile

    def train(self, lease: Lease, request: BuildRequest) -> TrainingResult:
        """Run the program on ``request`` and read its result. Its lines go where ours go."""
        with tempfile.TemporaryDirectory(prefix="acts-training-") as name:
            folder = Path(name)
            own = {
                "result": str(folder / "result.json"),
                "checkpoints": str(folder / "checkpoints"),
                "cpus": os.cpu_count() or 1,
                "memory": memory_for_rows(),
                "ends": lease.ends,
            }
            asked = request.model_copy(update=own)
            write_atomic(folder / "request.json", asked.to_json().encode())
            self._run(lease, folder / "request.json")
            data = read_optional(asked.result)
        if data is None:
            raise MachineryError("The training program ended well but left no result. Run the build again.")
        return TrainingResult.from_json(data)

    def release(self, lease: Lease, *, hurry: bool) -> Released:
        """Nothing is left to let go of: the program's own watcher ended its Ray."""
        del hurry
        now = time.time()
        node = NodeUse(
            kind="local",
            name=platform.node(),
            since=lease.begun,
            until=now,
            hourly=self._profile.price,
            gpus=self._profile.gpus if lease.compute.gpus_per_trial else 0,
        )
        return Released((node,), now, *end_of(lease, now))

    def _run(self, lease: Lease, request: Path) -> None:
        """A crash in compiled code, of Ray or of a library, is no answer: the program is started once more."""
        code = self._ended_with(request)
        if crash := crash_of(code):
            self._context.log.warning(
                f"lease {lease.id}: the training program crashed ({crash}). It is started once more."
            )
            code = self._ended_with(request)
        if code:
            raise reason_of(code)

    def _ended_with(self, request: Path) -> int:
        command = [sys.executable, "-X", "faulthandler", "-m", PROGRAM, str(request)]
        try:
            self._pipes.run(context=self._context, command=command)
        except DagsterPipesExecutionError as error:
            return int(str(error).rsplit(" ", 1)[-1])
        return 0
