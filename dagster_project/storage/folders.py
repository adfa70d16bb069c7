"""Folders that others write into while we read: on a disk or on object storage."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dagster_project.domain.errors import MachineryError


def children(folder: Any) -> list[Any]:
    """Paths in a folder as it is now, sorted; none where there is no such folder. Raises ``MachineryError``."""
    with in_words(folder):
        forget_listings(folder)
        return sorted(folder.iterdir(), key=str) if folder.exists() else []


def read_whole(path: Any) -> bytes | None:
    """A file's bytes; None where there is none (any more). Raises ``MachineryError``.

    One request: a file that is rewritten meanwhile comes old or new, never with the other's length.
    """
    try:
        with in_words(path):
            return bytes(path.fs.cat_file(path.path))
    except FileNotFoundError:
        return None


def forget_listings(folder: Any) -> None:
    """fsspec remembers what an object storage's folder held; servers come and go."""
    folder.fs.invalidate_cache()


@contextmanager
def in_words(place: Any) -> Iterator[None]:
    """An operating system's error about ``place`` as a ``MachineryError``; that it isn't there stays as it is."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise MachineryError(f"{place}: can't be used: {error.strerror or error}. Look at its rights.") from error
