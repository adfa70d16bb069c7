"""Files written whole or not at all, on a disk or on object storage."""

import os
import uuid
from pathlib import Path

from upath import UPath

from dagster_project.domain.errors import MachineryError


def location(uri: str | Path) -> UPath:
    """The path behind a URI: ``s3://bucket/prefix``, ``file:///folder`` or a plain folder."""
    return UPath(uri)


def write_atomic(path: str | Path | UPath, data: bytes) -> None:
    """Write aside, then rename; object storage does the same by itself.

    Raises:
        MachineryError: the disk is full, or the place can't be written.
    """
    target = UPath(path)
    try:
        if isinstance(target, Path):
            _write_local(target, data)
        else:
            target.write_bytes(data)
    except OSError as error:
        raise MachineryError(f"{target}: can't be written: {error.strerror or error}. Nothing was changed.") from error


def _write_local(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


def read_optional(path: str | Path | UPath) -> bytes | None:
    """The file's bytes; None where there is no file."""
    try:
        return UPath(path).read_bytes()
    except FileNotFoundError:
        return None
