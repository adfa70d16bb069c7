"""A repository's declarations at one commit or on disk: contracts, specs, locks and the floor."""

from pathlib import Path
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


class FolderTree:
    """The files of a working folder, as they lie there. Links are not followed: they could lead anywhere."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.name = str(root)

    def paths(self, folder: str) -> list[str]:
        """Plain files below ``folder``, sorted, relative to the root; none where there is no such folder."""
        found = (path for path in (self.root / folder).rglob("*") if path.is_file() and not path.is_symlink())
        return sorted(path.relative_to(self.root).as_posix() for path in found)

    def read(self, path: str) -> bytes:
        """Bytes of one file; raises ``FileNotFoundError``."""
        return (self.root / path).read_bytes()


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
        reached = {dataset}

        def visit(name: str) -> None:
            contract = self.contracts.get(name)  # a tree that is being checked may lack it, or go round in circles
            for source in contract.derivation.inputs if contract and contract.derivation else ():
                if source not in reached:
                    reached.add(source)
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
