"""Review queues as monitoring would publish them, for the hand-made champion."""

from datetime import UTC, datetime
from typing import Any

from dagster_project.domain.review import ReviewQueue, ReviewRow, ShownColumn
from dagster_project.storage.reviews import Reviews

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
COLUMNS = (
    ShownColumn(name="miles", description="how far", unit="mi"), ShownColumn(name="seats"),
    ShownColumn(name="carrier", description="<b>who</b> flies"),
    ShownColumn(name="gate", description="from a camera", shape=(2, 3, 1)), ShownColumn(name="speeds", shape=(4,)),
)  # fmt: skip


WIDE = {"gate": [0, 50, 100, 150, 200, 250], "speeds": [1.5, None, 3.0, 2.0]}


def row_id(number: int) -> str:
    """A UUIDv7."""
    return f"0198c0de-0000-7000-8000-{number:012x}"


def row(number: int, **changed: Any) -> ReviewRow:
    """A row that says its number in miles."""
    shown = {"miles": float(number), "seats": None, "carrier": "<img src=x>", **WIDE}
    return ReviewRow(**{"row_id": row_id(number), "at": AT, "shown": shown, "audit": False, **changed})


def publish(serving: str, *rows: ReviewRow, model: str = "delays") -> Reviews:
    """Ask about these rows."""
    queue = ReviewQueue(
        model=model, now=AT, question="Was the flight late?", columns=COLUMNS, rows=rows, candidates=len(rows),
        measure="margin",
    )  # fmt: skip
    reviews = Reviews(serving, model)
    reviews.publish(queue.to_json().encode())
    return reviews
