"""A real search by the real training program on GPU nodes that Ray's autoscaler brings and takes away."""

import os
from pathlib import Path

import pytest

from dagster_project.domain.bundle import BundleManifest
from dagster_project.storage.store import ArtifactStore
from tests.compute.on_kubernetes import IDLE
from tests.compute.searching import searched
from tests.compute.timeline import Look, Timeline


def test_a_timeline_knows_when_work_ended_and_the_last_node_went() -> None:
    looks = [(0, 0, 0), (1, 1, 0), (2, 2, 1), (3, 2, 2), (4, 2, 1), (5, 2, 0), (9, 1, 0), (11, 0, 0), (12, 0, 0)]
    seen = Timeline([Look(*each) for each in looks])
    assert (seen.most, seen.work_ended, seen.last_gone, seen.idle) == (2, 4, 11, 7)
    assert seen.changes[-1] == (11, 0, 0)
    assert Timeline(seen.looks[:-2]).last_gone is None


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(os.geteuid() != 0, reason="namespaces of its own need root")
def test_a_search_has_two_gpu_nodes_and_then_none_and_leaves_nothing(tmp_path: Path) -> None:
    done = searched(tmp_path)
    assert done.code == 0 and done.result is not None, done.said
    assert (done.seen.looks[0].nodes, done.seen.most, done.workers) == (0, 2, 2), done.seen.changes
    assert done.seen.idle <= IDLE + 5, done.seen.changes
    assert (done.left, done.shared) == ((), ())
    store, lease = ArtifactStore(str(done.repo / ".acts" / "store")), done.result.lease
    assert done.result.bundle is not None and lease is not None
    assert BundleManifest.from_json(store.get(done.result.bundle)).family == "mlp"
    assert lease.outcome == "succeeded" and lease.last_gone is not None
    assert sorted(node.kind for node in lease.nodes) == ["head", "worker", "worker"]
    assert 0 < lease.amount <= done.seconds * (0.36 + 2 * 3.6) / 3600
