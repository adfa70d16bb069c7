"""Compressed bodies are opened up to a bound; everything else about them is said."""

import gzip
import zlib

import pytest

from dagster_project.serving.protocol import BadRequest, decompress

DATA = b"some rows " * 100
GZIPPED = gzip.compress(DATA, mtime=0)  # tests are named by it: the same in every process


def _raw(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", GZIPPED),
        (" GZIP ", GZIPPED),
        ("deflate", zlib.compress(DATA)),
        ("deflate", _raw(DATA)),
        ("identity", DATA),
    ],
)
def test_what_clients_send_is_opened(encoding: str, body: bytes) -> None:
    assert decompress(body, encoding, len(DATA)) == DATA
    with pytest.raises(BadRequest, match="more than 999 bytes") as caught:
        decompress(body, encoding, len(DATA) - 1)
    assert caught.value.status == 413


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_bomb_is_not_opened(pack: object) -> None:
    import tracemalloc

    bomb = pack(b"\x00" * 50_000_000)  # type: ignore[operator]
    tracemalloc.start()
    try:
        with pytest.raises(BadRequest) as caught:
            decompress(bomb, "gzip" if pack is gzip.compress else "deflate", 100_000)
        assert caught.value.status == 413
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("body", [b"", b"nonsense", GZIPPED[:-4], zlib.compress(DATA)[:-4], GZIPPED * 2])
def test_what_is_broken_or_not_whole(encoding: str, body: bytes) -> None:
    with pytest.raises(BadRequest, match="is not whole") as caught:
        decompress(body, encoding, 100_000)
    assert caught.value.status == 400


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "\x1b[31m"])
def test_an_encoding_that_nobody_knows(encoding: str) -> None:
    with pytest.raises(BadRequest, match="is not known") as caught:
        decompress(DATA, encoding, 100_000)
    assert caught.value.status == 415 and "\x1b" not in str(caught.value)
