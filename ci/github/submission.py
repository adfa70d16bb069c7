"""Which pull request a run belongs to: asked of GitHub, never of what the run itself says."""

import re
from pathlib import Path

from ci.forge.github import GitHub
from ci.forge.values import PullRequest, Run
from ci.github.admission import obstacles
from ci.github.standing import RULES, Launcher, Obstacles, Standing, standing
from ci.heads import changed_paths, fetch_branch, fetch_pull, has_commit, merge_base
from dagster_project.domain.base import StrictModel
from dagster_project.domain.errors import RefusedError

_WORKFLOWS: dict[tuple[str, str], Launcher] = {
    (".github/workflows/pull-request.yml", "pull_request"): "pull-request",
    # This event runs the base branch's file, so that nobody else can have written its title.
    (".github/workflows/train.yml", "pull_request_target"): "train",
}
MAIN = "main"
"""The branch that the workflows are for. Whoever may push could make another with rules of its own."""
ADMITTED = "admitted"
"""The artifact that the launcher leaves of a commit that it builds; all of its jobs run main's code."""
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
            pull, head = self._admitted(run)
        else:
            pull, head = self._pull_of(run), run.head
        return None if pull is None else self.of_head(pull, head, run)

    def of_head(self, pull: PullRequest, head: str, run: Run) -> Submission | None:
        """The submission of one head; None where the head is gone.

        The base is where the branch left main: where main's rules are still those, they are main's rules.

        Raises:
            RefusedError: it is for another branch than main, or the two have nothing in common.
        """
        if pull.base_branch != MAIN:
            raise RefusedError(
                f"#{pull.number} is for {pull.base_branch}: only what is for {MAIN} is judged. Change its base."
            )
        tip = self.fetch_main()
        if not has_commit(self.repo, head):
            self.fetch_pull(pull.number)
        if not has_commit(self.repo, head):
            return None
        base = merge_base(self.repo, tip, head)
        if base is None:
            raise RefusedError(f"{pull.head_branch} has no commit in common with {MAIN}: nothing to judge.")
        launcher = launcher_of(run)
        why = Obstacles() if launcher == "train" else obstacles(self.repo, pull.is_fork, base, head)
        behind = bool(changed_paths(self.repo, base, tip, RULES))
        return Submission(
            pull=pull,
            head=head,
            base=base,
            launcher=launcher,
            run=run.id,
            run_url=run.url,
            standing=standing(pull, launcher, why, behind),
        )

    def newest(self, submission: Submission) -> Submission | None:
        """The same pull request at the head that it has now; None where it is closed or has the same."""
        pull = self.forge.pull(submission.pull.number)
        if pull.state != "open" or pull.head == submission.head:
            return None
        return self.of_head(pull, pull.head, self.forge.run(submission.run))

    def built(self, run: Run, pull: PullRequest, head: str) -> bool:
        """Whether it was this run that built this head of the pull request; the launcher's has to have admitted it."""
        if launcher_of(run) == "train":
            admitted = any(artifact.name == ADMITTED for artifact in self.forge.artifacts(run.id))
            return admitted and title_of(run) == (pull.number, head)
        place = (pull.head_repository, pull.head_branch)
        return (run.head, run.head_repository, run.head_branch) == (head, *place)

    def fetch_main(self) -> str:
        """Bring main from ``origin``; its commit."""
        return fetch_branch(self.repo, MAIN, self._token)

    def fetch_pull(self, number: int) -> str:
        """Bring a pull request's head from ``origin``; its commit."""
        return fetch_pull(self.repo, number, self._token)

    def _admitted(self, run: Run) -> tuple[PullRequest | None, str]:
        number, head = title_of(run) or (0, "")
        pull = self.forge.pull(number) if number else None
        holds = pull and pull.state == "open" and pull.head == head and self.built(run, pull, head)
        return (pull if holds else None), head

    def _pull_of(self, run: Run) -> PullRequest | None:
        """The oldest open one of the run's branch, those onto main first; a head may be in several."""
        pulls = self.forge.pulls_with_head(run.head, run.head_repository) if run.head_repository else ()
        own = [pull for pull in pulls if self.built(run, pull, run.head)]
        return min(own, key=lambda pull: (pull.base_branch != MAIN, pull.number), default=None)


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
    """The pull request and the commit that a run of ``train`` is for; inverse of its run-name."""
    found = _TITLE.fullmatch(run.title)
    return (int(found[1]), found[2]) if found else None
