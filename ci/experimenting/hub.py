"""Experiments' pull requests on GitHub: the branch is pushed by whoever holds the App's token, and only forward."""

from datetime import datetime

from ci.experimenting.local import Proposed
from ci.experimenting.proposal import Proposal, listed, others_changes, stacked
from ci.forge.values import PullRequest
from ci.github.submission import MAIN, Desk
from ci.heads import fetch_branch, push_branch, remote_head
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.experimenting import branch_of

MARKER = "<!-- threeacts experiment -->"


class HubForge:
    """See ``local.Forge``. Each operation looks first and does what is missing."""

    def __init__(self, desk: Desk, token: str | None) -> None:
        self.desk, self._token = desk, token

    def propose(self, wanted: Proposal) -> Proposed:
        """Push the branch and open its pull request; what others did there stays, and they are told of it."""
        tip = self._tip(wanted.branch)
        pull = self.desk.forge.pull_of_branch(wanted.branch, MAIN)
        try:
            commit = self._pushed(wanted, tip)
        except RefusedError as refusal:
            return Proposed("held", tip, self._address(pull), str(refusal))
        if commit is None and pull:
            return Proposed("unchanged", tip, self._address(pull))
        done = self.desk.forge.open_pull(wanted.branch, MAIN, wanted.title, wanted.body)
        return Proposed("updated" if pull else "opened", commit or tip, self._address(done))

    def tell(self, model: str, base: str, words: str, now: datetime) -> str | None:
        """One comment on the model's open pull request, the newest words in it."""
        pull = self.desk.forge.pull_of_branch(branch_of(model), MAIN)
        if pull:
            self.desk.forge.say(pull.number, MARKER, f"{MARKER}\n**{now:%Y-%m-%d}** {words}\n")
        return self._address(pull)

    def _tip(self, branch: str) -> str | None:
        found = remote_head(self.desk.repo, branch, self._token)
        return fetch_branch(self.desk.repo, branch, self._token) if found else None

    def _pushed(self, wanted: Proposal, tip: str | None) -> str | None:
        foreign = others_changes(self.desk.repo, wanted, tip) if tip else ()
        if foreign:
            raise RefusedError(f"{wanted.branch} has changes of others ({listed(foreign)}): merge or close it.")
        commit = stacked(self.desk.repo, wanted, tip)
        if commit:
            push_branch(self.desk.repo, wanted.branch, commit, self._token)
        return commit

    def _address(self, pull: PullRequest | None) -> str | None:
        return f"{self.desk.forge.repository}#{pull.number}" if pull else None
