"""Contract rules on 1,000,000 x 20 with 53 rules: against one polars scan written by hand, and datacontract-cli.

Each tool runs in processes of its own, in turn. What counts is the processor time of the first check in a process, its
imports left out, since a build checks once; later checks and imports are in the figures too. datacontract-cli (in an
environment of its own, installed once) does not check column types of Parquet files, ours does.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.rules_table import PLANTED, ROWS, contract, rows
from tests.environments import environment

REPOSITORY = Path(__file__).resolve().parents[2]
CHILD = Path(__file__).with_name("rules_child.py")
OTHER = "datacontract-cli[duckdb]==1.2.8"
PROCESSES, RUNS = 3, 3
TABLE = "rows.parquet"


def run() -> dict[str, Any]:
    """Measure and compare."""
    other = environment("datacontract-cli", OTHER)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("clean", "planted"):
            place = Path(folder) / name
            place.mkdir()
            rows(name == "planted").write_parquet(place / TABLE)
            (place / "rows.yaml").write_text(contract(TABLE))
        pythons = {"hand": sys.executable, "ours": sys.executable, "datacontract": str(other)}
        counts = {
            tool: _measure(tool, python, Path(folder) / "planted", 1)["counts"] for tool, python in pythons.items()
        }
        seen: dict[str, list[dict[str, Any]]] = {tool: [] for tool in pythons}
        for _ in range(PROCESSES):
            for tool, python in pythons.items():
                seen[tool].append(_measure(tool, python, Path(folder) / "clean", RUNS))
    return _result(seen, counts)


def _measure(tool: str, python: str, place: Path, runs: int) -> dict[str, Any]:
    path = {"PYTHONPATH": str(REPOSITORY)} if tool != "datacontract" else {}
    done = subprocess.run(
        [python, str(CHILD), tool, "rows.yaml", TABLE, str(runs)],
        cwd=place, env={**os.environ, **path}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    measured: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return measured


def _result(seen: dict[str, list[dict[str, Any]]], counts: dict[str, dict[str, int]]) -> dict[str, Any]:
    """``counts``: by tool, violations of the planted table by rule."""
    figures: dict[str, Any] = {"rows": ROWS, "rules": len(counts["hand"])}
    for tool, measured in seen.items():
        figures[tool] = {
            "first_cpu_s": _middle(one["cpu"][0] for one in measured),
            "later_cpu_s": _middle(min(one["cpu"][1:]) for one in measured),
            "import_cpu_s": _middle(one["import"] for one in measured),
            "first_wall_s": _middle(one["wall"][0] for one in measured),
        }
    hand = {rule: count for rule, count in counts["hand"].items() if count}
    same = counts["hand"] == counts["ours"] == counts["datacontract"] and hand == PLANTED
    first = {tool: figures[tool]["first_cpu_s"] for tool in seen}
    whole = {tool: first[tool] + figures[tool]["import_cpu_s"] for tool in seen}
    figures |= {
        "same_violations": same,
        "ours_to_hand": round(first["ours"] / first["hand"], 2),
        "ours_to_hand_later": round(figures["ours"]["later_cpu_s"] / figures["hand"]["later_cpu_s"], 2),
        "datacontract_to_ours": round(first["datacontract"] / first["ours"], 2),
        "datacontract_to_ours_later": round(figures["datacontract"]["later_cpu_s"] / figures["ours"]["later_cpu_s"], 2),
        "datacontract_to_ours_with_imports": round(whole["datacontract"] / whole["ours"], 2),
    }
    return {
        "what": "contract rules, processor seconds of the first check in a process",
        "figures": figures,
        "ratio": figures["ours_to_hand"],
        "goal": "at most 2 times one hand-written scan, datacontract-cli at least 5 times ours, the same violations",
        "holds": same and figures["ours_to_hand"] <= 2 and figures["datacontract_to_ours"] >= 5,
    }


def _middle(values: Any) -> float:
    return round(float(statistics.median(values)), 3)
