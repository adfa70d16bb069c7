"""How one asset's value reaches the next: a strict document, kept for the run and for later ones."""

from pathlib import Path
from typing import Any

import dagster as dg

from dagster_project.domain.base import StrictModel
from dagster_project.domain.errors import UsageError
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.files import read_optional, write_atomic


class DocumentIOManager(dg.IOManager):
    """Snapshots and splits by asset: within a run the very values of that run, else the last one on disk.

    A run therefore reads one snapshot from its first asset to its last, whatever other runs do meanwhile.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._run: dict[tuple[str, str], StrictModel] = {}

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Keep ``obj``, a document."""
        name = "/".join(context.asset_key.path)
        self._run[context.run_id, name] = obj
        write_atomic(self._path(name), obj.to_json().encode())

    def load_input(self, context: dg.InputContext) -> Any:
        """The document of the input's declared type.

        Raises:
            UsageError: the asset before this one has never been built.
        """
        name = "/".join(context.asset_key.path)
        run = context.step_context.run_id
        if (run, name) in self._run:
            return self._run[run, name]
        data = read_optional(self._path(name))
        if data is None:
            raise UsageError(f"{name} has not been built yet: materialise it first, or run the whole build job.")
        document: type[StrictModel] = context.dagster_type.typing_type
        return document.from_json(data)

    def of_run(self, run: str, name: str) -> StrictModel | None:
        """The document that a run left for an asset; None where it did not come to that."""
        return self._run.get((run, name))

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"


def documents_of(workspace: Workspace) -> DocumentIOManager:
    """The repository's documents, beside Dagster's databases."""
    return DocumentIOManager(workspace.dagster_home / "documents")
