"""A bare git repository on disk, and what a forge does in it. Every object is git's own."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

#: Of a commit: fields apart by a unit separator, so that a message may hold anything.
FORMAT = "%x1f".join(("%H", "%T", "%P", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", "%B"))
#: Merges that nobody made by hand have to come out the same each time.
FIXED = {"GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2024-01-01T00:00:00Z"}


class GitError(RuntimeError):
    """git said no; the message is git's."""


@dataclass(frozen=True)
class Signature:
    """Who, and when (ISO 8601 with its offset)."""

    name: str
    email: str
    date: str


@dataclass(frozen=True)
class Commit:
    """A commit's parts."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


def git(*arguments: str | Path, data: bytes | None = None, env: Mapping[str, str] | None = None) -> bytes:
    """git's output, with no configuration but the repository's own.

    Raises:
        GitError: with what git wrote.
    """
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    names = {"GIT_AUTHOR_NAME": "GitHub", "GIT_AUTHOR_EMAIL": "noreply@github.com"}
    names |= {"GIT_COMMITTER_NAME": "GitHub", "GIT_COMMITTER_EMAIL": "noreply@github.com"}
    done = subprocess.run(
        ["git", *map(str, arguments)], input=data, capture_output=True, check=False, env=clean | names | dict(env or {})
    )
    if done.returncode:
        raise GitError(
            f"git {' '.join(map(str, arguments))}: {(done.stderr or done.stdout).decode(errors='replace').strip()}"
        )
    return done.stdout


class Bare:
    """The bare repository at ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def git(self, *arguments: str | Path, data: bytes | None = None, env: Mapping[str, str] | None = None) -> bytes:
        """git's output in this repository."""
        return git("-c", "core.quotePath=false", "-C", self.path, *arguments, data=data, env=env)

    def text(self, *arguments: str | Path, data: bytes | None = None, env: Mapping[str, str] | None = None) -> str:
        """The same as text, without the last line's end."""
        return self.git(*arguments, data=data, env=env).decode(errors="replace").rstrip("\n")

    def kind(self, sha: str) -> str | None:
        """blob, tree, commit or tag; None: there is no such object."""
        try:
            return self.text("cat-file", "-t", sha)
        except GitError:
            return None

    def resolve(self, name: str) -> str | None:
        """The commit's sha that a branch, tag, full ref or sha means."""
        for full in (f"refs/heads/{name}", f"refs/tags/{name}", name):
            try:
                return self.text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{full}^{{commit}}")
            except GitError:
                continue
        return None

    def refs(self, prefix: str = "refs/heads/") -> dict[str, str]:
        """sha by full name."""
        lines = self.text("for-each-ref", "--format=%(refname) %(objectname)", prefix).splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def write(self, ref: str, sha: str) -> None:
        """Set a ref."""
        self.git("update-ref", ref, sha)

    def delete(self, ref: str) -> None:
        """Remove a ref."""
        self.git("update-ref", "-d", ref)

    def commit(self, sha: str) -> Commit:
        """One commit's parts."""
        return self.commits("-1", sha)[0]

    def commits(self, *arguments: str) -> list[Commit]:
        """Commits as ``git log`` lists them."""
        text = self.git("log", "-z", f"--format={FORMAT}", *arguments).decode(errors="replace")
        return [_commit(entry) for entry in text.split("\0") if entry]

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether ``new`` has ``old`` in its history."""
        try:
            self.git("merge-base", "--is-ancestor", old, new)
        except GitError:
            return False
        return True

    def merge_base(self, one: str, other: str) -> str | None:
        """Where two histories meet."""
        try:
            return self.text("merge-base", one, other)
        except GitError:
            return None

    def count(self, span: str) -> int:
        """How many commits ``a..b`` holds."""
        return int(self.text("rev-list", "--count", span))

    def merged_tree(self, base: str, head: str) -> str | None:
        """The merge's tree; None: they conflict."""
        try:
            return self.text("merge-tree", "--write-tree", base, head).splitlines()[0]
        except GitError:
            return None

    def make_commit(
        self, tree: str, parents: tuple[str, ...], message: str, env: Mapping[str, str] | None = None
    ) -> str:
        """A commit's sha; names and dates from ``env``, as git reads them."""
        options = [part for parent in parents for part in ("-p", parent)]
        return self.text("commit-tree", tree, *options, data=message.encode(), env=env)

    def blob(self, sha: str) -> bytes:
        """A file's bytes."""
        return self.git("cat-file", "blob", sha)

    def put_blob(self, content: bytes) -> str:
        """A blob's sha."""
        return self.text("hash-object", "-w", "--stdin", data=content)

    def tree(self, sha: str, recursive: bool = False) -> list[tuple[str, str, str, int | None, str]]:
        """Mode, type, sha, size (None where it has none) and path of each entry."""
        options = ["-r", "-t"] if recursive else []
        entries = self.git("ls-tree", "-z", "-l", *options, sha).decode(errors="replace").split("\0")
        return [_entry(entry) for entry in entries if entry]

    def put_tree(self, base: str | None, entries: list[tuple[str, str, str | None]]) -> str:
        """A tree's sha: ``base`` with (mode, path, sha) put in; a sha of None takes the path out."""
        with TemporaryDirectory(prefix="index-") as folder:
            env = {"GIT_INDEX_FILE": f"{folder}/index"}
            if base:
                self.git("read-tree", base, env=env)
            lines = "".join(_index_line(*one) for entry in entries for one in self._flat(*entry))
            self.git("update-index", "-z", "--index-info", data=lines.encode(), env=env)
            return self.text("write-tree", env=env)

    def _flat(self, mode: str, path: str, sha: str | None) -> list[tuple[str, str, str | None]]:
        """An index has no folders: a tree is put in as its files."""
        if mode != "040000" or sha is None:
            return [(mode, path, sha)]
        return [
            (inner, f"{path}/{name}", blob) for inner, kind, blob, _, name in self.tree(sha, True) if kind != "tree"
        ]


def _commit(entry: str) -> Commit:
    sha, tree, parents, *names, message = entry.split("\x1f", 9)
    author, committer = Signature(*names[:3]), Signature(*names[3:])
    return Commit(sha.strip(), tree, tuple(parents.split()), author, committer, message.rstrip("\n"))


def _entry(line: str) -> tuple[str, str, str, int | None, str]:
    about, path = line.split("\t", 1)
    mode, kind, sha, size = about.split()
    return mode, kind, sha, None if size == "-" else int(size), path


def _index_line(mode: str, path: str, sha: str | None) -> str:
    return f"{mode} {sha}\t{path}\0" if sha else f"0 {'0' * 40}\t{path}\0"
