"""Requests that no client library would send, as bytes: drawn from a seed, so that each can be sent again."""

import gzip
import json
import random
import string
import struct
from collections.abc import Callable
from typing import Any

INFER = "/v2/models/delays/infer"
PATHS = (
    INFER, INFER, INFER, "/v2/models/delays/explain", "/v2/models/delays", "/v2/models/delays/ready", "/v2", "/",
    "/metrics", "/v2/health/ready", "/v2/repository/index", "/openapi.json", "/status",
    "/v2/models/delays/versions/x/infer",
)  # fmt: skip
LONG = 200_000
Draw = random.Random


def request(draw: Draw) -> tuple[str, bytes]:
    """Some request, and which kind it is."""
    kind = draw.choice(KINDS)
    return kind.__name__.strip("_"), kind(draw)


def _binary_tensors(draw: Draw) -> bytes:
    """Tensors as bytes: header length, sizes and bytes right, or one of them wrong."""
    rows = draw.choice((1, 1, 2, 7))
    texts = [draw.choice((b"UA", b"AA", "é".encode(), b"\xff", b"", b"x" * draw.randrange(40))) for _ in range(rows)]
    tensors = {
        "miles": ("FP32", struct.pack(f"<{rows}f", *(draw.uniform(-10, 3000) for _ in range(rows)))),
        "carrier": ("BYTES", b"".join(struct.pack("<I", len(text)) + text for text in texts)),
        "seats": (draw.choice(("INT64", "INT32", "BOOL", "FP64")), draw.randbytes(draw.choice((0, 4, 8 * rows)))),
    }
    chosen = draw.sample(list(tensors), draw.randint(1, 3))
    inputs = [
        {
            "name": name, "shape": _or_junk(draw, [rows, 1]), "datatype": _or_junk(draw, tensors[name][0]),
            "parameters": {"binary_data_size": _or_junk(draw, len(tensors[name][1]))},
        }
        for name in chosen
    ]  # fmt: skip
    head = json.dumps({"inputs": inputs, "parameters": _or_junk(draw, {"binary_data_output": draw.random() < 0.5})})
    body = head.encode() + _bent(draw, b"".join(tensors[name][1] for name in chosen))
    length: Any = len(head) if draw.random() < 0.7 else _number(draw)
    return _http(draw, INFER, body, {"Inference-Header-Content-Length": length})


def _random_binary_header(draw: Draw) -> bytes:
    """Any header length before any bytes."""
    body = draw.randbytes(draw.randrange(300))
    return _http(draw, INFER, body, {"Inference-Header-Content-Length": _number(draw)})


def _odd_json(draw: Draw) -> bytes:
    """JSON that is right but for a value somewhere, or whose text was damaged."""
    inputs = [
        {"name": "miles", "shape": _or_junk(draw, [1, 1]), "datatype": "FP32", "data": _or_junk(draw, [100.0])},
        {"name": "carrier", "shape": [1], "datatype": "BYTES", "data": _or_junk(draw, ["UA"])},
        {"name": "ride", "shape": [1], "datatype": "BYTES", "data": _or_junk(draw, ["r"])},
    ]
    document = {
        "id": _or_junk(draw, "i"), "inputs": _or_junk(draw, draw.sample(inputs, draw.randint(1, 3))),
        "outputs": _or_junk(draw, [{"name": draw.choice(("label", "probabilities", "value", ""))}]),
        "parameters": _or_junk(draw, {"timeout": _timeout(draw)}),
    }  # fmt: skip
    return _http(draw, _path(draw), _bent(draw, json.dumps(document).encode()))


def _deep_json(draw: Draw) -> bytes:
    """Nested beyond any use, or one number with very many digits."""
    depth = draw.choice((100, 1_000, 100_000))
    text = draw.choice((
        "[" * depth + "]" * depth, '{"a":' * depth, '{"inputs":' + "[" * depth, "9" * depth, f'{{"id":1{"0" * depth}}}',
        '{"inputs":[{"name":"miles","shape":[1],"datatype":"FP32","data":[1e' + "9" * min(depth, 999) + "]}]}",
    ))  # fmt: skip
    return _http(draw, INFER, text.encode())


def _compressed(draw: Draw) -> bytes:
    """Bodies that say they are compressed: some are, some are cut, some grow a thousandfold."""
    plain = draw.choice((b'{"inputs": []}', b"[" * 30_000_000, draw.randbytes(50)))
    packed = _bent(draw, gzip.compress(plain, 1)) if draw.random() < 0.8 else plain[:1000]
    encoding = draw.choice(("gzip", "gzip", "deflate", "br", "identity", "gzip, gzip", "\xe9", ""))
    return _http(draw, INFER, packed, {"Content-Encoding": encoding})


def _wrong_length(draw: Draw) -> bytes:
    """A Content-Length that is none, or one too many, or beside a Transfer-Encoding."""
    length = draw.choice((-1, "", "abc", "1e3", "+5", "0x10", 10**30, "5, 6", "5\r\nContent-Length: 6", "٣", "1_0"))
    more = draw.choice(({}, {"Transfer-Encoding": draw.choice(("chunked", "gzip, chunked", "chunked, identity"))}))
    return _http(draw, _path(draw), b"hello", {"Content-Length": length, **more})


def _chunks(draw: Draw) -> bytes:
    """Chunked bodies with wrong sizes, odd extensions, ends that are missing."""
    sizes = ("5", "0", "ffffffffffffffffff", "-1", "5;x=y", "g", "", "5\n", "0" * 5000 + "5", "5" + ";a" * 20_000)
    chunks = b"".join(draw.choice(sizes).encode() + b"\r\nhello\r\n" for _ in range(draw.randrange(4)))
    end = draw.choice((b"0\r\n\r\n", b"", b"0\r\nX-Trailer: y\r\n\r\n", b"0\r\n" + b"t: u\r\n" * 1000 + b"\r\n"))
    return _http(draw, INFER, chunks + end, {"Transfer-Encoding": "chunked"}, counted=False)


def _large_headers(draw: Draw) -> bytes:
    """Very long, very many, folded, or with bytes that no header has."""
    more = draw.choice((
        {"X": "y" * LONG}, {"x" * LONG: "y"}, {f"X{n}": n for n in range(5_000)}, {"X": "a\r\n folded"}, {"X": "\x00"},
        {"Authorization": "Bearer " + "é" * 1000}, {"": "y"}, {"X Y": "z"}, {"Host": ""}, {"Expect": "100-continue"},
        {"Authorization": draw.choice(("Bearer", "Basic \xff", "bearer  x", "\x7f"))}, {"Connection": "upgrade, close"},
    ))  # fmt: skip
    return _http(draw, _path(draw), b"{}", more)


def _odd_request_line(draw: Draw) -> bytes:
    """Methods, targets and versions of HTTP that are none."""
    method = draw.choice(
        ("GET", "POST", "PATCH", "TRACE", "CONNECT", "get", "", "PRI", "A" * 1000, "P\x00ST", "OPTIONS")
    )
    target = draw.choice((
        "*", "", "//", "http://x/v2", "/%", "/%00", "/%ff/é", "/../..", "/v2/models/%2e%2e/infer", "/" + "a" * 70_000,
        "/v2/models/" + "%41" * 3000 + "/infer", "/v2/models/delays/infer?" + "a=b&" * 9000, "x:443",
        "/v2/models//infer",
        "/v2/models/delays/versions//infer", "/v2/models/a/b/c/d/e/f/infer", "/\r\n", "/v2/models/delays/infer#x",
    ))  # fmt: skip
    version = draw.choice(("HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9.9", "HTTP/1.1.1", "", "http/1.1", "ICY"))
    return f"{method} {target} {version}\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode("utf-8", "surrogatepass")


def _upgrade(draw: Draw) -> bytes:
    """Asks to speak something else."""
    headers = {
        "Connection": "Upgrade", "Upgrade": draw.choice(("websocket", "h2c", "TLS/1.0", "websocket, h2c")),
        "Sec-WebSocket-Key": draw.choice(("dGhlIHNhbXBsZSBub25jZQ==", "x")), "Sec-WebSocket-Version": "13",
        "HTTP2-Settings": "AAMAAABkAARAAAAAAAIAAAAA",
    }  # fmt: skip
    return _http(draw, _path(draw), b"", headers, method="GET")


def _noise(draw: Draw) -> bytes:
    """No HTTP at all: bytes, TLS, HTTP/2, line ends."""
    return draw.choice((
        draw.randbytes(draw.randrange(1, 2000)), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + draw.randbytes(500),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + draw.randbytes(50), b"\r\n" * 5000, b"\x00" * 5000, b"GET",
        b"GET / HTTP/1.1",
    ))  # fmt: skip


def _pipelined(draw: Draw) -> bytes:
    """Several requests at once, the last of them perhaps cut."""
    parts = [draw.choice(KINDS[:3])(draw) for _ in range(draw.randint(2, 8))]
    whole = b"".join(parts)
    return whole if draw.random() < 0.5 else whole[: draw.randrange(len(whole))]


KINDS: tuple[Callable[[Draw], bytes], ...] = (
    _binary_tensors, _random_binary_header, _odd_json, _deep_json, _compressed, _wrong_length, _chunks, _large_headers,
    _odd_request_line, _upgrade, _noise, _pipelined,
)  # fmt: skip


def _http(
    draw: Draw, path: str, body: bytes, headers: dict[str, Any] | None = None, method: str = "", counted: bool = True
) -> bytes:
    usual = "POST" if path.endswith(("/infer", "/explain", "/index")) else "GET"
    method = method or (usual if draw.random() < 0.9 else draw.choice(("POST", "GET", "PUT", "HEAD", "DELETE")))
    given: dict[str, Any] = {"Host": "x", **({"Content-Length": len(body)} if counted else {}), **(headers or {})}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def _path(draw: Draw) -> str:
    return draw.choice(PATHS)


def _number(draw: Draw) -> Any:
    return draw.choice(
        (0, 1, -1, 17, 2**31, 2**63, 10**20, 10**400, "", "x", "1 ", " 7", "1.5", "٣", "0x1", "1,2", "+3")
    )


def _timeout(draw: Draw) -> Any:
    """Microseconds: none so few that 504 would be the right answer."""
    number = _number(draw)
    return number if number not in (1, 17) else 10**7


def _or_junk(draw: Draw, value: Any) -> Any:
    """Now and then something else."""
    if draw.random() < 0.92:
        return value
    return draw.choice((
        None, True, -1, 0, 2**64, 1e308, float("nan"), float("-inf"), "", "x", "\x00", "\ud800", [], {}, [[[]]], [None],
        [-1], [2**40, 2**40], {"a": {"b": []}}, [1e39], ["x" * 5000], [{}],
        "".join(draw.choices(string.printable, k=9)),
    ))  # fmt: skip


def _bent(draw: Draw, data: bytes) -> bytes:
    """As it is, or cut, or with some bytes changed, or with more behind it."""
    way = draw.randrange(8)
    if way == 0:
        return data[: draw.randrange(len(data) + 1)]
    if way == 1:
        return data + draw.randbytes(draw.randrange(64))
    if way == 2 and data:
        changed = bytearray(data)
        for _ in range(draw.randint(1, 4)):
            changed[draw.randrange(len(changed))] = draw.randrange(256)
        return bytes(changed)
    return data
