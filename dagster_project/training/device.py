"""Where a network trains, and in which precision. Torch and the standard library alone."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Precision = Literal["bfloat16", "float32"]
_ROOM = 0.5  # share of the card's free memory that rows may take


@dataclass(frozen=True)
class Device:
    """``cpu`` or a card (``cuda:0``); forward passes run in ``precision``, weights and sums stay float32."""

    name: str = "cpu"
    precision: Precision = "float32"

    @property
    def is_gpu(self) -> bool:
        """Whether it is a card."""
        return self.name != "cpu"

    def holds(self, size: int) -> bool:
        """Whether ``size`` bytes of rows may stay on the device from epoch to epoch."""
        import torch

        return not self.is_gpu or size <= _ROOM * torch.cuda.mem_get_info(torch.device(self.name))[0]

    def autocast(self) -> "torch.autocast":
        """The context of a forward pass: mixed precision (Micikevicius et al. 2018) where it is bfloat16."""
        import torch

        kind = self.name.partition(":")[0]
        return torch.autocast(kind, dtype=torch.bfloat16, enabled=self.precision == "bfloat16")


CPU = Device()


def choose_device(gpus: int, place: "torch.device | None" = None) -> Device:
    """A card where the lease has GPUs and torch sees one, at ``place`` or the first; else the CPU.

    The card works in bfloat16 where it has it in hardware (Ampere and later).
    """
    import torch

    if not gpus or not torch.cuda.is_available():
        return CPU
    card = place or torch.device("cuda", 0)
    torch.cuda.set_device(card)
    own = torch.cuda.is_bf16_supported(including_emulation=False)
    return Device(f"cuda:{card.index or 0}", "bfloat16" if own else "float32")


def settle(device: Device) -> None:
    """One thread and sums in one order on the CPU; on a card, deterministic kernels wherever there are some."""
    import torch

    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it cuBLAS may sum in another order
    torch.use_deterministic_algorithms(True, warn_only=device.is_gpu)
    # a kernel for each new tensor, and no sum reads what was there before
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.set_num_threads(1)
