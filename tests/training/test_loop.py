"""The epoch loop: what it goes on from, what several processes make of it, and that it stands on torch alone."""

import io
import subprocess
import sys

import numpy as np
import pytest
import torch

from dagster_project.training.device import CPU, choose_device
from dagster_project.training.families.mlp import make
from dagster_project.training.layout import Layout
from dagster_project.training.loop import Training

PARAMETERS = {
    "hidden": "16",
    "dropout": 0.2,
    "learning_rate": 3e-3,
    "weight_decay": 1e-4,
    "batch_size": 64,
    "epochs": 4,
    "clip": 1.0,
}

AMONG = """
import sys
import numpy as np
import torch
from torch import distributed
from tests.training.test_loop import begun
rank, processes, store, out = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=processes)
training = begun(dropout=0.0)
for _ in training.epochs():
    pass
if rank == 0:
    torch.save(training.state()["network"], out)
distributed.destroy_process_group()
"""

ALONE = """
import sys
from dagster_project.training import loop, network
from dagster_project.training.families import mlp
heavy = {"ray", "polars", "pydantic", "sklearn", "pandas"} & set(sys.modules)
assert not heavy, heavy
"""


def rows() -> tuple[np.ndarray, np.ndarray]:
    """129 rows: the last batch of 64 is one row, so that a second process has none of it."""
    matrix = np.random.default_rng(0).normal(size=(129, 5)).astype(np.float32)
    return matrix, (matrix[:, 0] > matrix[:, 1]).astype(np.int64)


def begun(**changes: object) -> Training:
    """A perceptron before its first epoch."""
    return make({**PARAMETERS, **changes}, "binary", 7, Layout()).begin(*rows())


def weights(training: Training) -> list[torch.Tensor]:
    for _ in training.epochs():
        pass
    return list(training.network.state_dict().values())


@pytest.mark.parametrize("stop", [1, 3])
def test_what_resumes_ends_bit_by_bit_where_it_would_have(stop):
    whole, part, kept = begun(), begun(), io.BytesIO()
    next(epoch for epoch in part.epochs() if epoch == stop)
    torch.save(part.state(), kept)
    kept.seek(0)
    resumed = begun()
    resumed.load(torch.load(kept, weights_only=True))
    assert resumed.epoch == stop
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed), strict=True))


def test_trainings_beside_each_other_leave_each_other_alone():
    one, other = begun(), begun(learning_rate=1e-3)
    for _ in zip(one.epochs(), other.epochs(), strict=True):
        pass
    assert all(torch.equal(a, b) for a, b in zip(weights(begun()), weights(one), strict=True))


@pytest.mark.parametrize("processes", [2, 3])
def test_several_processes_train_the_same_network(processes, tmp_path):
    """The shares of a batch differ in size and one is empty; the sums differ in rounding alone."""
    out = tmp_path / "network.pt"
    command = [sys.executable, "-c", AMONG]
    running = [
        subprocess.Popen([*command, str(rank), str(processes), str(tmp_path / "store"), str(out)])
        for rank in range(processes)
    ]
    assert [process.wait(timeout=120) for process in running] == [0] * processes
    together = torch.load(out, weights_only=True).values()
    alone = weights(begun(dropout=0.0))
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(alone, together, strict=True))


@pytest.mark.parametrize("clip", [0.01, 0.05])
def test_gradients_are_clipped(clip):
    training = begun(clip=clip)
    next(training.epochs())
    norm = torch.nn.utils.get_total_norm([p.grad for p in training.network.parameters() if p.grad is not None])
    assert 0 < norm <= clip * 1.001


def test_the_core_needs_torch_alone():
    subprocess.run([sys.executable, "-c", ALONE], check=True, timeout=60)


def test_without_a_card_or_a_lease_of_one_it_is_the_cpu():
    assert choose_device(0) == CPU
    if not torch.cuda.is_available():
        assert choose_device(1) == CPU


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no card")
def test_a_card_learns_what_the_cpu_learns():
    from dagster_project.training.gpu_meter import GpuMeter

    device = choose_device(1)
    training = make({**PARAMETERS, "dropout": 0.0}, "binary", 7, Layout()).begin(*rows(), device)
    meter = GpuMeter(device)
    for _ in training.epochs(meter.running):
        pass
    reading = meter.read(training)
    assert reading.peak_memory > 0 and reading.samples_per_second > 0
    there = [tensor.cpu() for tensor in training.network.state_dict().values()]
    assert all(torch.allclose(a, b, atol=0.02) for a, b in zip(weights(begun(dropout=0.0)), there, strict=True))
