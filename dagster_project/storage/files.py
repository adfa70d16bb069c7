"""Files written whole or not at all, on a disk or on object storage."""

from pathlib import Path

from upath import UPath

from dagster_project.domain.files import write_whole


def location(uri: str | Path) -> UPath:
    """The path behind a URI: ``s3://bucket/prefix``, ``file:///folder`` or a plain folder."""
    return UPath(uri)


def write_atomic(path: str | Path | UPath, data: bytes) -> None:
    """Write aside, then rename; object storage does the same by itself.

    Raises:
        MachineryError: the disk is full, or the place can't be written.
    """
    write_whole(UPath(path), data)


def read_optional(path: str | Path | UPath) -> bytes | None:
    """The file's bytes; None where there is no file."""
    try:
        return UPath(path).read_bytes()
    except FileNotFoundError:
        return None
