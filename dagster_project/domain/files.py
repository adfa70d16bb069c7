"""Files written whole or not at all."""

import os
import uuid
from pathlib import Path
from typing import Any

from .errors import MachineryError


def write_whole(path: Any, data: bytes) -> None:
    """Write aside, then rename; object storage (a path that is no ``pathlib.Path``) does the same by itself.

    Raises:
        MachineryError: the disk is full, or the place can't be written.
    """
    try:
        if isinstance(path, Path):
            _replace(path, data)
        else:
            path.write_bytes(data)
    except OSError as error:
        raise MachineryError(f"{path}: can't be written: {error.strerror or error}. Nothing was changed.") from error


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
