"""Git as the plan needs it: commits resolved, trees read from git objects. The repository's files are never run."""

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from dagster_project.domain.errors import MachineryError, Problem, UsageError, UserFileError
from dagster_project.domain.repository import FolderTree

MAX_BYTES, MAX_ALL, MAX_FILES = 4_000_000, 64_000_000, 5_000
_LINK, _SUBMODULE = "120000", "160000"
# No hooks, pagers, prompts or optional locks: reading must neither run nor write anything.
_QUIET = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
_OPTIONS = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-pager", "--no-replace-objects")


class GitTree:
    """The files of one commit (a ``repository.Tree``). ``folder`` is the repository's part that we serve."""

    def __init__(self, repo: Path, revision: str) -> None:
        self.repo = repo
        self.commit = resolve(repo, revision)
        self.name = self.commit
        self._blobs: dict[str, bytes] = {}
        self._wanted: set[str] = set()

    def paths(self, folder: str) -> list[str]:
        """Paths of the files below ``folder``, sorted."""
        found = sorted(path for path in self._entries if path.startswith(f"{folder}/"))
        if len(found) > MAX_FILES:
            raise _refused(folder, f"the folder holds {len(found):,} files.", f"At most {MAX_FILES:,} are read.")
        self._wanted.update(found)
        return found

    def read(self, path: str) -> bytes:
        """Bytes of one file.

        Raises:
            FileNotFoundError: the commit has no such file.
            UserFileError: it is a link or a submodule, or too large to be a declaration.
        """
        if path not in self._entries:
            raise FileNotFoundError(path)
        mode, blob, size = self._entries[path]
        if mode in (_LINK, _SUBMODULE):
            raise _refused(path, "this is a link; links are not followed.", "Put the file itself here.")
        if size > MAX_BYTES:
            raise _refused(path, f"the file has {size:,} bytes.", f"At most {MAX_BYTES:,} are read.")
        if blob not in self._blobs:
            self._fetch({path, *self._wanted})
        return self._blobs[blob]

    def _fetch(self, paths: set[str]) -> None:
        """Files in one process: starting git once for each would be most of the plan's time."""
        entries = [self._entries[path] for path in sorted(paths)]
        sizes = {blob: size for mode, blob, size in entries if mode not in (_LINK, _SUBMODULE) and size <= MAX_BYTES}
        if sum(sizes.values()) > MAX_ALL:
            found = f"these declarations have {sum(sizes.values()):,} bytes together."
            raise _refused(min(paths), found, f"At most {MAX_ALL:,} are read.")
        blobs = sorted(sizes)
        output = output_of(self.repo, "cat-file", "--batch", stdin="\n".join(blobs).encode())
        start = 0
        for blob in blobs:
            end = output.index(b"\n", start)
            size = int(output[start:end].split()[2])
            self._blobs[blob] = output[end + 1 : end + 1 + size]
            start = end + size + 2
        self._wanted.clear()

    @cached_property
    def _entries(self) -> dict[str, tuple[str, str, int]]:
        """By path from the repository's folder: mode, blob and size. A path's bytes that are no text: ``\\xff``."""
        output = output_of(self.repo, "ls-tree", "-r", "-z", "--long", self.commit)
        entries = {}
        for entry in output.decode("utf-8", "backslashreplace").split("\0")[:-1]:
            facts, path = entry.split("\t", 1)
            mode, _, blob, size = facts.split()
            entries[path] = (mode, blob, 0 if size == "-" else int(size))
        return entries


class WorkingTree(FolderTree):
    """The working folder as it lies there; links are named as problems, not followed."""

    def paths(self, folder: str) -> list[str]:
        """Files and links below ``folder``, sorted."""
        found = (path for path in (self.root / folder).rglob("*") if path.is_symlink() or path.is_file())
        return sorted(path.relative_to(self.root).as_posix() for path in found)

    def read(self, path: str) -> bytes:
        """Bytes of one file; raises ``FileNotFoundError``, or ``UserFileError`` for a link or a giant."""
        file = self.root / path
        if file.is_symlink():
            raise _refused(path, "this is a link; links are not followed.", "Put the file itself here.")
        if file.stat().st_size > MAX_BYTES:
            raise _refused(path, f"the file has {file.stat().st_size:,} bytes.", f"At most {MAX_BYTES:,} are read.")
        try:
            return file.read_bytes()
        except PermissionError as error:
            raise _refused(path, "the file can't be read.", "Give yourself the right to read it.") from error


def resolve(repo: Path, revision: str) -> str:
    """The commit's digest; raises ``UsageError`` where there is none. A revision never becomes an option."""
    if not revision or revision.startswith("-") or "\0" in revision or "\n" in revision:
        raise UsageError(f"'{revision}' is no revision. Name a branch, a tag or a commit.")
    commit = _commit(repo, revision)
    if commit is None and revision == "HEAD":
        raise UsageError(f"{repo}: nothing is committed yet. Commit first.")
    if commit is None:
        raise UsageError(f"{repo}: there is no commit '{revision}'. Fetch it, or name another.")
    return commit


def default_base(repo: Path) -> str:
    """Where the branch left main; the commit that the working folder stands on where there is no main."""
    for name in ("origin/main", "main", "origin/master", "master"):
        answer = answer_of(repo, ("merge-base", name, "HEAD"))
        if answer.returncode == 0:
            return answer.stdout.decode().strip()
    return resolve(repo, "HEAD")


def main_tip(repo: Path) -> str:
    """The newest commit of this clone's main; where it has none, the one that the working folder stands on."""
    found = (_commit(repo, name) for name in ("main", "master", "origin/main", "origin/master"))
    return next((commit for commit in found if commit), None) or resolve(repo, "HEAD")


def is_dirty(repo: Path, paths: Sequence[str] = (".",)) -> bool:
    """Whether the working folder differs from its commit below ``paths``, new files included."""
    return bool(output_of(repo, "status", "--porcelain", "--untracked-files=normal", "--", *paths).strip())


def differs(repo: Path, base: str, head: str | None, *paths: str) -> bool:
    """Whether tracked files below ``paths`` differ between two resolved commits; head None: the working folder."""
    commits = [base, *([head] if head else [])]
    answer = answer_of(
        repo, ("diff", "--quiet", "--no-ext-diff", "--no-textconv", "--end-of-options", *commits, "--", *paths)
    )
    return bool(answer.returncode) if answer.returncode in (0, 1) else broken(answer)


def differs_beside(repo: Path, commit: str, head: str | None, *ignored: str) -> bool:
    """Whether anything but files that match ``ignored`` differs from a commit; new files of the folder count too.

    A commit that this clone lacks differs.
    """
    if _commit(repo, commit) is None:
        return True
    beside = (".", *(f":(exclude,glob){pattern}" for pattern in ignored))
    new = b"" if head else output_of(repo, "ls-files", "--others", "--exclude-standard", "--", *beside).strip()
    return bool(new) or differs(repo, commit, head, *beside)


def is_ancestor(repo: Path, older: str, newer: str) -> bool:
    """Whether ``newer`` was made on top of ``older``; no where it is the same commit or this clone lacks one."""
    if older == newer or None in (_commit(repo, older), _commit(repo, newer)):
        return False
    answer = answer_of(repo, ("merge-base", "--is-ancestor", older, newer))
    return answer.returncode == 0 if answer.returncode in (0, 1) else broken(answer)


def _commit(repo: Path, revision: str) -> str | None:
    answer = answer_of(repo, ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"))
    if answer.returncode == 0:
        return answer.stdout.decode().strip()
    if b"not a git repository" in answer.stderr:
        raise UsageError(f"{repo}: not a git repository. Run git init and commit, or name another with --repo.")
    if b"dubious ownership" in answer.stderr:
        broken(answer)
    return None


def _refused(path: str, message: str, hint: str) -> UserFileError:
    return UserFileError([Problem(file=path, message=message, hint=hint, code="layout")])


def output_of(repo: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """What git prints; raises ``MachineryError`` where it fails."""
    answer = answer_of(repo, arguments, stdin)
    return broken(answer) if answer.returncode else answer.stdout


def answer_of(
    repo: Path, arguments: Iterable[str], stdin: bytes = b"", settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run git, however it ends. ``settings`` are environment variables, where no other user can read them."""
    # Inherited GIT_DIR and the like (a hook sets them) would point elsewhere.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = {**kept, **_QUIET, **(settings or {})}
    try:
        return subprocess.run(
            ["git", *_OPTIONS, *arguments], cwd=repo, env=environment, input=stdin, capture_output=True, check=False
        )
    except FileNotFoundError as error:
        raise MachineryError("git is not installed, or the folder is gone. Install git and try again.") from error


def broken(answer: subprocess.CompletedProcess[bytes]) -> NoReturn:
    """Raise what git said as ``MachineryError``."""
    reason = answer.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
    raise MachineryError(f"git failed: {reason[0][:300]}. Look at the repository with git status.")
