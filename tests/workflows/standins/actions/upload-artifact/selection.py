"""Which files an artifact holds, and under which names (rules of actions/upload-artifact v7 and @actions/glob)."""

import itertools
import os
from pathlib import Path


def select(patterns: list[str], workspace: Path, hidden: bool) -> dict[str, Path]:
    """The name within the artifact, and the file, of each file that a pattern names; ``!`` takes out again.

    A folder counts with all that is below it. Names are relative to what the patterns' fixed beginnings have in common.
    Unless ``hidden``, a beginning with a dot before its name is left out, and so is each such name below a beginning.
    """
    files: set[Path] = set()
    for pattern in patterns:
        if pattern.startswith("!"):
            files -= _files(workspace / pattern[1:], hidden=True)
        else:
            files |= _files(workspace / pattern, hidden)
    starts = [_start(workspace / pattern) for pattern in patterns if not pattern.startswith("!")]
    root = Path(os.path.commonpath(starts)) if starts else workspace
    if files == {root}:
        root = root.parent
    return {str(file.relative_to(root)): file for file in sorted(files)}


def _files(pattern: Path, hidden: bool) -> set[Path]:
    start = _start(pattern)
    named = list(start.glob(str(pattern.relative_to(start)))) if pattern != start else [start]
    inside = itertools.chain.from_iterable([one, *one.rglob("*")] for one in named)
    return {file for file in inside if file.is_file() and (hidden or not _is_hidden(file, start))}


def _start(pattern: Path) -> Path:
    """What comes before the first part with a wildcard."""
    return Path(*itertools.takewhile(lambda part: not set(part) & set("*?["), pattern.parts))


def _is_hidden(file: Path, start: Path) -> bool:
    return any(part.startswith(".") for part in (start.name, *file.relative_to(start).parts))
