"""Whether a pull request's builds are vouched for. Pure.

Only the launcher ``train`` vouches, because GitHub runs main's file of it. A run of ``pull-request`` uses the workflow
file of a merge that it does not name, and the pull request's own code: what it built gets a preview.
"""

from typing import Literal

from ci.forge.values import PullRequest
from dagster_project.domain.base import StrictModel

Launcher = Literal["pull-request", "train"]
_TEXTS = (":(exclude)docs", ":(exclude,glob)**/*.md")
_DECLARED = ("data_contracts/**/*.yaml", "data_contracts/**/*.sql", "models/**/*.yaml")
CODE = (".", *(f":(exclude,glob){declared}" for declared in _DECLARED), *_TEXTS)
"""What a build may run, as git's pathspecs: everything but declarations and texts. Python imports from where it
stands, and pip runs a ``setup.py``, so that a list of what may run would have holes."""
RULES = (".", *_TEXTS)
"""What a verdict depends on."""
TRAIN_LABEL = "acts:train"
SAMPLE = "sample"


class Obstacles(StrictModel):
    """Why the launcher doesn't build by itself, in words; ``unseen``: nobody may even look at its rows yet."""

    reasons: tuple[str, ...] = ()
    unseen: bool = False


class Standing(StrictModel):
    """``reasons`` say why nobody vouches; ``sample``: only rows that anybody may see are read.

    ``launched``: the launcher builds this by itself, so that nothing of another run is waited for. ``unseen``: not even
    a preview is judged, because it reads what main doesn't.
    """

    reasons: tuple[str, ...] = ()
    vouched: bool = False
    sample: bool = False
    launched: bool = False
    unseen: bool = False


def standing(pull: PullRequest, launcher: Launcher, obstacles: Obstacles, behind: bool) -> Standing:
    """``obstacles``: why the launcher doesn't build by itself; ``behind``: main's rules have changed meanwhile."""
    late = (f"{pull.base_branch} has other rules by now: merge it into {pull.head_branch}.",) if behind else ()
    if launcher == "train":
        return Standing(reasons=late, vouched=not behind)
    return Standing(
        reasons=(*obstacles.reasons, *late),
        sample=pull.is_fork,
        launched=not obstacles.reasons,
        unseen=obstacles.unseen,
    )
