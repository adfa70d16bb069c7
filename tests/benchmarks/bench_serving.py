"""CPU of a request, one worker: our server, its log and metrics on, against a bare hello world of the same uvicorn.

MLServer, MLflow and BentoML serve the same ONNX files, each in an environment of its own, one worker, without access
logs, otherwise as they come; each gives our answers before it is measured. For MLServer that means the runtime that its
documentation has users write, in its pool of one process. Without the pool (parallel_workers=0) it costs about half;
that is measured beside it, and is not what the goal is held against. Servers run on one core and are asked in turn,
several short rounds, by clients on another. A machine's speed varies, so every figure is also given in hello worlds of
the same round, and the goals are held against microseconds of a machine whose hello world costs 25.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.benchmarks.clients import apart
from tests.benchmarks.load import get, tree
from tests.benchmarks.serving_servers import Peer, plain, serving, v2, v2_chances
from tests.benchmarks.serving_targets import BINARY, FOREST, WIDE, Own, Target, ours, theirs
from tests.environments import environment

HELLO, HELLO_US = "hello world", 25.0
GOALS = {FOREST: 150.0, WIDE: 85.0, BINARY: 150.0}
CHEAPER = 10.0
ROUNDS = 7
RUNTIME = "onnxruntime==1.32.0"
MLSERVER = Peer(
    "MLServer", ("mlserver==1.7.1", RUNTIME, "uvloop<0.22"), "mlserver_server.py",
    "/v2/models/model/infer", "/v2/models/model/ready", v2, v2_chances,
)  # fmt: skip
PEERS = (
    MLSERVER,
    replace(MLSERVER, name="MLServer, no pool", tuned=("0",)),
    Peer(
        "MLflow", ("mlflow==3.17.2", "onnx==1.23.2", RUNTIME), "mlflow_server.py",
        "/invocations", "/ping", lambda rows: {"inputs": plain(rows)},
        lambda said: said["predictions"]["probabilities"],
    ),
    Peer(  # the newest whose own requirements can be met: 1.4.40 wants a certifi that some indexes don't have yet
        "BentoML", ("bentoml>=1.4.38,<=1.4.40", RUNTIME), "bento_server.py",
        "/predict", "/readyz", lambda rows: {"inputs": plain(rows)}, lambda said: said["probabilities"],
    ),
)  # fmt: skip


def run() -> dict[str, Any]:
    """Some five minutes, and the first time as many more for the environments."""
    pythons = {peer.name: environment(peer.package, *peer.requirements) for peer in PEERS}
    loads = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory(prefix="acts-bench-") as folder, ExitStack() as stack:
        own, targets = _started(Path(folder), pythons, stack)
        with apart(*(one for target in targets.values() for one in tree(target.pid))):
            _measure(targets)
        log = _log(own)
    loads.append(os.getloadavg()[0])
    return _result(targets, log, {peer.name: _version(pythons[peer.name], peer.package) for peer in PEERS}, loads)


def _started(folder: Path, pythons: dict[str, Path], stack: ExitStack) -> tuple[Own, dict[str, Target]]:
    own = stack.enter_context(ours(folder / "own"))
    host, pid = stack.enter_context(serving(sys.executable, "hello.py", "", "/", folder / "hello"))
    targets = {HELLO: Target(host, pid, get(host, "/")), **own.targets}
    for peer in PEERS:
        for kind in (FOREST, WIDE):
            place, champion = folder / f"{peer.name}-{len(targets)}", own.champions[kind]
            started = theirs(peer, pythons[peer.name], champion, own.chances(kind), place)
            targets[f"{peer.name}: {kind}"] = stack.enter_context(started)
    return own, targets


def _measure(targets: dict[str, Target]) -> None:
    for target in targets.values():
        target.measure(0.5)  # warm
    for _ in range(ROUNDS):
        for target in targets.values():
            target.rounds.append(target.measure())


def _log(own: Own) -> dict[str, float]:
    """What the server's metrics say of its prediction log: that it was on, and kept everything."""
    lines = own.server.call("/metrics")[1].decode().splitlines()
    rows = sum(float(line.split()[-1]) for line in lines if line.startswith("acts_rows_total{"))
    dropped = next(float(line.split()[-1]) for line in lines if 'rows{state="dropped"}' in line)
    return {"rows answered": rows, "rows not logged": dropped}


def _version(python: Path, package: str) -> str:
    code = f"import importlib.metadata; print(importlib.metadata.version('{package}'))"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def _in_hellos(target: Target, hello: Target) -> float:
    """Its cost in hello worlds of the same round, the middle round's."""
    return statistics.median(a.cpu_us / b.cpu_us for a, b in zip(target.rounds, hello.rounds, strict=True))


def _figures(target: Target, hello: Target) -> dict[str, float]:
    each = [load.cpu_us for load in target.rounds]
    return {
        "CPU us": round(target.cpu_us, 1),
        "least": round(min(each), 1),
        "most": round(max(each), 1),
        "hello worlds": round(_in_hellos(target, hello), 2),
        "requests": sum(load.requests for load in target.rounds),
        "failed": sum(load.failed for load in target.rounds),
    }


def _result(
    targets: dict[str, Target], log: dict[str, float], versions: dict[str, str], loads: list[float]
) -> dict[str, Any]:
    hello = targets[HELLO]
    scaled = {kind: round(HELLO_US * _in_hellos(targets[kind], hello), 1) for kind in GOALS}
    peers = {
        kind: {peer.name: round(targets[f"{peer.name}: {kind}"].cpu_us / targets[kind].cpu_us, 1) for peer in PEERS}
        for kind in (FOREST, WIDE)
    }
    best = {kind: min(ratios.values()) for kind, ratios in peers.items()}
    as_they_come = [peer.name for peer in PEERS if not peer.tuned]
    cheaper = {kind: min(ratios[name] for name in as_they_come) for kind, ratios in peers.items()}
    goals = ", ".join(f"{kind} at most {most:g}" for kind, most in GOALS.items())
    right = not any(load.failed for target in targets.values() for load in target.rounds)
    logged = log["rows answered"] > 0 and not log["rows not logged"]
    return {
        "what": "server CPU microseconds a request, one row as JSON unless it says otherwise, 16 connections, one core",
        "figures": {
            **{name: _figures(target, hello) for name, target in targets.items()},
            "peers' cost in ours": peers,
            f"us where a hello world costs {HELLO_US:g}": scaled,
            "times cheaper than the best peer": cheaper,
            "times cheaper than the best of all, tuned ones among them": best,
            "log": log, "versions": versions, "load before and after": loads,
        },
        "ratio": min(cheaper.values()),
        "goal": f"scaled to a hello world of {HELLO_US:g} us: {goals}; both models at least {CHEAPER:g} times cheaper "
        "than the best peer as it comes; no request failed, no row unlogged",
        "holds": right and logged and all(scaled[kind] <= most for kind, most in GOALS.items())
        and min(cheaper.values()) >= CHEAPER,
    }  # fmt: skip
