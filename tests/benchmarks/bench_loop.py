"""The whole loop against one plain script that does the same fits, checks, export and metrics with no orchestrator.

Both fit the same proposals on both cores and must end with the same ONNX file, the same outcomes of deepchecks and the
same metrics. The script keeps its fitted estimators, so that it fits once less than the loop, which trains the best
again; and it checks no contract, keeps no snapshot, asks no budget and writes no report.
"""

import json
import os
from typing import Any

from ci.judging.run import last_verdict
from dagster_project.domain.build import BuildResult
from dagster_project.domain.measured import LATENCY
from dagster_project.domain.verdict import Finding, Verdict
from dagster_project.storage.store import ArtifactStore
from tests.benchmarks.throwaway import MODEL, Bench, Took, bench

GOAL = 1.4
CLOCK = "ModelInferenceTime"
TOLERANCE = 1e-5  # the script runs the graph on two threads, judge on one: sums of float32 in another order


def run() -> dict[str, Any]:
    """Several minutes a side, one after the other."""
    trials = int(os.environ.get("BENCH_TRIALS", "12"))
    with bench(trials if trials != 12 else None) as here:
        before = os.getloadavg()[0]
        out = here.repo.parent / "plain.json"
        plain = here.run("tests.benchmarks.plain_script", str(here.repo), str(out))
        between = os.getloadavg()[0]
        build, judge = here.acts("build", MODEL), here.acts("judge", MODEL)
        after = os.getloadavg()[0]
        script = json.loads(out.read_text())
        verdict, stages = _answers(here)
    loop = build + judge
    differing = _differing(script, verdict)
    ratio = loop.wall / plain.wall
    return {
        "what": f"build and judge of {MODEL}, all flights, {trials} trials, against a plain script: wall seconds",
        "figures": {
            "script": _figures(plain),
            "loop": _figures(loop),
            "build": _figures(build),
            "judge": _figures(judge),
            "CPU ratio": round(loop.cpu / plain.cpu, 2),
            "script by stage": script["seconds"],
            "loop by stage": stages,
            "best": script["family"],
            "what differs": differing,
            "load before, between, after": [before, between, after],
        },
        "ratio": round(ratio, 2),
        "goal": f"at most {GOAL} times the script, with the same ONNX file, checks and metrics",
        "holds": ratio <= GOAL and not differing,
    }


def _figures(took: Took) -> dict[str, float]:
    return {"wall s": round(took.wall, 1), "CPU s": round(took.cpu, 1)}


def _answers(here: Bench) -> tuple[Verdict, dict[str, Any]]:
    """The loop's verdict, and its seconds by stage."""
    store = ArtifactStore(str(here.repo / ".acts" / "store"))
    verdict = last_verdict(store, "model", MODEL)
    built = BuildResult.model_validate(store.get_ref(f"latest/model/{MODEL}"))
    return verdict, {"build": built.stages, "judge": verdict.facts["timings"]}


def _differing(script: dict[str, Any], verdict: Verdict) -> list[str]:
    """Where the two disagree: bytes, deepchecks' outcomes, metrics of the validation rows. A clock may differ."""
    checks = {_name(f): str(f.outcome.value) for f in verdict.findings if f.source == "deepchecks" and f.suite}
    numbers = {_key(m.model_dump()): m.value for m in verdict.measurements if m.rows == "validation"}
    found = [] if script["onnx"] == verdict.challenger_onnx else ["ONNX bytes"]
    names = (name for name in checks.keys() | script["deepchecks"].keys() if CLOCK not in name)
    found += sorted(name for name in names if checks.get(name) != script["deepchecks"].get(name))
    for measured in script["measurements"]:
        if measured["rows"] == "validation" and measured["metric"] != LATENCY:
            value = numbers.get(_key(measured))
            if value is None or abs(value - measured["value"]) > TOLERANCE:
                found.append(f"{_key(measured)}: {measured['value']} and {value}")
    return found


def _name(finding: Finding) -> str:
    return f"{finding.suite} {finding.name} {finding.rows}"


def _key(measured: dict[str, Any]) -> str:
    return f"{measured['metric']} {measured['slice'] or ''}".strip()
