"""A repository on the GitHub double, and the forge connected to it by one of its Apps."""

from collections.abc import Mapping

from ci.forge.github import GitHub
from tests.ci.forge.clock import Clock
from tests.github.double import Double

MODELS = "acme/models"
#: What the gate's App has. Nothing of issues: comments and labels of pull requests are pull requests' business.
RIGHTS = {
    "metadata": "read",
    "actions": "read",
    "checks": "write",
    "contents": "write",
    "deployments": "write",
    "pull_requests": "write",
}
GATE = "acts-gate"


class Site:
    """The double, the clock that the forge waits by, and what tests ask of both again and again."""

    def __init__(self, double: Double) -> None:
        self.double, self.clock = double, Clock()
        self.gate = self.connect(double.installation_token(GATE, MODELS))

    def connect(self, token: str, name: str = MODELS) -> GitHub:
        """Another client, which has seen nothing yet."""
        return GitHub.connect(name, token, self.double.url, self.clock.patience())

    def again(self) -> GitHub:
        """The gate as another process."""
        return self.connect(self.double.installation_token(GATE, MODELS))

    def workflow(self, rights: Mapping[str, str]) -> GitHub:
        """By a workflow's GITHUB_TOKEN."""
        return self.connect(self.double.actions_token(MODELS, rights))

    def pull(self, branch: str = "change", files: Mapping[str, str] | None = None, by: str = "octocat") -> int:
        """An open pull request; its number."""
        self.double.push(MODELS, branch, files or {"models/m/spec.yaml": f"{branch}\n"}, by=by)
        return self.double.open_pull(MODELS, branch, by=by)

    def fork_pull(self, login: str = "stranger", branch: str = "mine") -> int:
        """One from a fork."""
        self.double.fork(MODELS, login)
        self.double.push(f"{login}/models", branch, {"new.txt": "x\n"}, by=login)
        return self.double.open_pull(MODELS, f"{login}:{branch}", by=login)

    def writes(self, method: str = "") -> list[str]:
        """What was written so far, as ``METHOD path``; whose token it is is asked by POST and not counted."""
        found = [f"{call.method} {call.path}" for call in self.double.calls if call.method != "GET"]
        return [line for line in found if line.startswith(method) and not line.endswith("/graphql")]
