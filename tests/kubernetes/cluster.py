"""A Ray cluster with Ray's real autoscaler on this machine, in namespaces of its own: PIDs, mounts of /proc, network.

It plays the pods of a RayCluster: the head is process 1, every Ray node a raylet beside it. Whatever ends process 1
ends them all; it ends with who started it. Needs root.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.kubernetes import pod_init, processes, ray_settings
from tests.kubernetes.network import Cable, plug
from tests.kubernetes.processes import Process

PREFIX = "acts-k8s-"
_FOREIGN = ("ACTS_", "RAY_", "DAGSTER", "PYTHON", "KUBE")
_NAMESPACES = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "--net"]
_NODE = "RAY_OVERRIDE_NODE_ID_FOR_TESTING"


@dataclass(frozen=True)
class Node:
    """A Ray node while its raylet runs; ``group`` is empty for the head."""

    id: str
    group: str
    raylet: Process


@dataclass
class Cluster:
    """A running cluster. ``seen``: every process that was found in it, to be looked for afterwards."""

    folder: Path
    process: "subprocess.Popen[str]"
    init: Process
    namespace: str
    cable: Cable
    token: str | None
    seen: set[Process] = field(default_factory=set)

    @property
    def url(self) -> str:
        """The dashboard, where jobs are submitted."""
        return f"http://{self.cable.pod}:{ray_settings.DASHBOARD}"

    @property
    def headers(self) -> dict[str, str]:
        """What the dashboard wants to see."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    @property
    def log(self) -> str:
        """What the head's ``ray start`` said."""
        return (self.folder / "head.log").read_text(errors="replace")

    def running(self) -> bool:
        """Whether the head's first process is there."""
        return self.process.poll() is None

    def nodes(self) -> list[Node]:
        """The head and the workers that run."""
        found = processes.within(self.namespace)
        self.seen.update(found)
        return [node for each in found if processes.name(each.pid) == "raylet" and (node := _node(each))]

    def workers(self) -> list[Node]:
        """The nodes that the autoscaler started."""
        return [node for node in self.nodes() if node.id != ray_settings.HEAD]

    def ready(self) -> bool:
        """Whether the dashboard answers."""
        request = urllib.request.Request(f"{self.url}/api/version", headers=self.headers)
        try:
            with urllib.request.urlopen(request, timeout=2) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as error:
            error.close()
            return False
        except OSError:
            return False

    def wait_ready(self, seconds: float = 120) -> None:
        """Until the dashboard answers.

        Raises:
            RuntimeError: it did not, or the head ended.
        """
        end = time.monotonic() + seconds
        while not self.ready():
            if not self.running() or time.monotonic() > end:
                raise RuntimeError(f"Ray's head is not there:\n{self.log[-3000:]}")
            time.sleep(0.2)

    def stop(self) -> None:
        """As Kubernetes ends a pod: SIGTERM, SIGKILL after a grace period; then the folder goes."""
        self.nodes()
        self.init.end(15)
        try:
            self.process.wait(pod_init.GRACE + 5)
        except subprocess.TimeoutExpired:
            self.init.end()
        self.remove()

    def kill(self) -> None:
        """SIGKILL of the head's first process."""
        self.nodes()
        self.init.end()
        self.process.wait(30)

    def remove(self) -> None:
        """Take away what a head that has ended left: its folder, as its node's kubelet does."""
        self.process.wait(30)
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def left(self) -> list[str]:
        """What of it still is: processes, and its folder. Empty once it was stopped."""
        alive = [f"process {each.pid} {processes.name(each.pid)}" for each in list(self.seen) if each.alive()]
        return alive + ([str(self.folder)] if self.folder.exists() else [])


def start(spec: dict[str, Any], environ: dict[str, str] | None = None, token: str | None = None) -> Cluster:
    """Start a rayClusterSpec's head with its autoscaler. ``environ``: what its pods' variables say.

    Raises:
        RuntimeError: namespaces or a network could not be had.
    """
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))
    script = [sys.executable, "-I", "-S", pod_init.__file__, "bash", str(folder / "start.sh")]
    with (folder / "head.log").open("w") as log:
        process = subprocess.Popen(
            [*_NAMESPACES, *script], stdin=subprocess.PIPE, stdout=log, stderr=log, text=True,
            cwd=folder, env=_environment(folder, environ or {}, token),
        )  # fmt: skip
    init = _first(process)
    cable = plug(init.pid)
    (folder / "lib").mkdir()
    shutil.copy(Path(__file__).with_name("provider.py"), folder / "lib" / f"{ray_settings.PROVIDER}.py")
    (folder / "autoscaling.json").write_text(json.dumps(ray_settings.autoscaling(spec, cable.pod)))
    (folder / "start.sh").write_text("exec " + " ".join(ray_settings.start_command(spec, cable.pod, str(folder))))
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return Cluster(folder, process, init, str(processes.pid_namespace(init.pid)), cable, token)


def _environment(folder: Path, environ: dict[str, str], token: str | None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    auth = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token} if token else {"RAY_AUTH_MODE": "disabled"}
    own = {"PATH": path, "HOME": str(folder), "TMPDIR": str(folder), "PYTHONPATH": str(folder / "lib")}
    return {**kept, **environ, **own, **ray_settings.FLAGS, **auth}


def _first(process: "subprocess.Popen[str]") -> Process:
    """Process 1 of the namespaces, by its id outside."""
    end = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < end:
        for pid in processes.children(process.pid):
            if processes.pid_namespace(pid) not in (None, processes.pid_namespace(os.getpid())):
                found = processes.process(pid)
                if found:
                    return found
        time.sleep(0.01)
    raise RuntimeError("unshare made no namespaces: this needs root, and a kernel that allows them")


def _node(raylet: Process) -> Node | None:
    environ = processes.environment(raylet.pid)
    node = environ.get(_NODE, "")
    return (
        Node(node, "" if node == ray_settings.HEAD else environ.get("RAY_NODE_TYPE_NAME", ""), raylet) if node else None
    )
