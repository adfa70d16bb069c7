"""States of trainings, a file an epoch, on a disk or object storage: where a trial whose machine was lost goes on."""

import io
from typing import Any

from dagster_project.domain.errors import MachineryError
from dagster_project.storage.files import location, write_atomic

_PREFIX, _SUFFIX = "epoch-", ".pt"


class Checkpoints:
    """One trial's states; the last ``kept`` stay.

    The search may stop a trial at an epoch that is over while the next one is being saved: several processes report
    over queues, and run further ahead than one does.
    """

    def __init__(self, folder: str, kept: int = 2) -> None:
        self.folder, self.kept = folder, kept

    def save(self, epoch: int, state: dict[str, Any]) -> None:
        """Keep the state after ``epoch`` epochs, whole or not at all.

        Raises:
            MachineryError: it can't be written.
        """
        import torch

        data = io.BytesIO()
        torch.save(state, data)
        write_atomic(self._path(epoch), data.getvalue())
        self._path(epoch - self.kept).unlink(missing_ok=True)

    def last(self) -> dict[str, Any] | None:
        """The latest state; None where there is none."""
        epochs = self._epochs()
        return self.load(epochs[-1]) if epochs else None

    def load(self, epoch: int) -> dict[str, Any]:
        """The state after ``epoch`` epochs, its tensors on the CPU.

        Raises:
            MachineryError: it is not there.
        """
        import torch

        try:
            data = self._path(epoch).read_bytes()
        except OSError as error:
            words = f"{self._path(epoch)}: the trial's weights after epoch {epoch} are not there: {error}"
            raise MachineryError(f"{words}. Keep that folder until the training program has ended.") from error
        state: dict[str, Any] = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        return state

    def _epochs(self) -> list[int]:
        folder = location(self.folder)
        names = [path.name for path in folder.iterdir()] if folder.exists() else []
        return sorted(
            int(name[len(_PREFIX) : -len(_SUFFIX)])
            for name in names
            if name.startswith(_PREFIX) and name.endswith(_SUFFIX)
        )

    def _path(self, epoch: int) -> Any:
        return location(self.folder) / f"{_PREFIX}{epoch:06d}{_SUFFIX}"


def trial_folder(folder: str, build_key: str, number: int) -> str:
    """Where a trial of this build keeps its states: another build finds none of them."""
    return f"{folder.rstrip('/')}/{build_key.rpartition(':')[2][:16]}/trial-{number}"
