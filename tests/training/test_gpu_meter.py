"""The meter's arithmetic, with NVML's double: where there is a card, test_loop.py asks the card."""

import time
from types import SimpleNamespace

import pynvml
import pytest
import torch

from dagster_project.training.device import Device
from dagster_project.training.gpu_meter import GpuMeter, utilisation_of

CARD = Device("cuda:0", "bfloat16")


class Nvml:
    """Says 80 % and 40 % in turn; ``uuid`` is the only card there is."""

    def __init__(self, uuid: str) -> None:
        self.uuid, self.asked = uuid, 0

    def nvmlInit(self) -> None:  # noqa: N802 NVML's name
        pass

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:  # noqa: N802
        if uuid != self.uuid:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return uuid

    def nvmlDeviceGetUtilizationRates(self, handle: str) -> SimpleNamespace:  # noqa: N802
        self.asked += 1
        return SimpleNamespace(gpu=80 if self.asked % 2 else 40)


@pytest.fixture
def card(monkeypatch):
    """Torch's view of a card that isn't there."""
    properties = SimpleNamespace(name="A card", uuid="11-22", total_memory=1000)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda place: properties)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda place: None)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda place: 600)


def test_utilisation_is_the_mean_while_the_card_works(card):
    meter = GpuMeter(CARD, utilisation_of(CARD, Nvml("GPU-11-22")))
    with meter.running():
        time.sleep(0.5)
    seen = len(meter.shares)
    time.sleep(0.5)
    assert len(meter.shares) == seen >= 2
    reading = meter.read(SimpleNamespace(samples_per_second=5.0))
    assert 0.4 <= reading.utilisation <= 0.8
    assert (reading.name, reading.peak_memory, reading.memory, reading.precision) == ("A card", 600, 1000, "bfloat16")


def test_a_short_epoch_has_a_sample(card):
    meter = GpuMeter(CARD, lambda: 0.5)
    with meter.running():
        pass
    assert meter.shares == [0.5]


def test_a_card_that_does_not_say_is_none_and_not_idle(card):
    meter = GpuMeter(CARD, utilisation_of(CARD, Nvml("GPU-another")))
    with meter.running():
        pass
    assert meter.read(SimpleNamespace(samples_per_second=5.0)).utilisation is None
