"""The file of tokens that ``--tokens`` names: who has one, its roles, and the SHA-256 of it.

    tokens:
      - name: dashboard
        roles: [infer, explain]
        sha256: 64 hexadecimal digits, of: printf %s "$TOKEN" | sha256sum

Someone may have put a token where none belongs. So no message about this file repeats anything that stands in it but
names of ours.
"""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from dagster_project.domain.base import StrictModel
from dagster_project.domain.errors import Problem, UsageError, UserFileError
from dagster_project.domain.specs import read
from dagster_project.domain.yamlfile import Document

from .tokens import Holder, Role

_DIGEST = re.compile(r"[0-9a-f]{64}")
_MAKE = 'Write what this prints: printf %s "$TOKEN" | sha256sum'


class TokenEntry(StrictModel):
    """Whom one token was given to."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    roles: tuple[Role, ...]
    sha256: str = Field(repr=False)


class TokenFile(StrictModel):
    """The whole file."""

    tokens: tuple[TokenEntry, ...]


def read_tokens(path: Path) -> list[Holder]:
    """Everyone who has a token.

    Raises:
        UserFileError: with every problem of the file, also that others may read it.
        UsageError: it cannot be opened.
    """
    text, mode = _opened(path)
    if mode & stat.S_IRWXO:
        message = f"everyone on this machine may open it (mode {mode:04o})."
        hint = f"Run chmod o= {path}, and give out other tokens if it held any."
        raise UserFileError([Problem(file=str(path), message=message, hint=hint, code="open-to-all")])
    value, document, problems = read(TokenFile, text, str(path))
    if value and document:
        problems = [*problems, *_faults(value, document)]
    if problems or value is None:
        raise UserFileError(_silenced(problem) for problem in problems)
    return [Holder(e.name, frozenset(e.roles), bytes.fromhex(e.sha256)) for e in value.tokens]


def _opened(path: Path) -> tuple[bytes, int]:
    """The bytes, and the mode of what was read: asked of the open file, which nobody can exchange any more."""
    try:
        with path.open("rb") as file:
            return file.read(), stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    except OSError as error:
        raise UsageError(f"{path}: the tokens cannot be read: {error.strerror}.") from None


def _faults(value: TokenFile, document: Document) -> Iterator[Problem]:
    """What the types do not see: digests that are none, and entries that repeat another."""
    seen: dict[str, set[str]] = {"name": set(), "sha256": set()}
    if not document.value["tokens"]:
        yield document.problem(("tokens",), "nobody has a token.", "Write at least one, or no file.", code="empty")
    for place, entry in enumerate(value.tokens):
        if not entry.roles:
            yield document.problem(("tokens", place, "roles"), "there is no role.", "Write at least one.", code="empty")
        if not _DIGEST.fullmatch(entry.sha256):
            message = "this is no SHA-256 in 64 digits of 0-9 and a-f."
            yield document.problem(("tokens", place, "sha256"), message, _MAKE, code="no-digest")
        for key, known in seen.items():
            if getattr(entry, key) in known:
                message = "an entry before this one has the same."
                yield document.problem(("tokens", place, key), message, "Keep one, with all its roles.", "twice")
            known.add(getattr(entry, key))


def _silenced(problem: Problem) -> Problem:
    """Without what the file says: values in quotes, and keys that we do not know."""
    message = re.sub(r"`[^`]*`", "what stands here", problem.message)
    message = re.sub(r", not ['\"].*", ".", message, flags=re.DOTALL)
    where = "" if problem.code == "extra-forbidden" else problem.where
    return problem.model_copy(update={"message": message, "where": where})
