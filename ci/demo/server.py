"""``acts serve`` for the length of a story, and a client of it."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dagster_project.domain.errors import MachineryError
from dagster_project.domain.workspace import Workspace

READY_SECONDS = 60.0


@contextlib.contextmanager
def serving(repo: Path) -> Iterator[str]:
    """The server on a free port of this machine; its address. It ends with the block.

    Raises:
        MachineryError: it does not answer; its log says why.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = Workspace(repo=repo).home / "serve.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "ci.main", "serve", "--repo", str(repo), "--port", str(port), "--poll", "0.2"]
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            url = f"http://127.0.0.1:{port}"
            _await(f"{url}/v2/health/live", server, log)
            yield url
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


def call(url: str, body: dict[str, Any] | None = None) -> Any:
    """The JSON that a server answers.

    Raises:
        MachineryError: it does not answer, or it refuses.
    """
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise MachineryError(f"{url}: {error.code}: {error.read()[:500].decode(errors='replace')}") from error
    except OSError as error:
        raise MachineryError(f"{url}: does not answer: {error}") from error


def _await(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(int(READY_SECONDS / 0.1)):
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        if server.poll() is not None:
            break
        time.sleep(0.1)
    raise MachineryError(f"acts serve does not answer at {url}; {log} says why.")
