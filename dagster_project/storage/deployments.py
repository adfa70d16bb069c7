"""What shall be served, what servers say that they serve, and what they rejected.

The desired state lies in the store, which servers only read. What servers write lies elsewhere: ``servers/ID.json`` and
``rejections/MODEL/TIME.json`` below the serving URI. Each file is written whole, by one writer; nobody locks anything.
"""

import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pydantic import ValidationError

from dagster_project.domain.base import StrictModel, canonical_json
from dagster_project.domain.deployment import DESIRED, DesiredState, Rejection, ServerReport
from dagster_project.domain.errors import MachineryError
from dagster_project.storage.files import location, write_atomic
from dagster_project.storage.folders import children, forget_listings, in_words, read_whole
from dagster_project.storage.ledger import Ledger
from dagster_project.storage.store import ArtifactStore

Value = TypeVar("Value", bound=StrictModel)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,199}")
_LOG = logging.getLogger(__name__)


class Deployments:
    """The desired state, and the reports and rejections of the servers that make it so.

    Every method raises ``MachineryError`` where the place can't be read or written, or holds what is none of ours.
    """

    def __init__(self, store: ArtifactStore, serving_uri: str) -> None:
        self.store = store
        self._servers = location(serving_uri) / "servers"
        self._rejections = location(serving_uri) / "rejections"

    def publish(self, state: DesiredState) -> str:
        """Make ``state`` the desired one; its digest. The last writer wins, whole; the same state changes nothing."""
        digest = self.store.put(canonical_json(state.model_dump(mode="json")))
        before = self._desired_digest()
        if digest != before:
            self.store.set_ref(DESIRED, {"digest": digest, "commit": state.commit, "previous": before})
        return digest

    def desired(self) -> tuple[str, DesiredState] | None:
        """Digest and desired state; None where nothing was ever published."""
        digest = self._desired_digest()
        if digest is None:
            return None
        with in_words(DESIRED):
            data = self.store.get(digest)
        return digest, _parsed(DesiredState, data, self.store.where(digest), "Deploy again with this version of acts.")

    def report(self, report: ServerReport) -> None:
        """Replace what this server said of itself before."""
        write_atomic(self._file(report.server), report.to_json().encode())

    def forget(self, server: str) -> None:
        """Take a server's report away, as it does itself when it ends."""
        path = self._file(server)
        with in_words(path):
            path.unlink(missing_ok=True)

    def reports(self, tell: Callable[[str], object] = _LOG.warning) -> list[ServerReport]:
        """What servers say, dead ones included, by name. A report that can't be read is left out, and ``tell`` told."""
        found = []
        for path in children(self._servers):
            data = read_whole(path) if path.name.endswith(".json") else None
            try:
                # None: the server ended between the listing and now
                found += [] if data is None else [_parsed(ServerReport, data, path, "It is ignored.")]
            except MachineryError as error:
                tell(str(error))
        return sorted(found, key=lambda report: report.server)

    def reject(self, rejection: Rejection) -> None:
        """Write down that a rollout crossed its bounds. Rejections are never changed."""
        # by way of JSON text, which has no NaN: a number that nobody saw is null
        self._ledger(rejection.model).append(json.loads(rejection.model_dump_json()))

    def rejections(self, model: str | None = None) -> list[Rejection]:
        """Rejections of one model, or of all, oldest first. One that can't be read is an error: what does it forbid?"""
        names = [path.name for path in children(self._rejections)] if model is None else [model]
        return sorted((found for name in names for found in self._rejected(name)), key=lambda found: found.at)

    def is_rejected(self, model: str, onnx: str, lock: str) -> Rejection | None:
        """The last rejection of these bytes under the lock with this digest; a new lock is a new chance."""
        found = [r for r in self.rejections(model) if (r.onnx, r.lock) == (onnx, lock)]
        return found[-1] if found else None

    def _rejected(self, model: str) -> Iterator[Rejection]:
        ledger = self._ledger(model)
        with in_words(ledger.folder):
            forget_listings(ledger.folder)
            rows = ledger.rows()
        for row in rows:
            fields = {key: value for key, value in row.items() if key != "written"}
            yield _parsed(
                Rejection, json.dumps(fields).encode(), ledger.folder, "Restore the file, or remove it to forget it."
            )

    def _ledger(self, model: str) -> Ledger:
        return Ledger(str(self._rejections), _checked(model, "model"))

    def _file(self, server: str) -> Any:
        return self._servers / f"{_checked(server, 'server')}.json"

    def _desired_digest(self) -> str | None:
        with in_words(DESIRED):
            ref: Any = self.store.get_ref(DESIRED)
        if ref is None:
            return None
        digest = ref.get("digest") if isinstance(ref, dict) else None
        if not isinstance(digest, str):
            raise MachineryError(f"The store's reference {DESIRED} names no digest. Remove it, then deploy again.")
        return digest


def _checked(name: str, what: str) -> str:
    """A name from elsewhere never becomes a path that leads out."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise MachineryError(f"'{name[:80]}' is no name for a {what}: letters, digits, and . _ : - after the first.")
    return name


def _parsed(kind: type[Value], data: bytes, where: Any, hint: str) -> Value:
    try:
        return kind.from_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise MachineryError(f"{where}: no {kind.__name__}: {place}: {first['msg']}. {hint}") from error
