"""The processes that train one network together, and what each of them draws. Torch and numpy alone."""

from typing import TYPE_CHECKING

from dagster_project.training.device import Device

if TYPE_CHECKING:
    import torch


def place_among() -> tuple[int, int]:
    """This process's rank and the number of processes that train together: (0, 1) alone."""
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def distribute(network: "torch.nn.Module", device: Device) -> "torch.nn.Module":
    """The network with gradients averaged over all processes; itself where there is one."""
    if place_among()[1] == 1:
        return network
    from torch.nn.parallel import DistributedDataParallel

    return DistributedDataParallel(network, device_ids=[device.name] if device.is_gpu else None)


def derived_seed(*numbers: int) -> int:
    """One seed out of several numbers, so that streams drawn for different purposes have nothing in common."""
    import numpy as np

    entropy = [number % 2**64 for number in numbers]
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> np.uint64(1))


def seed_epoch(seed: int, number: int) -> None:
    """What an epoch draws besides its order (dropout) is its own in each process."""
    import torch

    torch.manual_seed(derived_seed(seed, number, 1 + place_among()[0]))
