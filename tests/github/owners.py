"""CODEOWNERS: who has to agree to which file. The last line that fits a path counts."""

import re
from functools import cache

from tests.github.bare import Bare
from tests.github.differences import changes_between
from tests.github.world import Pull, Repository, World

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")


def missing(world: World, at: Repository, pull: Pull, approvals: set[str]) -> list[str]:
    """Paths whose owners have not approved; ``approvals`` are logins in small letters."""
    lines = _lines(at.bare, pull.base)
    start = at.bare.merge_base(pull.base, pull.head) or pull.base
    touched = {
        path for change in changes_between(at.bare, start, pull.head) for path in (change.path, change.previous) if path
    }
    return [path for path in sorted(touched) if (who := _owners(world, lines, path)) and not who & approvals]


def _lines(bare: Bare, base: str) -> list[tuple[str, list[str]]]:
    for place in PLACES:
        names = bare.text("ls-tree", "--name-only", base, "--", place)
        if names:
            text = bare.text("show", f"{base}:{place}")
            words = [line.split("#")[0].split() for line in text.splitlines()]
            return [(line[0], line[1:]) for line in words if line]
    return []


def _owners(world: World, lines: list[tuple[str, list[str]]], path: str) -> set[str]:
    names: list[str] = []
    for pattern, who in lines:
        if _pattern(pattern).match(path):
            names = who
    people: set[str] = set()
    for name in names:
        login = name.removeprefix("@").lower()
        people |= world.teams.get(login, set()) if "/" in login else {login}
    return people


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """gitignore's patterns, as far as CODEOWNERS has them."""
    inner = text.strip("/")
    anchored = text.startswith("/") or "/" in inner
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", inner)
    body = "".join(wild.get(part, re.escape(part)) for part in parts)
    end = "/.*" if text.endswith("/") else "$" if inner.endswith("*") and "/" in inner else "(?:/.*)?$"
    return re.compile(f"{'' if anchored else '(?:.*/)?'}{body}{end}")
