"""A maintainer's word that a commit may be built by the trusted launcher: a label, which the next push takes away."""

from ci.github.declarations import builds_in
from ci.github.standing import TRAIN_LABEL
from ci.github.submission import Desk
from ci.heads import merge_base
from ci.planning import make_plan
from dagster_project.domain.errors import RefusedError

MAINTAINERS = ("admin", "maintain", "write")


def approve(desk: Desk, number: int, head: str, by: str) -> tuple[dict[str, str], ...]:
    """What to build for the approved commit.

    Raises:
        RefusedError: whoever approved may not, the label is gone, or the pull request has another head by now.
        UserFileError: a file of the head is wrong.
    """
    pull = desk.forge.pull(number)
    right = desk.forge.permission(by)
    if right not in MAINTAINERS:
        desk.forge.unlabel(number, TRAIN_LABEL)
        raise RefusedError(f"{by} has the right '{right}' here; {TRAIN_LABEL} is for who may write. The label is off.")
    if (pull.head, pull.state) != (head, "open") or TRAIN_LABEL not in pull.labels:
        raise RefusedError(f"#{number} is not at {head[:12]} with {TRAIN_LABEL} any more. Look at it, and label again.")
    tip = desk.fetch_main()
    desk.fetch_pull(number)
    plan = make_plan(desk.repo, merge_base(desk.repo, tip, head) or tip, head)
    if plan.refused:
        raise RefusedError(f"the plan of {head[:12]} is refused: see the comment on #{number}.")
    return builds_in(plan)


def withdraw(desk: Desk, number: int) -> bool:
    """Take the approval away; whether there was one."""
    return desk.forge.unlabel(number, TRAIN_LABEL)
