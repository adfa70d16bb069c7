"""YAML as people mean it: line numbers kept, every trap refused or read as YAML 1.2 does.

PyYAML's constructor is not used: the parser's events are read here, so ``no`` is text, ``1e3`` a number, a repeated
key an error, and nothing can construct an object. https://yaml.org/spec/1.2.2/#103-core-schema
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from .errors import Problem, UserFileError

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_NODES = 50_000
MAX_ALIASES = 100
MAX_INTEGER = 2**63 - 1

_NULL = re.compile(r"(?:~|null|Null|NULL|)\Z")
_BOOLEAN = re.compile(r"(?:(true|True|TRUE)|false|False|FALSE)\Z")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_UNCLEAR = re.compile(
    r"[-+]?(?:0[0-9]+|0[xob][0-9a-fA-F_]+|[0-9][0-9_]*_[0-9_.]*|\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
)

Location = tuple[str | int, ...]


@dataclass(slots=True)
class _Node:
    value: Any
    line: int
    size: int = 1
    children: "dict[str | int, _Node]" = field(default_factory=dict)
    finished: bool = True


@dataclass(frozen=True, slots=True)
class Document:
    """A file's value, and where each part of it stands."""

    file: str
    value: dict[str, Any]
    _root: _Node

    def line(self, location: Location = ()) -> int:
        """Line, from 1, of what lies at ``location``, or of the closest thing around it that exists.

        Steps that the file does not have are passed over, so that pydantic's names of union members do no harm.
        """
        node = self._root
        for step in location:
            node = node.children.get(step, node)
        return node.line

    def problem(self, location: Location, message: str, hint: str = "", code: str = "") -> Problem:
        """A problem of this file at ``location``."""
        return Problem(
            file=self.file,
            line=self.line(location),
            where=_short(place(location, self.value), 200),
            message=_short(message, 600),
            hint=hint,
            code=code,
        )


def place(location: Location, value: Any = None) -> str:
    """``schema.flights.properties.dest.enum[2]``: entries of a list by their name where they have one."""
    text = ""
    for step in location:
        value = _step(value, step)
        if isinstance(step, str):
            text += f".{step}"
            continue
        name = next((value[k] for k in ("name", "property", "server") if _is_name(value, k)), None)
        text += f".{name}" if name else f"[{step}]"
    return text.removeprefix(".")


def value_at(value: Any, location: Location) -> Any:
    """What lies at ``location``; None where there is nothing."""
    for step in location:
        value = _step(value, step)
    return value


def load_yaml(text: str | bytes, file: str) -> Document:
    """Read one mapping. Raises :class:`UserFileError` with every problem found before reading became impossible."""
    reader, decoded = _Reader(file), _decoded(text, file)
    try:
        root = reader.read(decoded)
    except yaml.YAMLError as error:
        raise UserFileError([*reader.problems, _syntax_problem(error, file, decoded)]) from error
    if reader.problems:
        raise UserFileError(reader.problems)
    if not isinstance(root.value, dict):
        message = "the file is empty." if root.value is None else "the file has to be a mapping of keys to values."
        raise UserFileError([Problem(file=file, line=root.line, message=message, hint="Begin with `key: value`.")])
    return Document(file, root.value, root)


class _Reader:
    """Turns parser events into nodes, collecting problems on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.anchors: dict[str, _Node] = {}
        self.aliases = 0
        self.nodes = 0

    def read(self, text: str) -> _Node:
        events: Iterator[yaml.Event] = yaml.parse(text, Loader=_loader())
        root: _Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self._stop(event, "a second document begins here.", "Keep one document a file: delete the `---`.")
                root = self._node(next(events), events, 0)
        return root or _Node(None, 1)

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> _Node:
        self._limits(event, depth)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if (tag := getattr(event, "tag", None)) is not None:
            self._problem(event, f"the tag `{tag}` is not allowed.", "Write the plain value; quote it if text.")
        node = _Node(None, _line(event), finished=False)
        if (anchor := getattr(event, "anchor", None)) is not None:
            self.anchors[anchor] = node
        if isinstance(event, yaml.ScalarEvent):
            node.value = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._sequence(node, events, depth)
        else:
            self._mapping(node, events, depth)
        node.finished = True
        return node

    def _sequence(self, node: _Node, events: Iterator[yaml.Event], depth: int) -> None:
        node.value = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                return
            child = self._node(event, events, depth + 1)
            node.children[len(node.value)] = child
            node.value.append(child.value)
            node.size += child.size

    def _mapping(self, node: _Node, events: Iterator[yaml.Event], depth: int) -> None:
        node.value = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                return
            key = self._key(event, events, depth)
            child = self._node(next(events), events, depth + 1)
            # The key's line is where people look; a block value begins on the line after it.
            child = _Node(child.value, _line(event), child.size, child.children)
            if key in node.children:
                first = node.children[key].line
                self._problem(event, f"the key `{key}` is written twice; the first is in line {first}.", "Delete one.")
            node.children[key], node.value[key] = child, child.value
            node.size += child.size

    def _key(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> str:
        node = self._node(event, events, depth + 1)
        if node.value == "<<" and isinstance(event, yaml.ScalarEvent) and event.implicit[0]:
            self._problem(event, "merge keys (`<<`) are not part of YAML 1.2.", "Write the keys out.")
        if not isinstance(node.value, str):
            self._problem(event, f"the key `{_short(node.value)}` is not text.", "Put it in quotes.")
        return str(node.value)

    def _scalar(self, event: yaml.ScalarEvent) -> Any:
        if not event.implicit[0]:  # quoted, or a block
            return event.value
        try:
            return _plain(event.value)
        except ValueError as error:
            self._problem(event, str(error), "Write a plain decimal number, or put it in quotes if it is text.")
            return event.value

    def _alias(self, event: yaml.AliasEvent) -> _Node:
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            self._stop(event, f"more than {MAX_ALIASES} aliases.", "Write the values out.")
        node = self.anchors.get(event.anchor or "")
        if node is None:
            self._stop(event, f"the alias `*{event.anchor}` has no anchor before it.", "Write the value out.")
        if not node.finished:
            self._stop(event, f"the alias `*{event.anchor}` contains itself.", "Write the value out.")
        self.nodes += node.size
        self._limits(event, 0)
        return node

    def _limits(self, event: yaml.Event, depth: int) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self._stop(
                event, f"more than {MAX_NODES} values, aliases expanded.", "Split the file, or drop the aliases."
            )
        if depth > MAX_DEPTH:
            self._stop(event, f"nested deeper than {MAX_DEPTH} levels.", "Flatten it.")

    def _problem(self, event: yaml.Event, message: str, hint: str) -> None:
        self.problems.append(Problem(file=self.file, line=_line(event), message=message, hint=hint, code="yaml"))

    def _stop(self, event: yaml.Event, message: str, hint: str) -> NoReturn:
        self._problem(event, message, hint)
        raise UserFileError(self.problems)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def reads_as_text(text: str) -> bool:
    """Whether ``text`` without quotes is this very text to every reader: a commit may begin like a binary number."""
    try:
        return bool(_plain(text) == text)
    except ValueError:
        return False


def _plain(text: str) -> Any:
    """Value of an unquoted scalar by YAML 1.2's core schema; raises ``ValueError`` where readers disagree."""
    if _NULL.match(text):
        return None
    if boolean := _BOOLEAN.match(text):
        return boolean.group(1) is not None
    if _UNCLEAR.match(text):
        raise ValueError(f"`{_short(text)}` is read differently by different YAML readers.")
    if _INTEGER.match(text):
        if len(text) > 20 or abs(int(text)) > MAX_INTEGER:
            raise ValueError(f"`{_short(text)}` does not fit into 64 bits.")
        return int(text)
    if _FLOAT.match(text):
        if len(text) > 400 or abs(float(text)) == float("inf"):
            raise ValueError(f"`{_short(text)}` is too large for a number.")
        return float(text)
    return text


def _decoded(text: str | bytes, file: str) -> str:
    size = len(text.encode(errors="surrogatepass") if isinstance(text, str) else text)
    if size > MAX_BYTES:
        message = f"the file has {size:,} bytes; at most {MAX_BYTES:,} are read."
        raise UserFileError([Problem(file=file, message=message, hint="Split it.", code="yaml")])
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        message = f"byte {error.start} is not UTF-8."
        hint = "Save the file as UTF-8 text."
        raise UserFileError([Problem(file=file, line=line, message=message, hint=hint, code="yaml")]) from error


def _syntax_problem(error: yaml.YAMLError, file: str, text: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).splitlines()[0]
    hint = "Indent with spaces, and put text that contains `: `, `#` or brackets in quotes."
    control = yaml.reader.Reader.NON_PRINTABLE.search(text)  # told without a mark
    line = mark.line + 1 if mark else text.count("\n", 0, control.start()) + 1 if control else None
    return Problem(file=file, line=line, message=f"this is not YAML: {_short(reason, 200)}.", hint=hint, code="yaml")


def _loader() -> Any:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _step(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None


def _is_name(value: Any, key: str) -> bool:
    return isinstance(value, dict) and isinstance(value.get(key), str) and bool(value[key])


def _short(value: Any, limit: int = 60) -> str:
    text = str(value)
    return text if len(text) <= limit else f"{text[:limit]}..."
