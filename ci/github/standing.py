"""Whether a pull request's builds are vouched for. Pure.

A run of the workflow ``pull-request`` uses the workflow file and the code of the pull request itself, so what it built
counts only where it comes from a branch of this repository and carries the base branch's own code. Everything else
gets a preview until a maintainer's label lets the trusted launcher ``train`` build it, with the base branch's code.
"""

from collections.abc import Sequence
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
_NAMED = 3


class Standing(StrictModel):
    """``reasons`` say why nobody vouches; ``sample``: only rows that anybody may see are read."""

    reasons: tuple[str, ...] = ()
    sample: bool = False

    @property
    def vouched(self) -> bool:
        """Whether what was built may be promoted."""
        return not self.reasons


def standing(pull: PullRequest, launcher: Launcher, code: Sequence[str], behind: bool) -> Standing:
    """``code``: paths of :data:`CODE` that it changes; ``behind``: the base branch's rules have changed meanwhile."""
    reasons = []
    if launcher != "train":
        if pull.is_fork:
            reasons.append(f"It comes from a fork: a maintainer's label {TRAIN_LABEL} starts the real build.")
        elif code:
            named = ", ".join(code[:_NAMED]) + (f" and {len(code) - _NAMED} more" if len(code) > _NAMED else "")
            reasons.append(
                f"It changes more than contracts, specs and texts ({named}): a maintainer's label {TRAIN_LABEL} starts "
                f"a build by the code of {pull.base_branch}."
            )
    if behind:
        reasons.append(f"{pull.base_branch} has other rules by now: merge it into {pull.head_branch}.")
    return Standing(reasons=tuple(reasons), sample=launcher != "train" and pull.is_fork)
