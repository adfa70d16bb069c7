"""GitHub as the rest of ``ci`` sees it: every operation may run twice and be killed at any point.

Each looks first and does what is missing, so that a request whose answer got lost is done once. Every one raises
``UsageError`` (token, repository or right), ``RefusedError`` (a rule of the repository) and ``MachineryError``
(GitHub broke, or asks to wait for too long); what else it raises is said at its own function.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from . import actions, checks, comments, commits, deployments, labelling, pulls, rules
from .connection import Connection
from .failures import translated
from .labels import LABELS
from .patience import Patience
from .values import Artifact, Check, CheckReport, DeploymentState, Permission, PullRequest, Run

T = TypeVar("T")
API = "https://api.github.com"


class GitHub:
    """One repository, by one token."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    def connect(cls, repository: str, token: str, api_url: str = API, patience: Patience | None = None) -> "GitHub":
        """Nothing is sent yet. ``token``: an App's installation token, or GITHUB_TOKEN; ``api_url``: GITHUB_API_URL.

        Raises:
            UsageError: one of them can't be right.
        """
        return cls(Connection(repository, token, api_url, patience or Patience()))

    @property
    def repository(self) -> str:
        """``owner/name``."""
        return self._connection.name

    def pull(self, number: int) -> PullRequest:
        """See ``pulls.pull``."""
        return self._do(f"pull request {number}", lambda: pulls.pull(self._connection, number))

    def pulls_with_head(self, sha: str, head_repository: str | None) -> tuple[PullRequest, ...]:
        """See ``pulls.pulls_with_head``."""
        what = f"the pull requests of {head_repository} at {sha}"
        return self._do(what, lambda: pulls.pulls_with_head(self._connection, sha, head_repository))

    def pulls_of_commit(self, sha: str) -> tuple[PullRequest, ...]:
        """See ``pulls.pulls_of_commit``."""
        return self._do(f"the pull requests of commit {sha}", lambda: pulls.pulls_of_commit(self._connection, sha))

    def pull_of_branch(self, branch: str, base: str) -> PullRequest | None:
        """See ``pulls.pull_of_branch``."""
        what = f"the pull request of {branch} onto {base}"
        return self._do(what, lambda: pulls.pull_of_branch(self._connection, branch, base))

    def open_pull(self, branch: str, base: str, title: str, body: str) -> PullRequest:
        """See ``pulls.open_pull``."""
        what = f"a pull request of {branch} onto {base}"
        return self._do(what, lambda: pulls.open_pull(self._connection, branch, base, title, body))

    def say(self, number: int, marker: str, body: str) -> str:
        """See ``comments.say``."""
        what = f"the comment on pull request {number}"
        return self._do(what, lambda: comments.say(self._connection, number, marker, body))

    def check(self, report: CheckReport) -> Check:
        """See ``checks.check``."""
        what = f"the check {report.name} of {report.head}"
        return self._do(what, lambda: checks.check(self._connection, report))

    def checks(self, head: str, name: str) -> tuple[Check, ...]:
        """See ``checks.checks``."""
        return self._do(f"the checks {name} of {head}", lambda: checks.checks(self._connection, head, name))

    def label(self, number: int, owned: frozenset[str], wanted: frozenset[str]) -> None:
        """See ``labelling.label``."""
        what = f"the labels of pull request {number}"
        self._do(what, lambda: labelling.label(self._connection, number, owned, wanted))

    def unlabel(self, number: int, label: str) -> bool:
        """See ``labelling.unlabel``."""
        what = f"the label {label} of pull request {number}"
        return self._do(what, lambda: labelling.unlabel(self._connection, number, label))

    def create_labels(self) -> tuple[str, ...]:
        """Every label of the table, those for maintainers too; the created ones."""
        return self._do("the labels", lambda: labelling.create_missing(self._connection, LABELS))

    def commit(self, branch: str, parent: str, files: Mapping[str, bytes | None], message: str) -> str:
        """See ``commits.commit``."""
        what = f"a commit on {branch}"
        return self._do(what, lambda: commits.commit(self._connection, branch, parent, files, message))

    def create_branch(self, name: str, sha: str) -> None:
        """See ``commits.create_branch``."""
        self._do(f"the branch {name}", lambda: commits.create_branch(self._connection, name, sha))

    def deployment(self, sha: str, environment: str, description: str, payload: Mapping[str, Any]) -> int:
        """See ``deployments.deployment``."""
        what = f"the deployment of {sha} to {environment}"
        return self._do(what, lambda: deployments.deployment(self._connection, sha, environment, description, payload))

    def deployment_status(
        self, id: int, state: DeploymentState, description: str, log_url: str = "", environment_url: str = ""
    ) -> None:
        """See ``deployments.deployment_status``."""
        arguments = (id, state, description, log_url, environment_url)
        what = f"the status of deployment {id}"
        self._do(what, lambda: deployments.deployment_status(self._connection, *arguments))

    def run(self, id: int) -> Run:
        """See ``actions.run``."""
        return self._do(f"run {id}", lambda: actions.run(self._connection, id))

    def artifacts(self, run_id: int) -> tuple[Artifact, ...]:
        """See ``actions.artifacts``."""
        return self._do(f"the artifacts of run {run_id}", lambda: actions.artifacts(self._connection, run_id))

    def download(self, artifact: Artifact, most: int) -> bytes:
        """See ``actions.download``."""
        what = f"the artifact {artifact.name}"
        return self._do(what, lambda: actions.download(self._connection, artifact, most))

    def permission(self, login: str) -> Permission:
        """See ``rules.permission``."""
        return self._do(f"the permission of {login}", lambda: rules.permission(self._connection, login))

    def ruleset(self, name: str) -> dict[str, Any] | None:
        """See ``rules.ruleset``."""
        return self._do(f"the ruleset {name}", lambda: rules.ruleset(self._connection, name))

    def put_ruleset(self, document: dict[str, Any]) -> None:
        """See ``rules.put_ruleset``."""
        what = f"the ruleset {document['name']}"
        self._do(what, lambda: rules.put_ruleset(self._connection, document))

    def _do(self, what: str, operation: Callable[[], T]) -> T:
        """The operation, once more where a request of it got lost; errors in our words."""
        with translated(f"{what} in {self.repository}", self._connection.token):
            return self._connection.patience.settle(operation)
