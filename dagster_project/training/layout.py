"""Where in a prepared row each input is: what a network needs to see a picture in a row of numbers. Nothing heavy."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster_project.domain.families import Modality


@dataclass(frozen=True)
class Part:
    """Prepared columns ``start`` to ``stop`` are of one input; ``shape`` as in :class:`domain.bundle.Input`."""

    name: str
    modality: "Modality"
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True)
class Layout:
    """The parts of a prepared row in their order; ``horizon``: steps from a window's last to the target; ``season``:
    steps after which a series begins again."""

    parts: tuple[Part, ...] = ()
    horizon: int = 0
    season: int = 1

    def the(self, modality: "Modality") -> Part:
        """The one part of a kind; the guards let no model through that has another number of them."""
        (found,) = (part for part in self.parts if part.modality == modality)
        return found
