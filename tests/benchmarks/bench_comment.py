"""From a push to the comment with the plan: processor time of the commands that the workflows call, after set-up.

Each runs in an environment with what its job installs and nothing more (the core; the core and the forge), on this
repository's own declarations, against the tests' GitHub. GitHub's own time, the runner's start and pip's are left out.
"""

import os
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.environments import environment
from tests.github.double import github_double

ROOT = Path(__file__).resolve().parents[2]
NAME, ROUNDS, SECONDS = "acme/models", 3, 5.0
HEAVY = ("dagster", "ray", "pandas", "polars", "torch", "sklearn", "onnx", "onnxruntime", "deepchecks")
SPEC = "models/late_arrival/spec.yaml"


def run() -> dict[str, Any]:
    """Processor seconds of check, builds and announce: the least of a few rounds of each."""
    core, forge = _environment("core", ""), _environment("forge", "[forge]")
    with tempfile.TemporaryDirectory(prefix="acts-bench-") as place:
        folder = Path(place)
        with github_double(folder / "github") as double:
            double.create_repository(NAME, from_=_declarations(folder / "seed"))
            app = double.app("gate", {"checks": "write", "pull_requests": "write", "actions": "read"})
            text = (ROOT / SPEC).read_text()
            double.push(NAME, "change", {SPEC: text.replace("seed: 2013", "seed: 2014")})
            number = double.open_pull(NAME, "change")
            told = {
                "GITHUB_TOKEN": double.installation_token(app.slug, NAME),
                "GITHUB_REPOSITORY": NAME,
                "GITHUB_API_URL": double.url,
            }
            clone = folder / "clone"
            _git("clone", "-q", str(double.path(NAME)), str(clone))
            _git("-C", str(clone), "fetch", "-q", "origin", "change")
            head = double.head(NAME, "change")
            took: dict[str, list[float]] = {}
            for turn in range(ROUNDS):
                started = double.run_began(NAME, ".github/workflows/pull-request.yml", "pull_request", pull=number)
                _git("-C", str(clone), "checkout", "-q", head)
                for name, python, arguments in (
                    ("acts check", core, ("check",)),
                    ("acts github builds", core, ("github", "builds", "--base", "origin/main", "--head", head)),
                    ("acts github announce", forge, ("github", "announce", "--run-id", str(started.id))),
                ):
                    took.setdefault(name, []).append(_cost(python, clone, arguments, told | {"TURN": str(turn)}))
            comments = double.comments(NAME, number)
    best = {name: round(min(times), 3) for name, times in took.items()}
    heavy = [name for name in HEAVY if _has(core, name) or _has(forge, name)]
    whole = round(sum(best.values()), 3)
    return {
        "what": "processor seconds from a push to the comment with the plan, after set-up: acts check, acts github "
        f"builds, acts github announce (least of {ROUNDS} rounds)",
        "figures": {"processor_s": best, "in all": whole, "heavy packages installed": heavy, "comments": len(comments)},
        "ratio": round(whole / SECONDS, 2),
        "goal": f"below {SECONDS:g} s in all; the core and the forge install nothing heavy; one comment",
        "holds": whole < SECONDS and not heavy and len(comments) == 1,
    }


def _environment(name: str, extra: str) -> Path:
    return environment(f"acts-{name}", "-c", str(ROOT / "constraints.txt"), "-e", f"{ROOT}{extra}")


def _declarations(folder: Path) -> Path:
    for name in ("data_contracts", "models", ".github"):
        shutil.copytree(ROOT / name, folder / name)
    _git("-C", str(folder), "init", "-q", "-b", "main")
    _git("-C", str(folder), "add", ".")
    _git("-C", str(folder), "commit", "-q", "-m", "all")
    return folder


def _git(*arguments: str) -> None:
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


def _cost(python: Path, clone: Path, arguments: tuple[str, ...], told: dict[str, str]) -> float:
    """Processor seconds, git included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {"PATH": os.environ["PATH"], "HOME": str(clone.parent), **told}
    done = subprocess.run(
        [str(python), "-m", "ci.main", *arguments],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"acts {' '.join(arguments)}: {done.stdout}{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _has(python: Path, package: str) -> bool:
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"
    return subprocess.run([str(python), "-c", code], check=False).returncode == 0
