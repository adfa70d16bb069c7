"""Cold start of ``acts check`` and ``acts plan`` on the repository's own declarations, against their bare imports."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 5
SECONDS, TIMES = 1.5, 4.0
HEAVY = ("dagster", "ray", "pandas", "polars", "torch", "sklearn")
# What the commands cannot do without. rfc3987_syntax, which jsonschema compiles for 1.2 s when it happens to be
# installed, is hidden here too: the core install has no such package, and acts does not wait for it either.
BARE = (
    "import sys; sys.modules['rfc3987_syntax'] = None; "
    "import click, yaml, pydantic, jsonschema, open_data_contract_standard.model, sqlglot, packaging.specifiers"
)
PROGRAMS = {
    "bare imports of check": ("-c", BARE),
    "acts check": ("-m", "ci.main", "check"),
    "bare imports of plan": ("-c", f"{BARE}, upath"),
    "acts plan": ("-m", "ci.main", "plan"),
}


def run() -> dict[str, Any]:
    """Wall and processor seconds of fresh processes, children included; the smallest of a few rounds of each."""
    with tempfile.TemporaryDirectory(prefix="acts-bench-") as folder:
        repo = _repository(Path(folder))
        wall: dict[str, list[float]] = {name: [] for name in PROGRAMS}
        processor: dict[str, list[float]] = {name: [] for name in PROGRAMS}
        for _ in range(ROUNDS):
            for name, arguments in PROGRAMS.items():
                took, cost = _measure(arguments, repo)
                wall[name].append(took)
                processor[name].append(cost)
    best = {name: min(times) for name, times in wall.items()}
    ratios = {c: min(processor[f"acts {c}"]) / min(processor[f"bare imports of {c}"]) for c in ("check", "plan")}
    heavy = [module for command in ("check", "plan") for module in _heavy(command)]
    slowest = max(min(processor[f"acts {c}"]) for c in ("check", "plan"))
    return {
        "what": "acts check and acts plan in fresh processes, on this repository's contracts and specs, against a "
        "process that only imports what they need (processor seconds, git included; least of "
        f"{ROUNDS} alternating rounds)",
        "figures": {
            "wall_s": {name: round(value, 3) for name, value in best.items()},
            "processor_s": {name: round(min(values), 3) for name, values in processor.items()},
            "ratios": {name: round(value, 2) for name, value in ratios.items()},
            "heavy_imports": heavy,
        },
        "ratio": round(max(ratios.values()), 2),
        "goal": f"below {SECONDS} s on a quiet machine (processor seconds: nothing runs in parallel, so that is what "
        f"a quiet machine waits), at most {TIMES:g} times the bare imports, nothing heavy imported",
        "holds": slowest < SECONDS and max(ratios.values()) <= TIMES and not heavy,
    }


def _repository(folder: Path) -> Path:
    """The declarations as a repository of its own with one change in the working folder."""
    import shutil

    repo = folder / "repo"
    for name in ("data_contracts", "models"):
        shutil.copytree(ROOT / name, repo / name)
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false")
    for arguments in (("init", "-q", "-b", "main"), ("add", "."), (*identity, "commit", "-qm", "all")):
        subprocess.run(["git", *arguments], cwd=repo, check=True, capture_output=True)
    spec = repo / "models" / "late_arrival" / "spec.yaml"
    spec.write_text(spec.read_text().replace("seed: 2013", "seed: 2014"))
    return repo


def _measure(arguments: tuple[str, ...], repo: Path) -> tuple[float, float]:
    import os
    import resource

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, *arguments], cwd=repo, env=environment, check=True, capture_output=True)
    took = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _heavy(command: str) -> list[str]:
    code = f"import sys; from ci.main import main; main(['{command}']); print(*(set(sys.modules) & set({HEAVY!r})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()[-1].split()
