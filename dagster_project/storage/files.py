"""Files written whole or not at all, on a disk or on object storage."""

from pathlib import Path
from urllib.request import url2pathname

from upath import UPath

from dagster_project.domain.files import write_whole

_FILE = "file://"


def location(uri: str | Path | UPath) -> UPath:
    """The path behind a URI: ``s3://bucket/prefix``, ``file:///folder`` or a plain folder, which is a ``Path``."""
    text = str(uri)
    return UPath(url2pathname(text.removeprefix(_FILE))) if text.startswith(_FILE) else UPath(uri)


def write_atomic(path: str | Path | UPath, data: bytes) -> None:
    """Write aside, then rename; object storage does the same by itself.

    Raises:
        MachineryError: the disk is full, or the place can't be written.
    """
    write_whole(location(path), data)


def read_optional(path: str | Path | UPath) -> bytes | None:
    """The file's bytes; None where there is no file."""
    try:
        return location(path).read_bytes()
    except FileNotFoundError:
        return None
