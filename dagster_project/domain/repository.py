"""A repository's declarations at one commit or on disk: contracts, specs, locks and the floor."""

from typing import Protocol

from pydantic import Field

from .base import StrictModel
from .contract import DataContract
from .gates import Floor, Gate
from .lock import ChampionLock
from .spec import ModelSpec


class Tree(Protocol):
    """Files of a repository: a working folder or a commit read from git objects."""

    name: str

    def paths(self, folder: str) -> list[str]:
        """Paths of the files below ``folder``, sorted, with forward slashes."""
        ...

    def read(self, path: str) -> bytes:
        """Bytes of one file; raises ``FileNotFoundError``."""
        ...


class Repository(StrictModel):
    """Everything declared, checked, at one tree."""

    contracts: dict[str, DataContract] = Field(default_factory=dict)
    specs: dict[str, ModelSpec] = Field(default_factory=dict)
    locks: dict[str, ChampionLock] = Field(default_factory=dict)
    floor: Floor = Floor()
    files: dict[str, str] = Field(default_factory=dict, description="path -> digest of its bytes")

    def gates_for(self, spec: ModelSpec) -> tuple[Gate, ...]:
        """The floor's gates, then the spec's own, without repeats."""
        gates: dict[str, Gate] = {
            gate.content_digest(): gate for gate in (*self.floor.gates_for(spec.task), *spec.gates)
        }
        return tuple(gates.values())

    def inputs_of(self, dataset: str) -> tuple[str, ...]:
        """Datasets that ``dataset`` is derived from, nearest last, every one once, itself left out."""
        seen: dict[str, None] = {}

        def visit(name: str) -> None:
            derivation = self.contracts[name].derivation
            for source in derivation.inputs if derivation else ():
                if source not in seen:
                    visit(source)
                    seen[source] = None

        visit(dataset)
        return tuple(seen)

    def models_of(self, dataset: str) -> tuple[str, ...]:
        """Models that read ``dataset``, directly or through datasets derived from it."""
        return tuple(
            name
            for name, spec in sorted(self.specs.items())
            if spec.contract.name == dataset or dataset in self.inputs_of(spec.contract.name)
        )
