"""A search on Ray against joblib running the same fits, on two cores of the real flights.

Each side is a program of its own (search_sides.py) and they take turns. Compared are the fits, once Ray and joblib's
processes are up. Ray's start runs beside reading and preparing the rows: told is what both take together, against the
rows alone.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.flights import flights_request

SIDES = ("joblib", "ray")
GOAL, BUSY = 1.3, 0.85


def run() -> dict[str, Any]:
    """Some three minutes a round on two quiet cores; BENCH_ROUNDS of them, of BENCH_TRIALS trials."""
    rounds = int(os.environ.get("BENCH_ROUNDS", "3"))
    with tempfile.TemporaryDirectory(prefix="acts-bench-") as name:
        folder = Path(name)
        search = {"metric": "roc_auc", "trials": int(os.environ.get("BENCH_TRIALS", "12")), "scheduler": "none"}
        request = flights_request(folder, search={**search, "seed": 2013, "time_budget": "PT2H"})
        (folder / "request.json").write_text(request.to_json())
        loads, seen = [os.getloadavg()[0]], {side: [] for side in SIDES}  # type: ignore[var-annotated]
        for turn in range(rounds):
            for side in SIDES if turn % 2 else reversed(SIDES):
                seen[side].append(_side(side, folder))
                loads.append(os.getloadavg()[0])
    ratios = [a["seconds"]["search"] / b["seconds"]["search"] for a, b in zip(seen["ray"], seen["joblib"], strict=True)]
    steady = [_wall(a) / _wall(b) for a, b in zip(seen["ray"], seen["joblib"], strict=True)]
    busy = [_least(each["busy"]) for each in seen["ray"]]
    same = all(each["values"] == seen["joblib"][0]["values"] for side in SIDES for each in seen[side])
    ratio = statistics.median(ratios)
    return {
        "what": f"{request.spec.search.trials} trials of {request.spec.name}, {request.split.train.rows} train rows, "
        f"{request.cpus} cores: wall seconds of the search against joblib's over the same fits",
        "figures": {
            "seconds": {side: [_rounded(each["seconds"]) for each in seen[side]] for side in SIDES},
            "fits, seconds": {side: [round(sum(each["fits"]), 1) for each in seen[side]] for side in SIDES},
            "ratios": [round(each, 3) for each in ratios],
            "ratios, each side's wall by the time in its fits": [round(each, 3) for each in steady],
            "busy in the middle": {side: [each["busy"] for each in seen[side]] for side in SIDES},
            "Ray's start hidden": [_hidden(each["seconds"]) for each in seen["ray"]],
            "same values": same,
            "load before and after each": [round(load, 1) for load in loads],
        },
        "ratio": round(ratio, 3),
        "goal": f"at most {GOAL} times joblib once Ray is up; both cores at least {BUSY:.0%} busy in the middle, and "
        "our processes take as much of what others left; the same values",
        "holds": ratio <= GOAL and statistics.median(busy) >= BUSY and same,
    }


def _side(side: str, folder: Path) -> dict[str, Any]:
    out = folder / f"{side}.json"
    command = [sys.executable, "-m", "tests.benchmarks.search_sides", side, str(folder / "request.json"), str(out)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "TUNE_"))}
    with (folder / "log.txt").open("w+") as log:
        done = subprocess.run(command, env={**environment, "HOME": str(folder)}, stdout=log, stderr=log, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{(folder / 'log.txt').read_text()}")
    answer: dict[str, Any] = json.loads(out.read_text())
    return answer


def _wall(side: dict[str, Any]) -> float:
    """Wall seconds by second spent in fits: other work on the machine makes both longer."""
    return float(side["seconds"]["search"] / sum(side["fits"]))


def _least(busy: dict[str, Any]) -> float:
    return float(min(*busy["cores"].values(), busy["taken of what others left"]))


def _hidden(seconds: dict[str, float]) -> dict[str, float]:
    """Ray's start, the rows beside it, and what both took: what the start adds is the rest."""
    return {
        "start": round(seconds["ray"], 2),
        "rows beside it": round(seconds["prepare"], 2),
        "both": round(seconds["both"], 2),
        "added": round(seconds["both"] - seconds["prepare"], 2),
    }


def _rounded(seconds: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in seconds.items()}
