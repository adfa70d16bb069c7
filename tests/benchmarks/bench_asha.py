"""ASHA against running every trial to its end: perceptrons on a part of the real flights, five seeds.

A seed has proposals and weights of its own; both schedulers get the same ones, on the same Ray. Steps are epochs, of
all seeds together: what one seed saves depends on the order in which its trials happen to reach a rung. The interval is
that of the best of all trials run to their ends, over the validation rows.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from dagster_project.domain.base import digest_of_bytes
from dagster_project.domain.build import BuildRequest
from dagster_project.domain.spec import ModelSpec
from tests.benchmarks.flights import flights_request

ROWS, TRIALS, SEEDS = 30_000, 16, 5
SCHEDULERS = ("none", "asha")
GOAL = 0.5


def run() -> dict[str, Any]:
    """Some ten minutes on two quiet cores; BENCH_SEEDS makes it shorter."""
    seeds = [2013 + number for number in range(int(os.environ.get("BENCH_SEEDS", SEEDS)))]
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="acts-bench-") as name:
        folder = Path(name)
        asked = flights_request(folder, last=ROWS, candidates=[{"family": "mlp"}])
        names = [(seed, scheduler) for seed in seeds for scheduler in SCHEDULERS]
        for seed, scheduler in names:
            (folder / f"request-{seed}-{scheduler}.json").write_text(_with(asked, seed, scheduler).to_json())
        _run(folder)
        found = {each: json.loads((folder / f"out-{each[0]}-{each[1]}.json").read_text()) for each in names}
    figures = {str(seed): _seed(found[seed, "none"], found[seed, "asha"]) for seed in seeds}
    ratio = sum(found[seed, "asha"]["steps"] for seed in seeds) / sum(found[seed, "none"]["steps"] for seed in seeds)
    good = all(each["same winner"] or each["within its interval"] for each in figures.values())
    return {
        "what": f"{TRIALS} perceptrons a seed, the latest {ROWS} train rows of the flights, ASHA against none: epochs",
        "figures": {
            "seeds": figures,
            "median share of the steps": round(statistics.median(e["share of the steps"] for e in figures.values()), 3),
            "load before, after": [round(before, 1), round(os.getloadavg()[0], 1)],
        },
        "ratio": round(ratio, 3),
        "goal": f"with each seed the same winner or one within its interval; at most {GOAL:.0%} of all the steps",
        "holds": good and ratio <= GOAL,
    }


def _with(request: BuildRequest, seed: int, scheduler: str) -> BuildRequest:
    search = {**request.spec.search.model_dump(mode="json"), "seed": seed, "scheduler": scheduler, "trials": TRIALS}
    spec = {**request.spec.model_dump(mode="json", by_alias=True), "search": {**search, "time_budget": "PT2H"}}
    key = digest_of_bytes(f"{seed}/{scheduler}".encode())  # no search goes on from another's checkpoints
    return request.model_copy(update={"spec": ModelSpec.model_validate(spec), "build_key": key})


def _run(folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "TUNE_"))}
    command = [sys.executable, "-m", "tests.benchmarks.asha_searches", str(folder)]
    with (folder / "log.txt").open("w") as log:
        done = subprocess.run(command, env={**environment, "HOME": str(folder)}, stdout=log, stderr=log, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{(folder / 'log.txt').read_text()}")


def _seed(full: dict[str, Any], asha: dict[str, Any]) -> dict[str, Any]:
    """One seed's winners: the value, and what running every trial to its end would have found of it."""
    return {
        "none": {name: full[name] for name in ("winner", "value", "low", "high", "steps")},
        "asha": {name: asha[name] for name in ("winner", "value", "steps")},
        "same winner": full["winner"] == asha["winner"],
        "within its interval": asha["value"] >= full["low"],
        "share of the steps": round(asha["steps"] / full["steps"], 3),
    }
