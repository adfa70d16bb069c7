"""One side of the search benchmark: ``python -m tests.benchmarks.search_sides ray|joblib REQUEST.json OUT.json``.

Both load and prepare the rows, fit the same proposals with the same function, two at a time and on one thread each, and
keep each fit's value. Only the fits are compared; how long it takes until they can begin is told apart.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster_project.domain.build import BuildRequest
from dagster_project.training.cluster import cluster
from dagster_project.training.problem import Problem, fit, pose
from dagster_project.training.progress import Lines
from dagster_project.training.rows import load_data
from dagster_project.training.search import search
from dagster_project.training.space import Proposal, propose
from tests.benchmarks.load import tree_cpu
from tests.looking import looking

EVERY = 0.25


def main(side: str, request: BuildRequest) -> dict[str, Any]:
    """Values by trial, ``seconds`` (of the fits, and until they could begin) and how busy the cores were."""
    return {"ray": _ray, "joblib": _joblib}[side](request)


def _ray(request: BuildRequest) -> dict[str, Any]:
    """As the training program does: Ray starts here while a thread prepares the rows."""
    clock: dict[str, float] = {}
    begin = time.perf_counter()
    with ThreadPoolExecutor(1) as pool:
        posed = pool.submit(_timed, clock, "prepare", _pose, request)
        up = time.perf_counter()
        with cluster(request) as place:
            clock["ray"] = time.perf_counter() - up
            problem = posed.result()
            clock["both"] = time.perf_counter() - begin
            proposals = propose(request.spec)
            shown = Lines(request.spec.search.metric, len(proposals))
            with watched() as looks:
                trials = _timed(clock, "search", search, request, problem, proposals, place, shown).trials
    return {
        "values": [trial.value for trial in trials],
        "fits": [trial.seconds for trial in trials],
        "seconds": clock,
        "busy": middle(looks),
    }


def _joblib(request: BuildRequest) -> dict[str, Any]:
    """Rows first, then loky's processes, then the fits."""
    from joblib import Parallel, delayed

    clock: dict[str, float] = {}
    problem = _timed(clock, "prepare", _pose, request)
    proposals = propose(request.spec)
    with Parallel(n_jobs=request.cpus, pre_dispatch="all", batch_size=1) as parallel:
        _timed(clock, "pool", parallel, [delayed(_import)(number) for number in range(request.cpus)])
        with watched() as looks:
            values = _timed(clock, "search", parallel, [delayed(_last)(problem, each) for each in proposals])
    fits = [seconds for _, seconds in values]
    return {"values": [value for value, _ in values], "fits": fits, "seconds": clock, "busy": middle(looks)}


def _pose(request: BuildRequest) -> Problem:
    return pose(request.spec, load_data(request))


def _import(number: int) -> int:
    """A process of the pool starts; it also has what a fit imports."""
    from sklearn import ensemble, linear_model, metrics  # noqa: F401

    time.sleep(1.0)  # so that no process takes two of these
    return number


def _last(problem: Problem, proposal: Proposal) -> tuple[float, float]:
    begin = time.perf_counter()
    *_, done = fit(problem, proposal)
    return done.value, time.perf_counter() - begin


def _timed(clock: dict[str, float], name: str, run: Callable[..., Any], *arguments: Any) -> Any:
    begin = time.perf_counter()
    found = run(*arguments)
    clock[name] = time.perf_counter() - begin
    return found


Look = tuple[float, dict[int, float], float]


@contextmanager
def watched() -> Iterator[list[Look]]:
    """Looks at the clock, each core's idle seconds and our tree's CPU seconds, a few times a second."""
    import os

    looks: list[Look] = []
    with looking(EVERY, lambda: looks.append((time.perf_counter(), idle_seconds(), tree_cpu(os.getpid())))):
        yield looks


def idle_seconds() -> dict[int, float]:
    """Seconds in which each core had nothing to run, or waited for a disk (proc(5): fields 4 and 5)."""
    import os

    lines = (line.split() for line in Path("/proc/stat").read_text().splitlines() if line.startswith("cpu"))
    ours = {f"cpu{core}": core for core in os.sched_getaffinity(0)}
    tick = os.sysconf("SC_CLK_TCK")
    return {ours[name]: (int(rest[3]) + int(rest[4])) / tick for name, *rest in lines if name in ours}


def middle(looks: list[Look]) -> dict[str, Any]:
    """Between a quarter and three quarters of the time: the share in which each core ran anything, and how much of what
    others left (this machine is shared) our processes took."""
    first, last = looks[len(looks) // 4], looks[3 * len(looks) // 4]
    wall = last[0] - first[0]
    idle = {core: last[1][core] - first[1][core] for core in last[1]}
    ours = last[2] - first[2]
    return {
        "cores": {str(core): round(1 - seconds / wall, 3) for core, seconds in idle.items()},
        "taken of what others left": round(ours / (ours + sum(idle.values())), 3),
        "our share of the machine": round(ours / wall / len(idle), 3),
    }


if __name__ == "__main__":
    asked = BuildRequest.from_json(Path(sys.argv[2]).read_bytes())
    Path(sys.argv[3]).write_text(json.dumps(main(sys.argv[1], asked)))
