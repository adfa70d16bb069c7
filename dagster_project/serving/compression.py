"""Request bodies that come compressed, opened up to a bound."""

import zlib

from .problems import BadRequest, shown

_GZIP, _ZLIB, _RAW = 31, 15, -15
_WINDOWS = {"gzip": (_GZIP,), "x-gzip": (_GZIP,), "deflate": (_ZLIB, _RAW)}


def decompress(body: bytes, encoding: str, most: int) -> bytes:
    """The body as it was before ``encoding`` (gzip, deflate or identity), never more than ``most`` bytes.

    Raises:
        BadRequest: 415 for another encoding, 413 for more than ``most`` bytes, 400 for what is cut off or broken.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return _bounded(body, most)
    if encoding not in _WINDOWS:
        raise BadRequest(f"Content-Encoding {shown(encoding)} is not known; send gzip, deflate or none", 415)
    for window in _WINDOWS[encoding]:
        # some clients send deflate without its zlib header
        data = _opened(body, window, most)
        if data is not None:
            return data
    raise BadRequest(f"the body is not whole {encoding} data; compress it again, as one stream")


def _opened(body: bytes, window: int, most: int) -> bytes | None:
    stream = zlib.decompressobj(window)
    try:
        data = _bounded(stream.decompress(body, most + 1), most)
    except zlib.error:
        return None
    return data if stream.eof and not stream.unused_data else None


def _bounded(data: bytes, most: int) -> bytes:
    if len(data) > most:
        raise BadRequest(f"the body is more than {most} bytes; send fewer rows at a time", 413)
    return data
