"""The forge of a machine without an account: a pull request is a branch, and a folder with what was said of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ci.experimenting.commits import branch_head, checked_out_in, move_branch
from ci.experimenting.proposal import Proposal, listed, others_changes, stacked, stands_on
from dagster_project.domain.experimenting import Ending, branch_of
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.files import write_atomic

TEXT, COMMENTS = "pull.md", "comments.md"


@dataclass(frozen=True)
class Proposed:
    """What became of a proposal; ``words`` say why where it was held back."""

    ending: Ending
    commit: str | None = None
    pull: str | None = None
    words: str = ""


class Forge(Protocol):
    """Where experiments' pull requests live. Each operation may run twice."""

    def propose(self, wanted: Proposal) -> Proposed:
        """Open the model's pull request, or bring the open one up to date."""

    def tell(self, model: str, base: str, words: str, now: datetime) -> str | None:
        """Say something on the model's open pull request; where it is, None: there is none."""


class LocalForge:
    """Branches of this clone; texts in ``.acts/pulls``. The working folder is not touched."""

    def __init__(self, workspace: Workspace) -> None:
        self.repo, self.folder = workspace.repo, workspace.home / "pulls"

    def propose(self, wanted: Proposal) -> Proposed:
        """See ``Forge``. Where others work on the branch, nothing is written."""
        tip, place = branch_head(self.repo, wanted.branch), self.folder / wanted.branch
        held = self._held(wanted, tip)
        if held:
            return Proposed("held", tip, str(place), held)
        commit = stacked(self.repo, wanted, tip)
        if commit or not (place / TEXT).exists():
            write_atomic(place / TEXT, f"# {wanted.title}\n\n{wanted.body}".encode())
        if commit is None:
            return Proposed("unchanged", tip, str(place))
        move_branch(self.repo, wanted.branch, commit, tip)
        if tip and not stands_on(self.repo, tip, wanted.base):
            return Proposed("updated", commit, str(place))
        (place / COMMENTS).unlink(missing_ok=True)
        return Proposed("opened", commit, str(place))

    def tell(self, model: str, base: str, words: str, now: datetime) -> str | None:
        """See ``Forge``: ``comments.md`` beside the text."""
        branch = branch_of(model)
        tip = branch_head(self.repo, branch)
        if tip is None or stands_on(self.repo, tip, base):
            return None
        place = self.folder / branch / COMMENTS
        before = place.read_text() if place.exists() else ""
        said = f"**{now:%Y-%m-%d %H:%M}** {words}\n"
        if said not in before:
            write_atomic(place, f"{before}{said}\n".encode())
        return str(place.parent)

    def _held(self, wanted: Proposal, tip: str | None) -> str:
        folder = checked_out_in(self.repo, wanted.branch)
        if folder:
            return f"{wanted.branch} is checked out in {folder}: switch to another branch there."
        foreign = others_changes(self.repo, wanted, tip) if tip else ()
        if foreign:
            return f"{wanted.branch} has changes of others ({listed(foreign)}): merge, move or delete them."
        return ""
