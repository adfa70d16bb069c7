"""Append-only ledgers: one small JSON file a row, so that writers never meet and no row is half-written."""

import json
import time
import uuid
from typing import Any

from dagster_project.domain.errors import MachineryError
from dagster_project.storage.files import location, write_atomic


class Ledger:
    """Rows in the order they were written, each with ``written``: seconds since 1970."""

    def __init__(self, uri: str, name: str) -> None:
        self.folder = location(uri) / name

    def append(self, row: dict[str, Any]) -> None:
        """Add a row. Rows are never changed."""
        now = time.time_ns()
        name = f"{now:020d}-{uuid.uuid4().hex[:12]}.json"
        write_atomic(self.folder / name, (json.dumps({"written": now / 1e9, **row}, sort_keys=True) + "\n").encode())

    def rows(self) -> list[dict[str, Any]]:
        """Every row, oldest first.

        Raises:
            MachineryError: a row isn't JSON: somebody edited the ledger.
        """
        if not self.folder.exists():
            return []
        return [self._row(path) for path in sorted(self.folder.iterdir(), key=str) if path.name.endswith(".json")]

    def _row(self, path: Any) -> dict[str, Any]:
        try:
            row: dict[str, Any] = json.loads(path.read_bytes())
        except ValueError as error:
            raise MachineryError(f"{path}: not a ledger's row: {error}. Restore it from a backup.") from error
        return row
