"""Content-addressed artifacts, and names that point at them."""

import json
import re
from typing import Any

from dagster_project.domain.base import digest_of_bytes
from dagster_project.domain.errors import MachineryError
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.files import location, read_optional, write_atomic

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_NAME = re.compile(r"[A-Za-z0-9_.:-]+(/[A-Za-z0-9_.:-]+)*")


class ArtifactStore:
    """Blobs by digest in ``blobs``, small JSON documents by name in ``refs``. Safe to share and to run twice.

    What is not here is looked for ``behind``, which is never written: a job without the right to publish works on a
    store of its own in front of the shared one.
    """

    def __init__(self, uri: str, behind: "ArtifactStore | None" = None) -> None:
        self.root, self.behind = location(uri), behind

    @classmethod
    def of(cls, workspace: Workspace) -> "ArtifactStore":
        """The workspace's store, in front of the shared one where there is one."""
        return cls(workspace.store, cls(workspace.shared_store) if workspace.shared_store else None)

    def put(self, data: bytes) -> str:
        """Keep ``data``; the digest is its name. Putting the same bytes again costs a look."""
        digest = digest_of_bytes(data)
        if not self.has(digest):
            write_atomic(self._blob(digest), data)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes behind ``digest``, hashed again on the way.

        Raises:
            MachineryError: there is no such artifact, or its bytes are not what the digest says.
        """
        data = read_optional(self._blob(digest))
        if data is None and self.behind:
            return self.behind.get(digest)
        if data is None:
            raise MachineryError(f"{self.root}: no artifact {digest}. Build again, or mend ACTS_STORE.")
        if digest_of_bytes(data) != digest:
            raise MachineryError(f"{self._blob(digest)}: its bytes are not {digest}. Remove the file and build again.")
        return data

    def where(self, digest: str) -> str:
        """The place of an artifact, for people who want to look at it."""
        return str(self._blob(digest))

    def has(self, digest: str) -> bool:
        """Whether the artifact is there."""
        return bool(self._blob(digest).exists()) or (self.behind is not None and self.behind.has(digest))

    def size(self, digest: str) -> int:
        """Bytes that an artifact of this very store claims to have, without reading it."""
        return int(self._blob(digest).stat().st_size)

    def own_digests(self) -> list[str]:
        """Digests of the blobs that lie here and not behind, sorted."""
        folder = self.root / "blobs"
        names = (path.name for path in folder.glob("*/*")) if folder.exists() else ()
        return sorted(digest for name in names if _DIGEST.fullmatch(digest := f"sha256:{name}"))

    def set_ref(self, name: str, value: dict[str, Any]) -> None:
        """Point ``name`` at ``value``; the last writer wins, readers see one or the other, whole."""
        write_atomic(self._ref(name), (json.dumps(value, sort_keys=True, indent=2) + "\n").encode())

    def get_ref(self, name: str) -> dict[str, Any] | None:
        """What ``name`` points at; None where nobody set it."""
        data = read_optional(self._ref(name))
        if data is None:
            return self.behind.get_ref(name) if self.behind else None
        try:
            value: dict[str, Any] = json.loads(data)
        except ValueError as error:
            raise MachineryError(f"{self._ref(name)}: not JSON: {error}. Remove the file and build again.") from error
        return value

    def refs(self, prefix: str) -> list[str]:
        """Names below ``prefix``, sorted."""
        found = set(self.behind.refs(prefix)) if self.behind else set()
        folder = self.root / "refs" / prefix
        if folder.exists():
            root = str(self.root / "refs").rstrip("/") + "/"
            found |= {str(path).removeprefix(root).removesuffix(".json") for path in folder.rglob("*.json")}
        return sorted(found)

    def _blob(self, digest: str) -> Any:
        match = _DIGEST.fullmatch(digest)
        if not match:
            raise MachineryError(f"'{digest[:80]}' is not a digest: expected sha256: and 64 hexadecimal digits.")
        return self.root / "blobs" / match[1][:2] / match[1]

    def _ref(self, name: str) -> Any:
        if not _NAME.fullmatch(name) or ".." in name:
            raise MachineryError(f"'{name[:80]}' is no name for a reference.")
        return self.root / "refs" / f"{name}.json"
