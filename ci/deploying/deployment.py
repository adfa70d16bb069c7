"""One deployment as data: what it changed, what stood against it, what servers did. JSON and words show the same."""

from typing import Literal

from ci.deploying.desired import Obstacle
from ci.deploying.difference import ModelChange
from ci.deploying.standing import Fleet
from ci.deploying.waiting import Watch
from dagster_project.domain.base import StrictModel
from dagster_project.domain.errors import BROKEN, PASSED, REFUSED, USER_ERROR

Outcome = Literal[
    "served", "nobody", "published", "compared", "refused", "wrong", "broken", "rejected", "replaced", "late"
]
EXIT_CODES: dict[Outcome, int] = {
    "served": PASSED,
    "nobody": PASSED,
    "published": PASSED,
    "compared": PASSED,
    "refused": REFUSED,
    "rejected": REFUSED,
    "wrong": USER_ERROR,
    "broken": BROKEN,
    "replaced": BROKEN,
    "late": BROKEN,
}


class Deployment(StrictModel):
    """``published``: not waited for. ``compared``: a dry run. The others say what is against it, or how it ended."""

    schema_version: Literal[1] = 1
    outcome: Outcome
    commit: str
    digest: str | None = None
    """Of the desired state; None where the commit gives none."""
    previous: str | None = None
    written: bool = False
    """Whether this call changed the desired state."""
    changes: tuple[ModelChange, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    watch: Watch | None = None
    live: Fleet | None = None
    """Of a dry run: servers against what is published."""
    notes: tuple[str, ...] = ()
    unrecorded: str = ""
    """Why Dagster doesn't know of it."""

    @property
    def exit_code(self) -> int:
        """0 served or nothing to serve it, 1 a no, 2 a file is wrong, 3 broken or too late."""
        return BROKEN if self.unrecorded else EXIT_CODES[self.outcome]


def outcome_against(obstacles: list[Obstacle]) -> Outcome:
    """Broken before wrong before refused: what could not be looked at was not refused."""
    kinds = {obstacle.kind for obstacle in obstacles}
    return "broken" if "broken" in kinds else "wrong" if "wrong" in kinds else "refused"
