"""Programs of test_streaming: ``python -m tests.training.streaming_child epochs|memory|snapshot FOLDER``.

Each prints one line of JSON. What trains holds every slot of Ray's, as trials do.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from dagster_project.domain.build import BuildRequest
from dagster_project.domain.bundle import Input
from dagster_project.training import streaming
from dagster_project.training.cluster import cluster
from dagster_project.training.device import CPU
from dagster_project.training.intake import load
from dagster_project.training.local_ray import local_ray
from dagster_project.training.problem import fit, pose
from dagster_project.training.progress import Lines
from dagster_project.training.search import search
from dagster_project.training.space import propose
from dagster_project.training.stream import Stream
from tests.benchmarks.load import tree
from tests.looking import looking


def epochs(folder: Path) -> dict[str, list[float]]:
    """The rows that epochs of a stream give, by epoch; 1000 of its 4000 have no label."""
    from sklearn.preprocessing import FunctionTransformer

    rows = pl.DataFrame({"x": np.arange(4000.0)}).with_columns(y=pl.when(pl.col("x") >= 1000).then(pl.col("x")))
    rows.write_parquet(folder / "rows.parquet", row_group_size=500)
    inputs = (Input(name="x", dtype="float32"),)
    keeps = FunctionTransformer(lambda frame: frame.to_numpy())
    stream = Stream(str(folder / "rows.parquet"), 3000, inputs, "y", (), 0.0, 1.0, 1, keeps)
    with local_ray(2):
        import ray  # it reads the environment that local_ray makes

        run = ray.remote(num_cpus=2)(_epochs)
        found: dict[str, list[float]] = ray.get(run.remote(stream))
    return found


def _epochs(stream: Stream) -> dict[str, list[float]]:
    batches = streaming.StreamedBatches(stream, 256, 7, CPU)
    found = {name: [row for share in rows_of(batches, epoch) for row in share] for name, epoch in
             {"0": 0, "0 again": 0, "1": 1}.items()}  # fmt: skip
    halves = []
    for rank in (0, 1):
        streaming.place_among = lambda rank=rank: (rank, 2)  # type: ignore[assignment]
        halves.append(rows_of(batches, 0))
    whole = []
    for even, odd in zip(*halves, strict=True):
        both = np.empty(len(even) + len(odd))
        both[::2], both[1::2] = even, odd
        whole += both.tolist()
    return {**found, "0 of two": whole}


def rows_of(batches: streaming.StreamedBatches, epoch: int) -> list[list[float]]:
    """Rows of one epoch, share by share; the goal of each is the row itself."""
    shares = list(batches.epoch(epoch, 64))
    assert all((share.inputs == share.goals).all() for share in shares)
    return [share.inputs[:, 0].tolist() for share in shares]


def memory(folder: Path) -> dict[str, Any]:
    """The most bytes of its own that any process had, from reading the request on, and the size of the train rows."""
    request = BuildRequest.from_json((folder / "request.json").read_bytes())
    with watched() as peaks, cluster(request):
        import ray

        data = load(request)
        problem = pose(request.spec, data)
        run = ray.remote(num_cpus=request.cpus)(lambda posed, proposal: [done.value for done in fit(posed, proposal)])
        values = ray.get(run.remote(problem, propose(request.spec)[0]))
    width = problem.prepared["scaled"].validation.shape[1]
    return {"peak": max(peaks.values()), "prepared": data.counts["train"] * width * 4, "values": values}


@contextmanager
def watched() -> Iterator[dict[int, int]]:
    """Bytes by process id of our tree, without what it shares: the most that was seen."""
    peaks: dict[int, int] = {}

    def look() -> None:
        for pid in tree(os.getpid()):
            peaks[pid] = max(peaks.get(pid, 0), own_bytes(pid))

    with looking(0.1, look):
        yield peaks


def own_bytes(pid: int) -> int:
    """Memory of a process that no file and no other process backs (proc(5): RssAnon)."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # it ended while we looked
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


def snapshot(folder: Path) -> dict[str, Any]:
    """Bytes and objects that a search of many trials puts into Ray's object store, and those of its problem."""
    request = BuildRequest.from_json((folder / "request.json").read_bytes())
    with cluster(request) as place:
        import ray
        from ray._private.internal_api import node_stats

        problem = pose(request.spec, load(request))
        node = ray.nodes()[0]
        address = node["NodeManagerAddress"], node["NodeManagerPort"]
        before = node_stats(*address).store_stats
        proposals = propose(request.spec)
        trials = search(request, problem, proposals, place, Lines("roc_auc", len(proposals))).trials
        after = node_stats(*address).store_stats
    made = sum(matrix.nbytes for each in problem.prepared.values() for matrix in (each.train, each.validation))
    return {
        "trials": sum(trial.value is not None for trial in trials),
        "problem": made,
        "created": after.cumulative_created_bytes - before.cumulative_created_bytes,
    }


if __name__ == "__main__":
    answer = {"epochs": epochs, "memory": memory, "snapshot": snapshot}[sys.argv[1]](Path(sys.argv[2]))
    print(json.dumps(answer))
