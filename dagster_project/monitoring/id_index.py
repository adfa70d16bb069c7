"""On which days an id was answered, without a look at the answers: sorted hashes, merged as they grow.

Each segment covers versions of the table of answers. When a newer one is at least half as large as the one before it,
both become one (log-structured merge, O'Neil et al. 1996), so that there are about as many segments as the table's
size has binary digits. Segments are derived from the table: what is missing, or of another polars, whose hashes
differ, is made again.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upath import UPath

from dagster_project.monitoring.additions import GoneError, additions, rows_in
from dagster_project.monitoring.append_table import opened
from dagster_project.storage.files import location, write_atomic

if TYPE_CHECKING:
    import datetime

    import numpy as np
    import polars as pl

FOLDER = "_ids"
SEED = 20131
COLUMNS = ("row_id", "id")
DAYS, ALL, MIDDLE = 0xFFFF, 0xFFFF_FFFF_FFFF_FFFF, 1 << 15
"""An entry is a hash and, in its lowest 16 bits, the day: days since 1970 from 1880 to 2059."""


class IdIndex:
    """The index of the answers at ``uri``, brought up to the table's version ``last`` (None: there is no table).

    Raises:
        MachineryError: the table can't be read, or the index can't be written.
    """

    def __init__(self, uri: str, last: int | None) -> None:
        self.last, self._uri, self._folder = last, uri, location(uri) / FOLDER
        self._segments = list(self._covering(-1 if last is None else last))

    def days(self, ids: "pl.Series") -> "list[datetime.date]":
        """Days on which one of ``ids`` may have been answered; a hash that two ids share names a day too many."""
        import numpy as np
        import polars as pl

        wanted = np.unique(_hashes(ids))
        found = [np.unique(_hits(segment, wanted)) for segment in self._segments]
        days = np.unique(np.concatenate(found)).astype(np.int32) - MIDDLE if found else np.empty(0, np.int32)
        return pl.Series(days, dtype=pl.Int32).cast(pl.Date).to_list()

    def _covering(self, last: int) -> "Iterator[np.ndarray]":
        names = self._kept(last)
        first = names[-1][1] + 1 if names else 0
        loaded = [(name, _load(self._path(*name))) for name in names]
        if first <= last:
            loaded.append(((first, last), self._made(first, last)))
            loaded = self._merged(loaded)
        yield from (segment for _, segment in loaded)

    def _kept(self, last: int) -> list[tuple[int, int]]:
        """Segments that follow on one another from version 0, the longest first where several begin alike."""
        there: dict[int, int] = {}
        for path in self._folder.iterdir() if self._folder.exists() else ():
            first, end = _versions(path)
            if end <= last and _mark() in path.name:
                there[first] = max(end, there.get(first, -1))
        names, at = [], 0
        while at in there:
            names.append((at, there[at]))
            at = there[at] + 1
        return names

    def _made(self, first: int, last: int) -> "np.ndarray":
        """The segment of versions that have none yet."""
        import numpy as np
        import polars as pl

        schema = pl.Schema({**dict.fromkeys(COLUMNS, pl.String()), "day": pl.Date()})
        try:
            files = tuple(file for each in additions(self._uri, first, last) for file in each.files)
            rows = rows_in(files, schema).collect()
        except GoneError:
            table = opened(self._uri)
            rows = pl.scan_delta(table).select(schema.names()).collect() if table else pl.DataFrame(schema=schema)
        both = pl.concat([rows.select(pl.col(name).alias("id"), "day").drop_nulls() for name in COLUMNS])
        days = (both["day"].to_physical() + MIDDLE).cast(pl.UInt64).to_numpy()
        return np.unique(_hashes(both["id"]) | days)

    def _merged(self, loaded: "list[tuple[tuple[int, int], np.ndarray]]") -> "list[tuple[tuple[int, int], np.ndarray]]":
        """The newest with those before it that are not much larger; written, and what it replaces removed."""
        import numpy as np

        (first, last), newest = loaded.pop()
        replaced = []
        while loaded and len(loaded[-1][1]) <= 2 * len(newest):
            (first, end), before = loaded.pop()
            replaced.append((first, end))
            newest = np.concatenate([before, newest])
        newest.sort(kind="stable")
        buffer = io.BytesIO()
        np.save(buffer, newest, allow_pickle=False)
        write_atomic(self._path(first, last), buffer.getvalue())
        for name in replaced:
            self._path(*name).unlink(missing_ok=True)
        return [*loaded, ((first, last), newest)]

    def _path(self, first: int, last: int) -> UPath:
        return self._folder / f"{first:020d}-{last:020d}-{_mark()}.npy"


def _mark() -> str:
    import polars as pl

    return f"polars-{pl.__version__}"


def _versions(path: Any) -> tuple[int, int]:
    first, last, *_ = f"{path.name}--".split("-")
    return (int(first), int(last)) if first.isdigit() and last.isdigit() else (-1, -1)


def _hashes(ids: "pl.Series") -> "np.ndarray":
    """The upper 48 bits of a hash, with room for the day below."""
    import numpy as np

    found: np.ndarray = ids.drop_nulls().hash(SEED).to_numpy() & np.uint64(~DAYS & ALL)
    return found


def _load(path: UPath) -> "np.ndarray":
    import numpy as np

    local = isinstance(path, Path)
    file, mode = (path, "r") if local else (io.BytesIO(path.read_bytes()), None)
    found: np.ndarray = np.load(file, mmap_mode=mode, allow_pickle=False)  # type: ignore[arg-type]
    return found


def _hits(segment: "np.ndarray", wanted: "np.ndarray") -> "np.ndarray":
    """Days (n,) of the entries whose hash is wanted, as they are kept."""
    import numpy as np

    first = np.searchsorted(segment, wanted, "left")
    end = np.searchsorted(segment, wanted | np.uint64(DAYS), "right")
    counts = end - first
    starts = np.repeat(first - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    found: np.ndarray = np.asarray(segment[(starts + np.arange(counts.sum())).astype(np.intp)]) & np.uint64(DAYS)
    return found
