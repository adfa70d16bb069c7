"""CSV files as text columns; the contract's types are applied afterwards, so that nothing is guessed."""

import csv
import io
import zipfile
from typing import TYPE_CHECKING, Any, BinaryIO

from dagster_project.data.sources.parts import UnreadableError

if TYPE_CHECKING:
    import polars as pl

TAIL = 65_536
LARGEST_ARCHIVE = 4 * 1024**3


def null_values(options: dict[str, Any]) -> list[str]:
    """Texts that mean null besides the empty one: ``threeacts.null_values`` of the server."""
    return [str(text) for text in options.get("null_values", ())]


def scan_csv(source: Any, options: dict[str, Any], storage: dict[str, str] | None = None) -> "pl.LazyFrame":
    """Every column as text, null where empty or marked. ``delimiter`` is the server's, a comma otherwise."""
    import polars as pl

    return pl.scan_csv(
        source,
        infer_schema=False,
        separator=separator(options),
        null_values=null_values(options) or None,
        storage_options=storage or None,
        glob=False,
    )


def separator(options: dict[str, Any]) -> str:
    """The delimiter, a tab by name too."""
    declared = str(options.get("delimiter") or ",")
    return {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}.get(declared, declared)


def unzip(path: Any, name: str) -> bytes:
    """The one file in a zip archive.

    Raises:
        UnreadableError: no archive, more than one file in it, or it grows beyond 4 GiB.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) != 1 or members[0].file_size > LARGEST_ARCHIVE:
                message = f"{name}: expected one file below 4 GiB in the archive, found {len(members)}"
                raise UnreadableError(message, "Deliver one archive for each file.")
            return archive.read(members[0])
    except (zipfile.BadZipFile, EOFError) as error:
        raise UnreadableError(f"{name} is no whole zip archive: {error}", "Deliver the file again.") from error


def check_ends(file: BinaryIO, size: int, name: str, options: dict[str, Any]) -> None:
    """A file that stops in the middle of a row is refused: polars would fill the row with nulls.

    Raises:
        UnreadableError: no bytes, or the last row has fewer fields than the first.
    """
    if size == 0:
        raise UnreadableError(f"{name} is empty: it has no header", "Deliver the file again.")
    header = _last_row(file.read(min(size, TAIL)).partition(b"\n")[0], options)
    file.seek(max(0, size - TAIL))
    tail = file.read(TAIL)
    if size > TAIL:
        tail = tail[tail.find(b"\n") + 1 :]
    last = _last_row(tail, options)
    if 0 < len(last) < len(header):
        message = f"{name} is truncated: its last row has {len(last)} fields, the header {len(header)}"
        raise UnreadableError(message, "Deliver the file again.")


def _last_row(data: bytes, options: dict[str, Any]) -> list[str]:
    text = io.StringIO(data.decode("utf-8", errors="replace"), newline="")
    row: list[str] = []
    for row in csv.reader(text, delimiter=separator(options)):  # noqa: B007 the last one is wanted
        pass
    return row
