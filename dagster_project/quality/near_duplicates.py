"""Rows that judge and have a near-duplicate among the train rows: a model that learnt it by heart looks as if it knew.

Texts: MinHash over shingles with locality-sensitive hashing (Broder 1997; Leskovec, Rajaraman and Ullman 2020, chapter
3), then the shingles themselves. Images: the most alike by their fields, then by their pixels, moved by one at most.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from dagster_project.data.images import grey_fields, pixels_of
from dagster_project.domain.contract import Column, ImageForm
from dagster_project.domain.measured import NEAR_DUPLICATES
from dagster_project.domain.verdict import Measurement

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

SHINGLE, ALIKE = 4, 0.6
"""Characters of a shingle, and the share of common shingles (Jaccard) from which texts are near-duplicates."""
BANDS, ROWS = 24, 3
NEIGHBOURS, CORRELATED = 8, 0.99
"""How many images with like fields are compared, and the correlation of near-duplicates' pixels."""
JUDGED_ROWS = 2000
_BLOCK = 1024
_PRIME = 2**31 - 1


def measure_near_duplicates(train: "pl.DataFrame", judged: "pl.DataFrame", columns: Iterable[Column]) -> Measurement:
    """The share of the ``judged`` rows with a near-duplicate in ``train`` by any of the columns that are texts or
    images; of many, evenly picked ones are looked at."""
    import numpy as np

    step = max(1, judged.height // JUDGED_ROWS)
    picked = judged.gather_every(step)
    found, named = np.zeros(picked.height, bool), []
    for column in columns:
        if column.modality in ("text", "image"):
            named.append(column.name)
            found |= near_duplicates(train[column.name], picked[column.name], column)
    return Measurement(
        metric=NEAR_DUPLICATES, rows="validation", value=float(found.mean()) if len(found) else 0.0, count=len(found),
        method=f"in the train rows, by {', '.join(named)}" if named else "no text or image is read",
    )  # fmt: skip


def near_duplicates(train: "pl.Series", judged: "pl.Series", column: Column) -> "np.ndarray":
    """Whether each ``judged`` value (n,) has a near-duplicate in ``train``; what is missing or empty has none."""
    if column.image:
        return _images(pixels_of(train, column.image), pixels_of(judged, column.image), column.image)
    return _texts(train.fill_null("").to_list(), judged.fill_null("").to_list())


def _texts(train: list[str], judged: list[str]) -> "np.ndarray":
    import numpy as np

    shingles = [shingles_of(text) for text in (*train, *judged)]
    bands = _bands(shingles)
    found = np.zeros(len(judged), bool)
    for band in bands.T:
        buckets: dict[int, list[int]] = {}
        for place, key in enumerate(band[: len(train)].tolist()):
            buckets.setdefault(key, []).append(place)
        for place in np.flatnonzero(~found).tolist():
            own = shingles[len(train) + place]
            others = buckets.get(int(band[len(train) + place]), ()) if len(own) else ()
            found[place] = any(jaccard(own, shingles[other]) >= ALIKE for other in others)
    return found


def shingles_of(text: str) -> "np.ndarray":
    """Hashes of all runs of ``SHINGLE`` characters, sorted, each once; spaces and capitals count for nothing."""
    import numpy as np

    plain = "".join(text.lower().split())
    codes = np.frombuffer(plain.encode("utf-32-le"), "<u4").astype(np.uint64)
    if len(codes) < SHINGLE:
        return np.unique(codes)
    hashed = np.zeros(len(codes) - SHINGLE + 1, np.uint64)
    for offset in range(SHINGLE):
        hashed = hashed * np.uint64(1_000_003) + codes[offset : offset + len(hashed)]
    return np.unique(hashed)


def jaccard(one: "np.ndarray", other: "np.ndarray") -> float:
    """Common members over all members of two sorted sets."""
    import numpy as np

    common = len(np.intersect1d(one, other, assume_unique=True))
    return common / max(1, len(one) + len(other) - common)


def _bands(shingles: "list[np.ndarray]") -> "np.ndarray":
    """(texts, bands): equal keys where all MinHashes of a band are equal."""
    import numpy as np

    chance = np.random.default_rng(0)
    sizes = np.array([len(each) for each in shingles])
    begins = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    there = sizes > 0
    flat = np.concatenate(shingles).astype(np.uint64) % np.uint64(_PRIME)
    keys = np.zeros((len(shingles), BANDS), np.uint64)
    for band in range(BANDS):
        for _ in range(ROWS):
            factor, shift = (np.uint64(value) for value in chance.integers(1, _PRIME, 2))
            least = np.minimum.reduceat((flat * factor + shift) % np.uint64(_PRIME), begins[there])
            keys[there, band] = keys[there, band] * np.uint64(0x9E3779B97F4A7C15) + least
    return keys


def _images(train: "np.ndarray", judged: "np.ndarray", form: ImageForm) -> "np.ndarray":
    import numpy as np

    shape = (form.height, form.width, form.channels)
    grey = [pixels.reshape(-1, *shape).mean(axis=3) for pixels in (train, judged)]
    flat = (form.height, form.width, 1)
    coarse = _standard(grey_fields(grey[0], flat))
    fine = _standard(grey[0].reshape(len(train), -1))
    found = np.zeros(len(judged), bool)
    for first in range(0, len(judged), _BLOCK):
        part = slice(first, first + _BLOCK)
        for moved in _moved(grey[1][part]):
            alike = _standard(grey_fields(moved, flat)) @ coarse.T
            nearest = np.argpartition(alike, -min(NEIGHBOURS, len(train)), axis=1)[:, -NEIGHBOURS:]
            own = _standard(moved.reshape(len(moved), -1))
            found[part] |= (np.einsum("np,nkp->nk", own, fine[nearest]) >= CORRELATED).any(axis=1)
    return found


def _standard(rows: "np.ndarray") -> "np.ndarray":
    """Rows of mean 0 and length 1, so that products are correlations; what has one colour is like nothing."""
    import numpy as np

    rows = rows.astype(np.float32)
    rows = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    standard: np.ndarray = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
    return standard


def _moved(images: "np.ndarray") -> "Iterator[np.ndarray]":
    """The images as they are, and moved by a pixel each way; what comes in repeats the edge."""
    import numpy as np

    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
    height, width = images.shape[1:]
    for down in range(3):
        for right in range(3):
            yield padded[:, down : down + height, right : right + width]
