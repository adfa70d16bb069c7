"""The ledger of leases: a row when one begins and a row when it is over, whoever saw that."""

from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import ValidationError

from dagster_project.domain.errors import MachineryError
from dagster_project.domain.lease import LEDGER, Lease, LeaseEnd
from dagster_project.storage.ledger import Ledger

Row = TypeVar("Row", Lease, LeaseEnd)
_BEGUN, _OVER = "begun", "over"


class LeaseLedger:
    """Leases by id. Launcher and reaper may both say that one is over; the launcher knows more, so it is believed."""

    def __init__(self, uri: str) -> None:
        self._ledger = Ledger(uri, LEDGER)

    def begin(self, lease: Lease) -> None:
        """Write down what is asked for, before it is."""
        self._ledger.append({"event": _BEGUN, **lease.model_dump(mode="json")})

    def end(self, end: LeaseEnd) -> None:
        """Write down what it took."""
        self._ledger.append({"event": _OVER, **end.model_dump(mode="json")})

    def add(self, end: LeaseEnd) -> bool:
        """Write down another machine's lease, unless it is here already; whether it was written."""
        if end.lease.id in {known.lease.id for known in self.ends()}:
            return False
        self.end(end)
        return True

    def open(self) -> list[Lease]:
        """Leases that nobody has said to be over, oldest first."""
        rows = self._ledger.rows()
        over = {end.lease.id for end in _ends(rows)}
        return [
            lease for lease in (_parsed(Lease, row) for row in rows if row["event"] == _BEGUN) if lease.id not in over
        ]

    def ends(self) -> list[LeaseEnd]:
        """One row for each lease that is over, in the order in which they were written."""
        return _ends(self._ledger.rows())


def _ends(rows: Iterable[dict[str, Any]]) -> list[LeaseEnd]:
    found: dict[str, LeaseEnd] = {}
    for end in (_parsed(LeaseEnd, row) for row in rows if row["event"] == _OVER):
        if end.lease.id not in found or found[end.lease.id].outcome == "lost":
            found[end.lease.id] = end
    return list(found.values())


def _parsed(kind: type[Row], row: dict[str, Any]) -> Row:
    fields = {name: value for name, value in row.items() if name not in ("event", "written")}
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        words = f"{error.errors()[0]['loc']}: {error.errors()[0]['msg']}"
        raise MachineryError(f"the ledger {LEDGER} holds a row that is none: {words}. Restore it.") from error
