"""Digests of rows as a multiset: independent of order, file layout and library version, and they grow by addition.

Each row is encoded canonically (sorted columns, fixed widths, floats as IEEE 754 bits with one zero and one NaN,
timestamps as microseconds, text length-prefixed), hashed with SHA-512 and summed modulo 2**512: MSet-Add-Hash (Clarke,
Devadas, van Dijk, Gassend and Suh, ASIACRYPT 2003) after AdHash (Bellare and Micciancio, EUROCRYPT 1997).

Limits: the sum guards against accident and against anyone who can't choose many rows freely. Wagner's generalised
birthday attack (CRYPTO 2002) finds colliding sets at this modulus in about 2**45 steps for somebody who can.
"""

import hashlib
from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING

from dagster_project.domain.base import digest_of
from dagster_project.domain.contract import Column

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

MODULUS = 2**512
_WORD = 9  # eight bytes of value or length, one byte that says null
_BLOCK = 262_144


def rows_sum(frame: "pl.DataFrame") -> int:
    """Sum of the rows' hashes modulo 2**512: ``rows_sum(a) + rows_sum(b)`` is that of both together."""
    import numpy as np

    total = 0
    for block in frame.iter_slices(_BLOCK):
        joined = b"".join(_row_digests(block))
        words = np.frombuffer(joined, "<u4").reshape(-1, 16).sum(axis=0, dtype=np.uint64)
        total += sum(int(word) << (32 * place) for place, word in enumerate(words))
    return total % MODULUS


def table_digest(columns: Iterable[Column], rows: int, total: int) -> str:
    """The snapshot's digest: columns' names and logical types, number of rows and sum of their hashes."""
    typed = sorted([column.name, column.logical_type.value, *_meant(column)] for column in columns)
    return digest_of({"columns": typed, "rows": rows, "sum": f"{total:0128x}"})


def _meant(column: Column) -> list[str]:
    """What a model reads differently although the values are the same."""
    return [] if column.modality in (None, "tabular") else [str(column.modality), *map(str, column.shape)]


def hash_rows(frame: "pl.DataFrame") -> "np.ndarray":
    """First eight bytes of each row's hash, as uint64 of shape (rows,). Column order does not matter."""
    import numpy as np

    parts = [np.frombuffer(b"".join(_row_digests(block)), "<u8")[::8] for block in frame.iter_slices(_BLOCK)]
    return np.concatenate(parts) if parts else np.empty(0, np.uint64)


def _row_digests(frame: "pl.DataFrame") -> list[bytes]:
    import polars as pl

    frame = frame.with_columns(_as_bytes(frame[name]) for name in frame.columns if frame.schema[name] == pl.List)
    fixed, width = _fixed_part(frame)
    offsets, text = _text_part(frame)
    sha512 = hashlib.sha512
    starts = range(0, len(fixed), width)
    return [
        sha512(fixed[start : start + width] + text[low:high]).digest()
        for start, low, high in zip(starts, offsets, offsets[1:], strict=False)
    ]


def _fixed_part(frame: "pl.DataFrame") -> tuple[bytes, int]:
    """Values of all columns, or the length of text, then one null byte each: ``9 * columns`` bytes a row."""
    import numpy as np

    names = sorted(frame.columns)
    values = np.empty((frame.height, len(names)), "<i8")
    nulls = np.empty((frame.height, len(names)), np.uint8)
    for place, name in enumerate(names):
        values[:, place] = _words(frame[name])
        nulls[:, place] = frame[name].is_null().to_numpy()
    table = np.concatenate([values.view(np.uint8).reshape(frame.height, -1), nulls], axis=1)
    return table.tobytes(), _WORD * len(names)


def _words(series: "pl.Series") -> "np.ndarray":
    """One signed 64-bit word for each value; 0 for null."""
    import numpy as np
    import polars as pl

    if series.dtype == pl.Binary:
        return series.bin.size().cast(pl.Int64).fill_null(0).to_numpy()
    if series.dtype == pl.String:
        return series.str.len_bytes().cast(pl.Int64).fill_null(0).to_numpy()
    if series.dtype.is_float():
        floats = series.cast(pl.Float64).fill_null(0.0).to_numpy() + 0.0  # -0.0 + 0.0 is 0.0
        return np.where(np.isnan(floats), np.nan, floats).view("<i8")
    return series.to_physical().cast(pl.Int64).fill_null(0).to_numpy()


def _text_part(frame: "pl.DataFrame") -> tuple[list[int], bytes]:
    """All text and bytes of each row, one after another, with the offset of each row; lengths stand in the fixed
    part."""
    import numpy as np
    import polars as pl

    names = [name for name in sorted(frame.columns) if frame.schema[name] in (pl.String, pl.Binary)]
    if not names:
        return [0] * (frame.height + 1), b""
    if any(frame.schema[name] == pl.Binary for name in names):
        rows = [b"".join(values) for values in zip(*(_raw(frame[name]) for name in names), strict=True)]
        return [0, *accumulate(map(len, rows))], b"".join(rows)
    joined = frame.select(pl.concat_str([pl.col(name).fill_null("") for name in names])).to_series().to_arrow()
    _, offsets, text = joined.cast("large_string").buffers()
    ends = np.frombuffer(offsets, "<i8")[joined.offset : joined.offset + frame.height + 1]
    return ends.tolist(), text.to_pybytes() if text else b""


def _raw(series: "pl.Series") -> list[bytes]:
    import polars as pl

    return series.cast(pl.Binary).fill_null(b"").to_list()


def _as_bytes(series: "pl.Series") -> "pl.Series":
    """Lists of numbers as their IEEE 754 bits, a missing one NaN, one after another."""
    import numpy as np
    import polars as pl

    flat = series.explode(empty_as_null=False, keep_nulls=False)
    numbers = flat.cast(pl.Float64).to_numpy() + 0.0
    bits = np.where(np.isnan(numbers), np.nan, numbers).astype("<f8").tobytes()
    ends = np.cumsum(series.list.len().fill_null(0).to_numpy()) * 8
    starts = [0, *ends[:-1].tolist()]
    parts = [bits[start:end] for start, end in zip(starts, ends.tolist(), strict=True)]
    return pl.Series(series.name, parts, dtype=pl.Binary).set(series.is_null(), None)
