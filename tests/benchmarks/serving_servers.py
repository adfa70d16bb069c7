"""Servers beside each other, one process tree each: how they are started, what they are asked, what they answered."""

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.load import tree

PROGRAMS = Path(__file__).with_name("peers")
STARTING, ENDING = 180.0, 20.0
Rows = dict[str, np.ndarray]


@dataclass(frozen=True)
class Peer:
    """Another server. ``body`` is its own form of named columns; ``chances`` finds the probabilities in its answer.

    ``tuned``: arguments for its program that set it up in another way than it comes.
    """

    name: str
    requirements: tuple[str, ...]
    program: str
    path: str
    ready: str
    body: Callable[[Rows], Any]
    chances: Callable[[Any], Any]
    tuned: tuple[str, ...] = ()

    @property
    def package(self) -> str:
        """What it is called where it is installed from."""
        return self.name.split(",")[0].lower()


def plain(rows: Rows) -> dict[str, list[Any]]:
    """Nested lists by input, with the shortest text of each float32, as a client that has 62.96 would send it."""
    return {name: [[_shortest(value) for value in row] for row in column] for name, column in rows.items()}


def v2(rows: Rows) -> dict[str, Any]:
    """An inference request of the Open Inference Protocol, all JSON, data flat."""
    flat = {name: list(chain.from_iterable(values)) for name, values in plain(rows).items()}
    return {
        "inputs": [
            {"name": name, "datatype": _datatype(rows[name]), "shape": list(rows[name].shape), "data": values}
            for name, values in flat.items()
        ]
    }


def binary(rows: Rows) -> tuple[bytes, int]:
    """The same with its numbers as bytes behind the JSON, answered as bytes too; the length of the JSON."""
    raw = {name: column.astype("<f4").tobytes() for name, column in rows.items()}
    inputs = [
        {"name": n, "datatype": "FP32", "shape": list(rows[n].shape), "parameters": {"binary_data_size": len(raw[n])}}
        for n in raw
    ]
    header = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    return b"".join((header, *raw.values())), len(header)


def v2_chances(answer: Any) -> Any:
    """The probabilities of an answer to :func:`v2`."""
    found = next(output for output in answer["outputs"] if output["name"] == "probabilities")
    return np.reshape(found["data"], found["shape"])


@contextmanager
def serving(
    python: Path | str, program: str, model: str, ready: str, folder: Path, arguments: tuple[str, ...] = ()
) -> Iterator[tuple[str, int]]:
    """``host:port`` and process id of a program of ``peers``; its whole tree is ended when the block is."""
    folder.mkdir(parents=True)
    port = _free_port()
    told = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "PYTHONPATH": str(PROGRAMS)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ACTS_", "MLFLOW_", "BENTOML_"))}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [str(python), str(PROGRAMS / program), model, str(port), *arguments],
            cwd=folder, env={**kept, **told, "HOME": str(folder)}, stdout=log, stderr=log,
        )  # fmt: skip
    host = f"127.0.0.1:{port}"
    try:
        _wait(host, ready, process, folder / "log")
        yield host, process.pid
    finally:
        _end(process)


def ask(host: str, path: str, body: bytes) -> Any:
    """The answer to one request, as JSON."""
    request = urllib.request.Request(f"http://{host}{path}", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise RuntimeError(f"{host}{path}: {error.code} {error.read()[:2000]!r}") from error


def _wait(host: str, path: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + STARTING
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(f"http://{host}{path}", timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise RuntimeError(f"{process.args!r} did not answer {path}:\n{log.read_text()[-3000:]}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Politely; then every process that was below it, by its id."""
    below = tree(process.pid)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(ENDING)
    for pid in below:
        with suppress(ProcessLookupError):
            os.kill(pid, 9)
    process.wait(ENDING)


def _free_port() -> int:
    """The first of three that are free: MLServer wants ports for gRPC and metrics too."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            with suppress(OSError, OverflowError), socket.socket() as second, socket.socket() as third:
                second.bind(("127.0.0.1", port + 1))
                third.bind(("127.0.0.1", port + 2))
                return port


def _shortest(value: Any) -> Any:
    return value if isinstance(value, str) else float(str(value))


def _datatype(column: np.ndarray) -> str:
    return "BYTES" if column.dtype == object else "FP32"
