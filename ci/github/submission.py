"""Which pull request a run belongs to: asked of GitHub, never of what the run itself says."""

from pathlib import Path

from ci.forge.github import GitHub
from ci.forge.values import PullRequest, Run
from ci.github.standing import CODE, RULES, Launcher, Standing, standing
from ci.heads import changed_paths, fetch_branch, fetch_pull, has_commit, merge_base
from dagster_project.domain.base import StrictModel
from dagster_project.domain.errors import RefusedError

WORKFLOWS: dict[Launcher, str] = {
    "pull-request": ".github/workflows/pull-request.yml",
    "train": ".github/workflows/train.yml",
}


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

    def submission(self, run_id: int, launcher: Launcher, number: int = 0, head: str = "") -> Submission | None:
        """The submission of a run; None where no open pull request has its head any more.

        ``number`` and ``head`` are those of ``train``, whose run belongs to the base branch.

        Raises:
            RefusedError: the run is of another workflow than it should be.
        """
        run = self.checked_run(run_id, launcher)
        pull = self.forge.pull(number) if number else self._pull_of(run)
        return None if pull is None else self.of_head(pull, head or run.head, launcher, run)

    def checked_run(self, run_id: int, launcher: Launcher) -> Run:
        """The run, if it is of the launcher's workflow.

        Raises:
            RefusedError: it is of another.
        """
        run = self.forge.run(run_id)
        if run.workflow != WORKFLOWS[launcher]:
            raise RefusedError(f"run {run_id} is of {run.workflow}, not of {WORKFLOWS[launcher]}: nothing is taken.")
        return run

    def of_head(self, pull: PullRequest, head: str, launcher: Launcher, run: Run) -> Submission | None:
        """The submission of one head; None where the head is gone.

        The base is where the branch left main: where main's rules are still those, they are main's rules.
        """
        tip = fetch_branch(self.repo, pull.base_branch, self._token)
        if not has_commit(self.repo, head):
            fetch_pull(self.repo, pull.number, self._token)
        if not has_commit(self.repo, head):
            return None
        base = merge_base(self.repo, tip, head)
        if base is None:
            raise RefusedError(f"{pull.head_branch} has no commit in common with {pull.base_branch}: nothing to judge.")
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

    def _pull_of(self, run: Run) -> PullRequest | None:
        """The oldest open one; a head may be in several."""
        pulls = self.forge.pulls_with_head(run.head, run.head_repository) if run.head_repository else ()
        return min(pulls, key=lambda pull: pull.number, default=None)
