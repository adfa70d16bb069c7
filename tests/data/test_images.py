"""Images that are none, or not what the contract says: each is told, none takes memory or ends the program."""

import contextlib
import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from dagster_project.data.images import ImageError, decode, encode, in_words, misformed, pixels_of
from dagster_project.domain.contract import ImageForm

GREY, COLOUR = (ImageForm(width=6, height=4, channels=channels) for channels in (1, 3))
PIXELS = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10


def saved(image: Image.Image, kind: str = "PNG", **more: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **more)
    return file.getvalue()


def bomb() -> bytes:
    """A PNG of 60,000 x 60,000 black pixels in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def test_pixels_come_back_as_they_were() -> None:
    assert (decode(encode(PIXELS), GREY)[..., 0] == PIXELS).all()
    colours = np.stack([PIXELS, PIXELS // 2, 255 - PIXELS], axis=2)
    assert (decode(encode(colours), COLOUR) == colours).all()
    column = pl.Series([encode(PIXELS), None])
    assert (pixels_of(column, GREY) == np.stack([PIXELS.reshape(-1), np.zeros(24)])).all()
    assert decode(saved(Image.fromarray(PIXELS), "JPEG"), GREY).shape == (4, 6, 1)


@pytest.mark.parametrize(
    ("data", "form", "words"),
    [
        (lambda: b"", GREY, "no whole PNG or JPEG image"),
        (lambda: b"\x80\x04pickle", GREY, "no whole PNG or JPEG image"),
        (lambda: encode(PIXELS)[:-20], GREY, "no whole PNG or JPEG image"),
        (lambda: saved(Image.fromarray(np.zeros((4, 6, 3), np.uint8)), "JPEG")[:-30], COLOUR, "no whole PNG or JPEG"),
        (lambda: saved(Image.fromarray(PIXELS), "GIF"), GREY, "no whole PNG or JPEG image"),
        (lambda: saved(Image.fromarray(PIXELS), "BMP"), GREY, "no whole PNG or JPEG image"),
        (lambda: encode(PIXELS.T), GREY, "4 x 6 pixels, not 6 x 4"),
        (lambda: encode(PIXELS), COLOUR, "of the mode L, not RGB"),
        (lambda: saved(Image.fromarray(PIXELS.astype(np.uint16) * 200)), GREY, "of the mode I;16, not L"),
        (lambda: saved(Image.fromarray(PIXELS).convert("P")), GREY, "of the mode P, not L"),
        (lambda: saved(Image.fromarray(PIXELS).convert("RGBA")), COLOUR, "of the mode RGBA, not RGB"),
        (lambda: saved(Image.fromarray(PIXELS).convert("CMYK"), "JPEG"), COLOUR, "of the mode CMYK, not RGB"),
        (bomb, GREY, "60000 x 60000 pixels, not 6 x 4|no whole PNG"),
    ],
)
def test_what_is_wrong_is_told(data: Callable[[], bytes], form: ImageForm, words: str) -> None:
    made = data()
    with pytest.raises(ImageError, match=words):
        decode(made, form)
    assert misformed(pl.Series([made, None], dtype=pl.Binary), form).to_list() == [True, None]
    assert in_words(made)
    with pytest.raises(ImageError, match="row 1: "):
        pixels_of(pl.Series([None, made], dtype=pl.Binary), form)


def test_any_bytes_are_an_image_or_none() -> None:
    chance, whole = np.random.default_rng(0), encode(PIXELS)
    for _ in range(300):
        torn = bytearray(whole)
        for place in chance.integers(8, len(whole), 3):
            torn[place] = chance.integers(256)
        with contextlib.suppress(ImageError):
            assert decode(bytes(torn), GREY).shape == (4, 6, 1)
