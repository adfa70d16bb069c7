"""What a card does while a network trains on it, as NVML and torch see it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dagster_project.domain.lease import GpuUse
from dagster_project.training.device import Device

if TYPE_CHECKING:
    from dagster_project.training.loop import Training

_PERIOD = 0.2  # seconds; NVML averages over at least a sixth of one
Probe = Callable[[], float | None]
"""The share of the last moments in which a kernel ran; None where the card does not say, as a part of one (MIG)."""


class GpuMeter:
    """Samples the card while :meth:`running` is entered, which may be often; time between is not counted."""

    def __init__(self, device: Device, probe: Probe | None = None) -> None:
        import torch

        self.device = device
        self.probe = probe or utilisation_of(device)
        self.shares: list[float] = []
        torch.cuda.reset_peak_memory_stats(torch.device(device.name))

    @contextmanager
    def running(self) -> Iterator[None]:
        """The card works inside."""
        over = threading.Event()
        thread = threading.Thread(target=self._sample, args=(over,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def read(self, training: "Training") -> GpuUse:
        """What was seen so far."""
        import torch

        place = torch.device(self.device.name)
        card = torch.cuda.get_device_properties(place)
        return GpuUse(
            name=card.name,
            utilisation=mean(self.shares),
            peak_memory=torch.cuda.max_memory_allocated(place),
            memory=card.total_memory,
            samples_per_second=training.samples_per_second,
            precision=self.device.precision,
        )

    def _sample(self, over: threading.Event) -> None:
        """A sample each period, and one at the end: an epoch may be shorter."""
        while not over.wait(_PERIOD):
            self._keep()
        self._keep()

    def _keep(self) -> None:
        share = self.probe()
        if share is not None:
            self.shares.append(share)


def mean(shares: list[float]) -> float | None:
    """None where there is none."""
    return sum(shares) / len(shares) if shares else None


def utilisation_of(device: Device, nvml: Any = None) -> Probe:
    """A probe of the card by its UUID: NVML's order is not CUDA's. ``nvml`` is pynvml or its double."""
    import pynvml
    import torch

    library = nvml or pynvml
    uuid = torch.cuda.get_device_properties(torch.device(device.name)).uuid
    try:
        library.nvmlInit()
        handle = library.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
        library.nvmlDeviceGetUtilizationRates(handle)
    except pynvml.NVMLError:  # no driver library in the image, or a part of a card, which is not measured
        return lambda: None
    return lambda: float(library.nvmlDeviceGetUtilizationRates(handle).gpu) / 100
