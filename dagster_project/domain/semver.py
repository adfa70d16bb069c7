"""Versions of contracts: MAJOR.MINOR.PATCH (https://semver.org), releases only, so that PEP 440 ranges fit them."""

import re

from .plan import Bump

_VERSION = re.compile(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\Z")
ORDER: tuple[Bump, ...] = ("none", "patch", "minor", "major")

Version = tuple[int, int, int]


def parse_version(text: str) -> Version:
    """``1.2.3`` as numbers; raises ``ValueError`` for anything else."""
    match = _VERSION.match(text)
    if match is None:
        raise ValueError(f"`{text}` is not a version such as 1.2.3")
    major, minor, patch = match.groups()
    return int(major), int(minor), int(patch)


def largest(*bumps: Bump) -> Bump:
    """The one that promises least."""
    return max(bumps, key=ORDER.index, default="none")


def bump_between(base: str, head: str) -> Bump | None:
    """How far the version went up; ``None`` when it went down."""
    before, after = parse_version(base), parse_version(head)
    if after < before:
        return None
    if after == before:
        return "none"
    return ("major", "minor", "patch")[next(i for i in range(3) if after[i] != before[i])]


def bumped(version: str, bump: Bump) -> str:
    """The next version after ``bump``."""
    major, minor, patch = parse_version(version)
    return {
        "none": version,
        "patch": f"{major}.{minor}.{patch + 1}",
        "minor": f"{major}.{minor + 1}.0",
        "major": f"{major + 1}.0.0",
    }[bump]
