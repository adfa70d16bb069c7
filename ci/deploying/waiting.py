"""Watch the servers until they serve what was published, one of them rejects it, or time is up."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from ci.deploying.fleet import fleet
from ci.deploying.standing import Fleet
from dagster_project.domain.base import StrictModel
from dagster_project.domain.deployment import DesiredState, Rejection
from dagster_project.storage.deployments import Deployments

POLL = 0.5
Ending = Literal["served", "nobody", "rejected", "replaced", "late"]


class Watch(StrictModel):
    """How the wait ended: ``nobody`` serves, another deployment ``replaced`` this one, or it is too ``late``."""

    ending: Ending
    fleet: Fleet
    seconds: float
    rejections: tuple[Rejection, ...] = ()
    replaced_by: str | None = None
    """The other deployment's commit."""


def look(
    deployments: Deployments, digest: str, state: DesiredState, watched: set[str], tell: Callable[[str], object]
) -> Fleet:
    """The servers as they are now; those that live are ``watched`` from now on."""
    found = fleet(digest, state, deployments.reports(tell), datetime.now(UTC), watched)
    watched |= {server.server for server in found.servers}
    return found


def watch(
    deployments: Deployments,
    digest: str,
    state: DesiredState,
    seconds: float,
    show: Callable[[Fleet], object],
    tell: Callable[[str], object],
) -> Watch:
    """Wait at most ``seconds``; ``show`` is given every look, ``tell`` what could not be read."""
    started, watched = time.monotonic(), set[str]()
    told: set[str] = set()

    def tell_once(words: str) -> None:
        tell(words) if words not in told else None
        told.add(words)

    while True:
        found = look(deployments, digest, state, watched, tell_once)
        show(found)
        passed = time.monotonic() - started
        ending, rejections, other = _ending(deployments, digest, state, found)
        if ending is None and passed >= seconds:
            ending = "late"
        if ending:
            answer = {"rejections": rejections, "replaced_by": other, "seconds": round(passed, 3)}
            return Watch(ending=ending, fleet=found, **answer)
        time.sleep(min(POLL, max(0.0, seconds - passed)))


def _ending(
    deployments: Deployments, digest: str, state: DesiredState, found: Fleet
) -> tuple[Ending | None, tuple[Rejection, ...], str | None]:
    """Whether it is over; the rejections and the commit of another deployment, where they are why."""
    rejections = _rejections(deployments, state, found)
    if rejections:
        return "rejected", rejections, None
    if found.there:
        return "served" if found.servers else "nobody", (), None
    desired = deployments.desired()
    if desired and desired[0] != digest:
        return "replaced", (), desired[1].commit or desired[0]
    return None, (), None


def _rejections(deployments: Deployments, state: DesiredState, found: Fleet) -> tuple[Rejection, ...]:
    """Of the models that are not live everywhere: what is live was not rejected."""
    moving = sorted({m.model for server in found.servers for m in server.models if m.wanted and m.place != "live"})
    asked = (deployments.is_rejected(name, state.models[name].onnx, state.models[name].lock_digest) for name in moving)
    return tuple(rejection for rejection in asked if rejection)
