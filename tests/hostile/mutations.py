"""Files spoiled at random, by their text or by their structure; the same seed spoils the same way."""

import random
from collections.abc import Callable
from typing import Any

import yaml

Files = dict[str, bytes]

VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 1.5, 1e300, float("nan"), float("inf"), 10**18, 2**70, "", " ", "x", "P1D", "-P1D",
    "PT0S", "P99999999Y", "P1Y6M", "é\u2028", "\x00", "a" * 5000, "../../x", "/", "[", "(?P<", "(a+)+$", "2013-02-30",
    "9999-12-31T23:59:59", "2024-01-01T00:00:00+99:00", "file:///etc/passwd", "SELECT 1", "{}", "late", "departures",
    "flights.nothing", ".", "1.0", "1.0.0-x", ">=9", "<<", [], {}, [[]], [None], [{}], {"a": 1}, {1: 2}, ["late"],
    ["a", "a"], [1, "x"], {"property": "threeacts.role", "value": "label"}, [{"kind": "bound"}], {"by": "time"},
    {"choice": []}, {"integer": [1, 2]}, {"integer": [2, 1]}, {"uniform": [1, "x"]}, {"log_uniform": [0, 1]},
    "label", "weight", "group", "event_time", "integer", "object", "array", "binary", "multiclass", "regression",
]  # fmt: skip
KEYS = ["zzz", "kind", "by", "choice", "metric", "severity", "name", "required", "enum", "quality", "items", "server"]
PIECES = [
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\t", b"\r", b"\n", b"  ", b"- ", b": ", b"? ", b"&a ", b"*a", b"<<: *a",
    b"!!python/object:os.system ", b"!!binary ", b"%YAML 9.9\n", b"---\n", b"...\n", b"'", b'"', b"{", b"}", b"[", b"]",
    b"|\n", b">", b"#", b"@", b"`", b"\\", b"\x1b[2J", "\u2028".encode(), "\U0001f4a5".encode(), b"~", b"0x1F", b"1_0",
    b"12:30:45", b"2001-12-14", b"=", b".inf", b"-.inf", b".nan", b"yes", b"NO", b"0o7", b"1e999", b"9" * 400,
]  # fmt: skip
SQL_PIECES = [
    b"SELECT", b"FROM", b"JOIN", b"WHERE 1=1", b"(", b")", b",", b";", b"*", b"'", b'"', b"--", b"/*", b"*/", b"NULL",
    b"read_csv('/etc/passwd')", b"ATTACH 'x'", b"flights", b"nothing", b"OVER (", b"UNION", b"WITH RECURSIVE", b"$1",
    b"{{x}}", b"::", b"->", b"\xff", b"CASE WHEN", b"INSERT INTO", b"late", b"LIMIT -1", b"[1]", b"(" * 600,
]  # fmt: skip


class _Plain(yaml.SafeDumper):
    """Writes every value out: an alias would be the mutation that nobody asked for."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def spoil(files: Files, seed: int) -> tuple[str, Files]:
    """(what was done, the files): one to three changes of files drawn by ``seed``."""
    chance, done, spoiled = random.Random(seed), [], dict(files)
    for _ in range(chance.randint(1, 3)):
        path = chance.choice(sorted(spoiled))
        sql = path.endswith(".sql")
        way = _text if sql or chance.random() < 1 / 3 else _structure
        what, spoiled[path] = way(spoiled[path], chance, SQL_PIECES if sql else PIECES)
        done.append(f"{path}: {what}")
    return "; ".join(done), spoiled


def _text(data: bytes, chance: random.Random, pieces: list[bytes]) -> tuple[str, bytes]:
    at = chance.randrange(len(data) + 1)
    until = min(len(data), at + chance.choice([1, 2, 8, 60]))
    piece = chance.choice(pieces)
    ways: dict[str, Callable[[], bytes]] = {
        "cut off": lambda: data[:at],
        "removed": lambda: data[:at] + data[until:],
        "doubled": lambda: data[:until] + data[at:],
        "inserted": lambda: data[:at] + piece + data[at:],
        "replaced": lambda: data[:at] + piece + data[until:],
        "flipped": lambda: data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :],
    }
    way = chance.choice(sorted(ways))
    return f"{way} at {at} ({piece[:20]!r})", ways[way]()


def _structure(data: bytes, chance: random.Random, pieces: list[bytes]) -> tuple[str, bytes]:
    try:
        document = yaml.safe_load(data)
    except (yaml.YAMLError, ValueError):
        return _text(data, chance, pieces)
    found = _places(document)
    if not found:
        return "replaced by a value", yaml.safe_dump(chance.choice(VALUES)).encode()
    *way, last = chance.choice(found)
    owner = document
    for key in way:
        owner = owner[key]
    value, action = chance.choice(VALUES), chance.choice(["replace", "replace", "add", "remove"])
    if action == "remove":
        owner.pop(last)
    elif action == "add" and isinstance(owner, dict):
        owner[chance.choice(KEYS)] = value
    else:
        owner[last] = value
    what = f"{action} at {(*way, last)} ({str(value)[:30]})"
    return what, yaml.dump(document, Dumper=_Plain, allow_unicode=True).encode("utf-8", "replace")


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(*path, key) for key, _ in inner] + [p for key, below in inner for p in _places(below, (*path, key))]
