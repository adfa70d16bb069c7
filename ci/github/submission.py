"""Which pull request a run belongs to: asked of GitHub, never of what the run itself says."""

import re
from pathlib import Path

from ci.forge.github import GitHub
from ci.forge.values import PullRequest, Run
from ci.github.standing import CODE, RULES, Launcher, Standing, standing
from ci.heads import changed_paths, fetch_branch, fetch_pull, has_commit, merge_base
from dagster_project.domain.base import StrictModel
from dagster_project.domain.errors import RefusedError

_WORKFLOWS: dict[tuple[str, str], Launcher] = {
    (".github/workflows/pull-request.yml", "pull_request"): "pull-request",
    # This event runs the base branch's file, so that nobody else can have written its title.
    (".github/workflows/train.yml", "pull_request_target"): "train",
}
_TITLE = re.compile(r"train #(\d+) at ([0-9a-f]{40})")


class Submission(StrictModel):
    """A head of a pull request, the commit whose rules judge it, and who stands for its builds."""

    pull: PullRequest
    head: str
    base: str
    launcher: Launcher
    run: int
    run_url: str
    standing: Standing

    def at(self, head: str) -> "Submission":
        """The same with another head: a commit of its lock alone."""
        return self.model_copy(update={"head": head})


class Desk:
    """Where submissions are looked up: the forge, and a clone of the base branch that runs its code."""

    def __init__(self, forge: GitHub, repo: Path, token: str | None = None) -> None:
        self.forge, self.repo, self._token = forge, repo, token

    def submission(self, run_id: int) -> Submission | None:
        """The submission of a run; None where it built none, or no open pull request has its head any more.

        Raises:
            RefusedError: the run is of a workflow that builds nothing for us.
        """
        run = self.forge.run(run_id)
        if launcher_of(run) == "train":
            pull, head = self._approved(run)
        else:
            pull, head = self._pull_of(run), run.head
        return None if pull is None else self.of_head(pull, head, run)

    def of_head(self, pull: PullRequest, head: str, run: Run) -> Submission | None:
        """The submission of one head; None where the head is gone.

        The base is where the branch left main: where main's rules are still those, they are main's rules.

        Raises:
            RefusedError: the branch and the base branch have nothing in common.
        """
        tip = fetch_branch(self.repo, pull.base_branch, self._token)
        if not has_commit(self.repo, head):
            fetch_pull(self.repo, pull.number, self._token)
        if not has_commit(self.repo, head):
            return None
        base = merge_base(self.repo, tip, head)
        if base is None:
            raise RefusedError(f"{pull.head_branch} has no commit in common with {pull.base_branch}: nothing to judge.")
        launcher = launcher_of(run)
        code = changed_paths(self.repo, base, head, CODE)
        behind = bool(changed_paths(self.repo, base, tip, RULES))
        return Submission(
            pull=pull,
            head=head,
            base=base,
            launcher=launcher,
            run=run.id,
            run_url=run.url,
            standing=standing(pull, launcher, code, behind),
        )

    def built(self, run: Run, pull: PullRequest, head: str) -> bool:
        """Whether it was this run that built this head of the pull request."""
        if launcher_of(run) == "train":
            return title_of(run) == (pull.number, head)
        return (run.head, run.head_repository) == (head, pull.head_repository)

    def _approved(self, run: Run) -> tuple[PullRequest | None, str]:
        number, head = title_of(run) or (0, "")
        pull = self.forge.pull(number) if number else None
        return (pull if pull and pull.state == "open" and pull.head == head else None), head

    def _pull_of(self, run: Run) -> PullRequest | None:
        """The oldest open one; a head may be in several."""
        pulls = self.forge.pulls_with_head(run.head, run.head_repository) if run.head_repository else ()
        return min(pulls, key=lambda pull: pull.number, default=None)


def launcher_of(run: Run) -> Launcher:
    """Who built, by the workflow's file and the event that started it.

    Raises:
        RefusedError: it is neither of ours; a name can be had by anybody.
    """
    launcher = _WORKFLOWS.get((run.workflow, run.event))
    if launcher is None:
        raise RefusedError(f"run {run.id} is of {run.workflow} on {run.event}: nothing is taken from it.")
    return launcher


def title_of(run: Run) -> tuple[int, str] | None:
    """The pull request and the commit that a run of ``train`` was approved for; inverse of its run-name."""
    found = _TITLE.fullmatch(run.title)
    return (int(found[1]), found[2]) if found else None
