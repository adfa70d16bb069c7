"""Changes of files as a patch for ``git apply``: what a promotion is where the branch can't be pushed to. Pure."""

import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher

from dagster_project.domain.errors import UsageError

CONTEXT = 3
#: Paths that git writes into a patch as they are. A lock's path is one of these.
_PLAIN = re.compile(r"[A-Za-z0-9_.@+-]+(/[A-Za-z0-9_.@+-]+)*")
_MODE = "100644"


def patch(files: Mapping[str, tuple[bytes | None, bytes | None]]) -> str:
    """A unified diff in git's format of ``path -> (before, after)``; None: the file isn't there.

    Raises:
        UsageError: a file is no UTF-8 text, or its path would have to be quoted.
    """
    return "".join(_file(path, *both) for path, both in sorted(files.items()) if both[0] != both[1])


def _file(path: str, before: bytes | None, after: bytes | None) -> str:
    if not _PLAIN.fullmatch(path):
        raise UsageError(f"'{path}' can't stand in a patch. Use letters, digits and ._@+- in paths.")
    head = f"diff --git a/{path} b/{path}\n"
    head += f"new file mode {_MODE}\n" if before is None else ""
    head += f"deleted file mode {_MODE}\n" if after is None else ""
    hunks = "".join(_hunks(_lines(path, before), _lines(path, after)))
    old, new = "/dev/null" if before is None else f"a/{path}", "/dev/null" if after is None else f"b/{path}"
    return f"{head}--- {old}\n+++ {new}\n{hunks}" if hunks else head


def _hunks(old: list[str], new: list[str]) -> Iterator[str]:
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(CONTEXT):
        (_, a, _, c, _), (_, _, b, _, d) = group[0], group[-1]
        yield f"@@ -{_span(a, b)} +{_span(c, d)} @@\n"
        for kind, i, j, k, m in group:
            if kind == "equal":
                yield from (_line(" ", line) for line in old[i:j])
                continue
            yield from (_line("-", line) for line in old[i:j])
            yield from (_line("+", line) for line in new[k:m])


def _span(start: int, end: int) -> str:
    """Lines count from 1; an empty span stands after the line that it names."""
    return f"{start + 1 if end > start else start},{end - start}"


def _line(mark: str, line: str) -> str:
    return f"{mark}{line}" if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"


def _lines(path: str, data: bytes | None) -> list[str]:
    r"""Lines as git sees them: ended by \n alone, which ``splitlines`` doesn't hold to."""
    try:
        return re.findall(r"[^\n]*\n|[^\n]+", (data or b"").decode())
    except UnicodeDecodeError:
        raise UsageError(f"{path}: no text, so it can't stand in a patch.") from None
