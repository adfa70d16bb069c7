"""What a network begins with beside its layout: code of the model's own, and pretrained weights. Torch alone."""

from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from dagster_project.training.layout import Layout


@dataclass(frozen=True)
class Beginning:
    """``source`` of architecture.py; ``weights`` the bytes of a safetensors file; ``frozen``: they stay as they are."""

    model: str = ""
    source: str = ""
    weights: bytes = field(default=b"", repr=False)
    frozen: bool = False


def own_network(beginning: Beginning, layout: "Layout", outputs: int, parameters: dict[str, Any]) -> "torch.nn.Module":
    """Run the model's own code and take its network.

    Raises:
        UsageError: it raises, or returns something else.
    """
    import torch

    from dagster_project.domain.architecture import FUNCTION, architecture_file
    from dagster_project.domain.errors import UsageError

    file = architecture_file(beginning.model)
    module = ModuleType("architecture")
    try:
        exec(compile(beginning.source, file, "exec"), module.__dict__)
        made = getattr(module, FUNCTION)(layout, outputs, parameters)
    except Exception as error:
        raise UsageError(f"{file}: {type(error).__name__}: {error}. Mend it.") from error
    if not isinstance(made, torch.nn.Module):
        raise UsageError(f"{file}: {FUNCTION} returned {type(made).__name__}. Return a torch.nn.Module.")
    return made


def take_weights(network: "torch.nn.Module", beginning: Beginning) -> list[str]:
    """Load the weights that the file has for parts of the network; their names.

    Every tensor of the file must have its place: the same name, or the same name in what the network calls ``body``.

    Raises:
        RefusedError: the file is no safetensors file, or a tensor has no place of its shape.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    from dagster_project.domain.errors import RefusedError

    try:
        given = load(beginning.weights)
    except SafetensorError as error:
        raise RefusedError(f"the pretrained weights are no safetensors file: {error}. Store them again.") from error
    places = network.state_dict()
    named = {name if name in places else f"body.{name}": tensor for name, tensor in given.items()}
    odd = [f"{name} {tuple(tensor.shape)}" for name, tensor in named.items()
           if name not in places or places[name].shape != tensor.shape]  # fmt: skip
    if odd or not named:
        there = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in list(places.items())[:6])
        raise RefusedError(
            f"the pretrained weights do not fit the network: no place for {', '.join(odd[:6]) or 'nothing'}. "
            f"It has {there}{' ...' if len(places) > 6 else ''}. Choose its parameters as the weights have them."
        )
    network.load_state_dict({**places, **named})
    if beginning.frozen:
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name not in named)
    return sorted(named)
