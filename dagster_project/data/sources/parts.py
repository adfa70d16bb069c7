"""What every source is made of: parts with a mark that says whether one was read before."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagster_project.data.records import FileMark
from dagster_project.domain.contract import DataContract, Server
from dagster_project.domain.errors import Problem, UserFileError

if TYPE_CHECKING:
    import polars as pl

BATCH = 1_000_000


class UnreadableError(Exception):
    """The source is there, but its content is not what it should be: a finding, with what to do in ``hint``."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Part:
    """One file, or one whole table."""

    mark: FileMark
    scan: "Callable[[], pl.LazyFrame]"
    text: bool = False
    digest: Callable[[], str | None] = lambda: None
    beside: Callable[[str], bytes] | None = None
    """Reads a file that a row names, by its path from the part's folder; raises OSError."""


@dataclass(frozen=True)
class Source:
    """Parts of one server. A source that ``grows`` only gains parts; another is read whole when its part changed."""

    label: str
    grows: bool
    parts: tuple[Part, ...]


def batches(part: Part) -> "Iterator[pl.DataFrame]":
    """The part's rows, at most ``BATCH`` at a time.

    Raises:
        UnreadableError: the bytes end too early, or are no such format.
    """
    from polars.exceptions import PolarsError

    try:
        yield from part.scan().collect_batches(chunk_size=BATCH, maintain_order=True)
    except PolarsError as error:
        raise unreadable(part.mark.path, error) from error


def unreadable(path: str, error: Exception) -> UnreadableError:
    """The library's words, bounded."""
    words = str(error).split("\n")[0][:300]
    return UnreadableError(f"{path} can't be read: {words}", "The file may be truncated or damaged: deliver it again.")


def wrong_server(contract: DataContract, server: Server | None, message: str, hint: str) -> UserFileError:
    """A problem of the contract's server entry."""
    where = f"servers.{server.name}" if server else "servers"
    return UserFileError([Problem(file=contract.file, where=where, message=message, hint=hint, code="server")])
