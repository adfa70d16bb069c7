"""Images of a column: PNG or JPEG files, as the contract says them to be, and their pixels."""

import warnings
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from dagster_project.domain.contract import ImageForm

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

FORMATS = ("PNG", "JPEG")
FIELDS = 8
_MODES = {1: ("L", "1"), 3: ("RGB",)}


class ImageError(ValueError):
    """What is wrong with an image, in words."""


def decode(data: bytes, form: ImageForm) -> "np.ndarray":
    """Pixels of one image: uint8 (height, width, channels).

    Raises:
        ImageError: the bytes are no whole PNG or JPEG image of that form.
    """
    import numpy as np
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(data), formats=FORMATS) as image:
                _refuse_other(image.size, image.mode, form)
                pixels = np.asarray(image.convert("L" if form.channels == 1 else "RGB"))
    except ImageError:
        raise
    # Pillow raises these for what is no image, ends early or lies about itself; SyntaxError is its own for broken PNG
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError, Warning) as error:
        raise ImageError(f"no whole {' or '.join(FORMATS)} image: {error}") from None
    return pixels.reshape(form.height, form.width, form.channels)


def _refuse_other(size: tuple[int, int], mode: str, form: ImageForm) -> None:
    if size != (form.width, form.height):
        raise ImageError(f"{size[0]} x {size[1]} pixels, not {form.width} x {form.height}")
    if mode not in _MODES[form.channels]:
        raise ImageError(f"of the mode {mode}, not {_MODES[form.channels][0]}")


def encode(pixels: "np.ndarray") -> bytes:
    """A PNG file of uint8 pixels (height, width, channels) or (height, width)."""
    from PIL import Image

    file = BytesIO()
    Image.fromarray(pixels.squeeze(-1) if pixels.ndim == 3 and pixels.shape[-1] == 1 else pixels).save(file, "PNG")
    return file.getvalue()


def pixels_of(column: "pl.Series", form: ImageForm) -> "np.ndarray":
    """All images of a Binary column as uint8 (rows, height * width * channels); a missing one is black.

    Raises:
        ImageError: one is not of that form; the message has its row.
    """
    import numpy as np

    width = form.height * form.width * form.channels
    rows = np.zeros((len(column), width), np.uint8)
    for place, data in enumerate(column.to_list()):
        if data is not None:
            try:
                rows[place] = decode(data, form).reshape(-1)
            except ImageError as error:
                raise ImageError(f"row {place}: {error}") from None
    return rows


def misformed(column: "pl.Series", form: ImageForm) -> "pl.Series":
    """Whether each image is not of that form; null of a missing one."""
    import polars as pl

    return pl.Series(column.name, list(_faults(column.to_list(), form)), dtype=pl.Boolean)


def _faults(images: Iterable[bytes | None], form: ImageForm) -> Iterable[bool | None]:
    for data in images:
        if data is None:
            yield None
            continue
        try:
            decode(data, form)
            yield False
        except ImageError:
            yield True


def grey_fields(pixels: "np.ndarray", shape: tuple[int, ...]) -> "np.ndarray":
    """Images (n, height * width * channels) as the mean brightness of fields, at most ``FIELDS`` each way, (n, m)."""
    import numpy as np

    height, width, _ = shape
    images = pixels.reshape(len(pixels), *shape).mean(axis=3)
    rows, columns = (np.arange(min(FIELDS, size)) * size // min(FIELDS, size) for size in (height, width))
    sums = np.add.reduceat(np.add.reduceat(images, rows, axis=1), columns, axis=2)
    counts = np.outer(np.diff([*rows, height]), np.diff([*columns, width]))
    fields: np.ndarray = (sums / counts).reshape(len(pixels), -1)
    return fields


def in_words(data: bytes) -> str:
    """An image without its pixels, for people: format, size, mode, bytes."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            return f"{image.format} {image.width} x {image.height} {image.mode}, {len(data):,} bytes"
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return f"{len(data):,} bytes that are no image"
