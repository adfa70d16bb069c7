"""A real server in a process of its own, on a free loopback port."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.domain.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Server:
    """Where it listens, and its process."""

    url: str
    process: "subprocess.Popen[str]"
    workspace: Workspace
    stderr: Path

    @property
    def host(self) -> str:
        """host:port, as clients want it."""
        return self.url.removeprefix("http://")

    def call(
        self, path: str, body: Any = None, headers: dict[str, str] | None = None, method: str | None = None
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, body (parsed where it is JSON) and headers."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, _parsed(answer), dict(answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _parsed(error), dict(error.headers)

    def infer(self, rows: dict[str, list[Any]], model: str = "delays", **more: Any) -> tuple[int, Any]:
        """Rows by column, as JSON."""
        datatypes = {"carrier": "BYTES", "ride": "BYTES", "starts": "BYTES"}
        inputs = [
            {"name": name, "shape": [len(data), 1], "datatype": datatypes.get(name, "FP32"), "data": data}
            for name, data in rows.items()
        ]
        status, answer, _ = self.call(f"/v2/models/{model}/infer", {"inputs": inputs, **more})
        return status, answer

    def wait(self, path: str = "/v2/health/ready", seconds: float = 20.0) -> None:
        """Until it answers 200."""
        end = time.monotonic() + seconds
        while self.call(path)[0] != 200:
            assert time.monotonic() < end, self.stderr.read_text()
            time.sleep(0.02)

    def until(self, what: Any, seconds: float = 20.0) -> None:
        """Until ``what()`` is true."""
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end, self.stderr.read_text()
            time.sleep(0.02)


@contextmanager
def running(
    folder: Path, *arguments: str, environment: dict[str, str] | None = None, module: str = "dagster_project.serving"
) -> Iterator[Server]:
    """A server of the repository in ``folder``; ended when the block is."""
    foreign = ("ACTS_", "GIT_", "RAY_", "DAGSTER")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    kept |= {"HOME": str(folder), **(environment or {})}
    command = [sys.executable, "-m", module, "--repo", str(folder), "--port", "0", "--poll", "0.05"]
    stderr = folder / "server.log"
    with stderr.open("a") as log:
        process = subprocess.Popen(
            [*command, *arguments], cwd=ROOT, env=kept, stdout=subprocess.PIPE, stderr=log, text=True
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("serving on "), stderr.read_text()
        yield Server(line.split()[2], process, Workspace(repo=folder), stderr)
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


def _parsed(answer: Any) -> Any:
    data = answer.read()
    kind = answer.headers.get("content-type", "")
    return json.loads(data) if kind.startswith("application/json") else data
