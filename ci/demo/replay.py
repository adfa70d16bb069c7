"""A client that lives through the year again: it asks for each day's flights, and sends the truth once it is known."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ci.demo.server import call

if TYPE_CHECKING:
    import polars as pl

STRETCH = 6
"""A flight's truth is known hours after it was due to leave; so many times later it is sent, that there are delays."""
AT_ONCE = 5000
ID, TIME, LABEL = "departure_id", "scheduled_departure", "late"


@dataclass
class Replay:
    """Rows of the dataset ``departures``, day by day, against the champion at ``url``."""

    url: str
    model: str
    inputs: dict[str, str]
    """Columns that the champion reads, each with its datatype (``BYTES``, ``FP32``)."""
    rows: pl.DataFrame
    _waiting: list[tuple[datetime, str, bool]] = field(default_factory=list)

    def play(self, day: date) -> tuple[int, int]:
        """One day: (answers asked for, labels sent)."""
        import polars as pl

        flights = self.rows.filter(pl.col(TIME).dt.date() == day)
        for part in flights.iter_slices(AT_ONCE):
            self._infer(part)
        for row in flights.filter(pl.col(LABEL).is_not_null()).iter_rows(named=True):
            heapq.heappush(self._waiting, (known_at(row), row[ID], row[LABEL]))
        return flights.height, self._send(datetime.combine(day + timedelta(days=1), datetime.min.time()))

    def _infer(self, part: pl.DataFrame) -> None:
        tensors = [_tensor(part, name, kind) for name, kind in self.inputs.items()]
        sent = [_tensor(part, ID, "BYTES"), _text_tensor(TIME, [f"{at.isoformat()}Z" for at in part[TIME].to_list()])]
        call(f"{self.url}/v2/models/{self.model}/infer", {"inputs": [*tensors, *sent]})

    def _send(self, until: datetime) -> int:
        due = []
        while self._waiting and self._waiting[0][0] < until:
            known, row, label = heapq.heappop(self._waiting)
            due.append({"id": row, "label": label, "known": f"{known.isoformat()}Z"})
        for first in range(0, len(due), AT_ONCE):
            call(f"{self.url}/v2/models/{self.model}/labels", {"labels": due[first : first + AT_ONCE]})
        return len(due)


def known_at(row: dict[str, Any]) -> datetime:
    """When the flight's truth is sent: its delay and its time in the air after it was due, stretched."""
    minutes = (row["departure_delay"] or 0.0) + (row["air_time"] or 0.0)
    known: datetime = row[TIME] + STRETCH * timedelta(minutes=max(minutes, 30.0))
    return known


def _tensor(part: pl.DataFrame, name: str, kind: str) -> dict[str, Any]:
    values = part[name].to_list()
    return {"name": name, "shape": [part.height, 1], "datatype": kind, "data": values}


def _text_tensor(name: str, values: list[str]) -> dict[str, Any]:
    return {"name": name, "shape": [len(values), 1], "datatype": "BYTES", "data": values}
