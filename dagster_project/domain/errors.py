"""Errors, and the exit code each one means.

    ActsError (3)
     +-- UserFileError (2)    a file the user wrote is wrong; carries every Problem found
     +-- UsageError (2)       the command line asks for what is not there
     +-- RefusedError (1)     a gate said no before there was a verdict to write
     +-- MachineryError (3)   something outside the user's files broke

A failed gate is a Verdict, not an exception; an exception is never turned into a failed gate.
"""

from collections.abc import Iterable

from .base import StrictModel

PASSED, REFUSED, USER_ERROR, BROKEN = 0, 1, 2, 3


class Problem(StrictModel):
    """One thing that is wrong in a file the user wrote, and what to do about it."""

    file: str
    line: int | None = None
    where: str = ""
    message: str
    hint: str = ""
    code: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        subject = f"{self.where}: " if self.where else ""
        hint = f" {self.hint}" if self.hint else ""
        return f"{place}: {subject}{self.message}{hint}"


class ActsError(Exception):
    """Base of every error that the command line turns into a message and an exit code."""

    exit_code = BROKEN


class UserFileError(ActsError):
    """Every problem found in the user's files, at once."""

    exit_code = USER_ERROR

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda p: (p.file, p.line or 0, p.where, p.message))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UsageError(ActsError):
    """The command names something that does not exist, or asks for what does not fit."""

    exit_code = USER_ERROR


class RefusedError(ActsError):
    """A rule said no before a verdict could be written; the message says what to do."""

    exit_code = REFUSED


class MachineryError(ActsError):
    """Disk, network, a library or a corrupted artifact: nothing the gates may judge."""
