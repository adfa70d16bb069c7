"""Commits that no honest git makes: links, submodules, names that lead elsewhere or are no text."""

import os
import subprocess
from pathlib import Path

Entry = tuple[bytes, bytes, bytes]
"""Mode, path below the top, content; a submodule's content is a commit's hash."""
LINK, PLAIN, SUBMODULE, FOLDER = b"120000", b"100644", b"160000", b"40000"


def committed(bare: Path, branch: str, entries: list[Entry], parent: str = "main") -> str:
    """A commit on top of ``parent`` with these entries in place of its own of the same name; git checks nothing."""
    tree = _with(bare, _git(bare, "rev-parse", f"{parent}^{{tree}}").decode(), entries)
    made = _git(bare, "commit-tree", tree, "-p", parent, "-m", "mine").decode().strip()
    _git(bare, "update-ref", f"refs/heads/{branch}", made)
    return made


def _with(bare: Path, tree: str | None, entries: list[Entry]) -> str:
    """The tree with the entries, by raw bytes, since ``git mktree`` looks at names."""
    found = _entries(bare, tree) if tree else {}
    below: dict[bytes, list[Entry]] = {}
    for mode, path, content in entries:
        name, _, rest = path.partition(b"/")
        if rest:
            below.setdefault(name, []).append((mode, rest, content))
        else:
            blob = content if mode == SUBMODULE else _git(bare, "hash-object", "-w", "--stdin", stdin=content).strip()
            found[name] = (mode, blob)
    for name, more in below.items():
        mode, old = found.get(name, (FOLDER, b""))
        found[name] = (FOLDER, _with(bare, old.decode() if mode == FOLDER and old else None, more).encode())
    order = sorted(found, key=lambda name: name + (b"/" if found[name][0] == FOLDER else b""))
    raw = b"".join(found[name][0] + b" " + name + b"\0" + bytes.fromhex(found[name][1].decode()) for name in order)
    return _git(bare, "hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=raw).decode().strip()


def _entries(bare: Path, tree: str) -> dict[bytes, tuple[bytes, bytes]]:
    lines = _git(bare, "ls-tree", "-z", tree.strip()).split(b"\0")[:-1]
    split = ((line.partition(b"\t")[0].split(), line.partition(b"\t")[2]) for line in lines)
    return {name: (facts[0].lstrip(b"0"), facts[2]) for facts, name in split}


def _git(bare: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    who = {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.com"}
    who |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in who.items()}
    command = ["git", "-C", str(bare), *arguments]
    return subprocess.run(command, input=stdin, env={**os.environ, **who}, check=True, capture_output=True).stdout
