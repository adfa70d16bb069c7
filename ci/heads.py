"""Commits of pull requests as git objects: fetched and compared, never checked out."""

import base64
from collections.abc import Sequence
from pathlib import Path

from ci.git import answer_of, broken, output_of, resolve
from dagster_project.domain.errors import MachineryError, RefusedError

_FETCH = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--end-of-options")


def fetch_pull(repo: Path, number: int, token: str | None = None) -> str:
    """Bring the head of pull request ``number`` from ``origin``; its commit.

    Raises:
        MachineryError: origin has no such pull request, or does not answer.
    """
    return _fetch(repo, f"refs/pull/{int(number)}/head", f"refs/acts/pull/{int(number)}", token)


def fetch_branch(repo: Path, branch: str, token: str | None = None) -> str:
    """Bring ``branch`` from ``origin``; its commit.

    Raises:
        MachineryError: origin has no such branch, or does not answer.
    """
    return _fetch(repo, f"refs/heads/{branch}", f"refs/acts/heads/{branch}", token)


def remote_head(repo: Path, branch: str, token: str | None = None) -> str | None:
    """Commit of ``branch`` of ``origin``; None where it has none.

    Raises:
        MachineryError: origin does not answer.
    """
    asked = ("ls-remote", "--quiet", "--end-of-options", "origin", f"refs/heads/{branch}")
    answer = answer_of(repo, asked, settings=_authority(token))
    found = answer.stdout.decode().split()
    return broken(answer) if answer.returncode else found[0] if found else None


def push_branch(repo: Path, branch: str, commit: str, token: str | None = None) -> None:
    """Move ``branch`` of ``origin`` forward to ``commit``, or make it; whoever was faster is not overwritten.

    Raises:
        RefusedError: it does not stand below the commit any more, or a rule of the repository says no.
    """
    push = ("push", "--quiet", "--no-verify", "--end-of-options", "origin", f"{commit}:refs/heads/{branch}")
    answer = answer_of(repo, push, settings=_authority(token))
    if answer.returncode:
        reason = answer.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise RefusedError(f"{branch} can't be moved: {reason[0][:300]}. Look at the branch, and run the job again.")


def has_commit(repo: Path, commit: str) -> bool:
    """Whether the commit is in this clone."""
    return answer_of(repo, ("cat-file", "-e", f"{commit}^{{commit}}")).returncode == 0


def merge_base(repo: Path, one: str, other: str) -> str | None:
    """Where two commits parted; None where they have nothing in common."""
    answer = answer_of(repo, ("merge-base", one, other))
    if answer.returncode == 1:
        return None
    return broken(answer) if answer.returncode else answer.stdout.decode().strip()


def changed_paths(repo: Path, base: str, head: str, paths: Sequence[str] = (".",)) -> tuple[str, ...]:
    """Paths that differ between two commits, below ``paths`` (git's pathspecs), sorted; no text: ``\\xff``."""
    names = output_of(
        repo, "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", base, head, "--", *paths
    )
    return tuple(sorted(name for name in names.decode("utf-8", "backslashreplace").split("\0") if name))


def _fetch(repo: Path, source: str, target: str, token: str | None) -> str:
    answer = answer_of(repo, (*_FETCH, "origin", f"+{source}:{target}"), settings=_authority(token))
    if answer.returncode:
        reason = answer.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise MachineryError(f"{source} can't be fetched from origin: {reason[-1][:300]}. Run the job again.")
    return resolve(repo, target)


def _authority(token: str | None) -> dict[str, str]:
    """Git's settings that send the token to GitHub, and to nobody else; not in the command line, not in a file."""
    if not token:
        return {}
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.https://github.com/.extraheader",
        "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {basic}",
    }
