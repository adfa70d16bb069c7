"""Kubernetes' way to say no: a ``Status`` object."""

from typing import Any


class Refusal(Exception):  # noqa: N818 it is an answer
    """An answer other than 2xx."""

    def __init__(self, code: int, reason: str, message: str, causes: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.causes = code, reason, message, causes

    def body(self) -> dict[str, Any]:
        """The Status object."""
        details = {"causes": [{"message": each} for each in self.causes]} if self.causes else {}
        return status("Failure", self.code, self.reason, self.message, details)


def status(outcome: str, code: int, reason: str, message: str, details: dict[str, Any]) -> dict[str, Any]:
    """A ``Status`` of the core API."""
    made = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": outcome, "code": code, "details": details}
    return made | ({"reason": reason} if reason else {}) | ({"message": message} if message else {})


def not_found(plural: str, name: str) -> Refusal:
    """404."""
    return Refusal(404, "NotFound", f'{plural} "{name}" not found')


def conflict(plural: str, name: str, why: str) -> Refusal:
    """409 of a precondition or a version that is no longer so."""
    return Refusal(409, "Conflict", f'Operation cannot be fulfilled on {plural} "{name}": {why}')


def exists(plural: str, name: str) -> Refusal:
    """409 of a name that is taken."""
    return Refusal(409, "AlreadyExists", f'{plural} "{name}" already exists')
