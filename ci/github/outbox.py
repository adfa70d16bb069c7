"""What an evaluation hands over: blobs by digest and one document that names them, whose digest is all that counts.

The job that evaluates parses a stranger's files and holds no secret; the job that publishes takes nothing from it but
bytes that hash to what the document says, and the document by the digest that the workflow passed on.
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from pydantic import Field, ValidationError

from ci.github.standing import Launcher
from dagster_project.domain.base import StrictModel, digest_of_bytes
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.lease import LeaseEnd
from dagster_project.storage.files import write_atomic
from dagster_project.storage.store import ArtifactStore

DOCUMENT = "outbox.json"
MOST_BLOBS = 10_000
MOST_BYTES = 2 * 1024**3
Value = TypeVar("Value", bound=StrictModel)
_Digest = r"^sha256:[0-9a-f]{64}$"


class JudgedSubject(StrictModel):
    """A verdict by digest, and the suites' pages."""

    kind: Literal["dataset", "model"]
    name: str
    verdict: str = Field(pattern=_Digest)
    pages: dict[str, str] = Field(default_factory=dict)


class Outbox(StrictModel):
    """One evaluation of one head."""

    schema_version: Literal[1] = 1
    repository: str
    pull: int
    head: str
    base: str
    launcher: Launcher
    run: int
    preview: bool
    report: str = Field(pattern=_Digest)
    verdicts: tuple[JudgedSubject, ...] = ()
    costs: tuple[dict[str, Any], ...] = ()
    leases: tuple[LeaseEnd, ...] = Field(default=(), description="what builds say that they took")
    blobs: tuple[str, ...] = Field(default=(), max_length=MOST_BLOBS)


class Document(Protocol):
    """What names the blobs that go with it."""

    @property
    def blobs(self) -> tuple[str, ...]:
        """Their digests."""

    def to_json(self) -> str:
        """The document's text."""


def write_outbox(folder: Path, outbox: Document, store: ArtifactStore) -> str:
    """Copy the blobs that it names and write the document last; its digest."""
    for digest in outbox.blobs:
        write_atomic(folder / _name(digest), store.get(digest))
    data = outbox.to_json().encode()
    write_atomic(folder / DOCUMENT, data)
    return digest_of_bytes(data)


def read_outbox(folder: Path, digest: str) -> Outbox:
    """The evaluation of a pull request in ``folder``; see :func:`read_document`."""
    return read_document(folder, digest, Outbox)


def read_document(folder: Path, digest: str, kind: type[Value]) -> Value:
    """The document of ``folder``, if it is the one with ``digest``.

    Raises:
        RefusedError: it is another, it isn't one, or it is missing.
    """
    data = _plain(folder / DOCUMENT)
    if digest_of_bytes(data) != digest:
        raise RefusedError(
            f"{folder / DOCUMENT}: not the document that was evaluated ({digest[:19]}). Nothing is taken."
        )
    try:
        return kind.from_json(data)
    except ValidationError as error:
        raise RefusedError(f"{folder / DOCUMENT}: no outbox: {error.errors()[0]['msg']}.") from error


def take_in(folder: Path, blobs: Iterable[str], store: ArtifactStore) -> None:
    """Put blobs of the outbox into ``store``, hashed again on the way.

    Raises:
        RefusedError: a blob is missing, no plain file, or not the bytes that its digest says; or they are too many.
    """
    size = 0
    for digest in blobs:
        data = _plain(folder / _name(digest))
        size += len(data)
        if size > MOST_BYTES:
            raise RefusedError(f"{folder}: more than {MOST_BYTES:,} bytes. Nothing more is taken.")
        if digest_of_bytes(data) != digest:
            raise RefusedError(f"{folder / _name(digest)}: its bytes are not {digest[:19]}. Nothing more is taken.")
        store.put(data)


def _name(digest: str) -> str:
    return digest.removeprefix("sha256:")


def _plain(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror}. Run the workflow again.") from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_BYTES:
            raise RefusedError(f"{path}: no plain file of a fitting size. Nothing is taken.")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)
