"""What differs between two commits, file by file, as GitHub tells it."""

from dataclasses import dataclass

from tests.github.bare import Bare


@dataclass(frozen=True)
class Change:
    """One file of a difference; ``status`` as GitHub says it."""

    path: str
    previous: str | None
    status: str
    sha: str
    additions: int
    deletions: int
    patch: str | None


def changes_between(bare: Bare, base: str, head: str) -> list[Change]:
    """Files that differ between two commits, by path."""
    span = ("-M", base, head)
    raw = bare.git("diff", "-z", "--raw", "--abbrev=40", *span).decode(errors="replace").split("\0")
    counts = _counts(bare, span)
    patches = _patches(bare, span)
    return [_change(*names, counts, patches) for names in _raw_entries(raw)]


def _counts(bare: Bare, span: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    fields = iter(bare.git("diff", "-z", "--numstat", *span).decode(errors="replace").split("\0"))
    counts: dict[str, tuple[int, int]] = {}
    for line in fields:
        if line:
            added, removed, path = line.split("\t")
            path = path or (next(fields), next(fields))[1]
            counts[path] = (0 if added == "-" else int(added), 0 if removed == "-" else int(removed))
    return counts


def _patches(bare: Bare, span: tuple[str, ...]) -> dict[str, str]:
    text = "\n" + bare.git("diff", "--no-color", "--no-prefix", *span).decode(errors="replace")
    patches: dict[str, str] = {}
    for part in text.split("\ndiff --git ")[1:]:
        head, mark, hunks = part.partition("\n@@")
        names = [line[4:].rstrip("\t") for line in head.splitlines() if line[:4] in ("--- ", "+++ ")]
        if mark:
            patches[next(name for name in reversed(names) if name != "/dev/null")] = "@@" + hunks.rstrip("\n")
    return patches


def _raw_entries(fields: list[str]) -> list[tuple[str, str, str, str | None]]:
    """Status letter, sha, path and previous path of ``git diff --raw -z``."""
    entries, rest = [], iter(fields)
    for line in rest:
        if line:
            *_, old, new, status = line.split()
            path = next(rest)
            previous, path = (path, next(rest)) if status[0] in "RC" else (None, path)
            entries.append((status[0], old if status[0] == "D" else new, path, previous))
    return entries


def _change(
    letter: str, sha: str, path: str, previous: str | None, counts: dict[str, tuple[int, int]], patches: dict[str, str]
) -> Change:
    words = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}
    added, removed = counts.get(path, (0, 0))
    return Change(path, previous, words[letter], sha, added, removed, patches.get(path))
