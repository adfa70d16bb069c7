"""A GitHub for tests: in this process, in memory, with git on disk. See README.md."""

import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.github import actions, backstage, movement, views_pulls
from tests.github.bare import Bare, git
from tests.github.faults import Faults
from tests.github.routes.apps import make_token
from tests.github.routes.merging import merge
from tests.github.routes.pulls import create
from tests.github.server import serving
from tests.github.service import Done, Service
from tests.github.world import (
    ACTIONS_APP,
    App,
    Artifact,
    Event,
    Installation,
    Repository,
    Run,
    Token,
    User,
    World,
)

Files = Mapping[str, str | bytes | None]


class Double:
    """What a test does with it. Repositories are named owner/name, people by login."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world = World()
        self.lock = threading.RLock()
        self.service = Service(self.world, self.lock)
        bot = self.world.user("github-actions[bot]", "Bot")
        owner = self.world.user("github", "Organization")
        self._actions = self.world.apps.setdefault("github-actions", App(ACTIONS_APP, "github-actions", owner, bot, {}))

    @property
    def url(self) -> str:
        """Base of the API, and of the web pages' addresses (which are not served)."""
        return self.world.url

    @property
    def faults(self) -> Faults:
        """Orders for things that go wrong."""
        return self.service.faults

    @property
    def violations(self) -> list[str]:
        """Where requests or answers differed from GitHub's description."""
        return self.service.violations

    @property
    def calls(self) -> list[Done]:
        """Every request that was answered by a route, oldest first."""
        return self.service.calls

    @property
    def webhook_events(self) -> list[Event]:
        """What GitHub would have sent so far, oldest first."""
        with self.lock:
            for repository in list(self.world.repositories.values()):
                if repository.parent is None:
                    movement.look(self.world, repository)
            return list(self.world.events)

    def clear(self) -> None:
        """Forgets everything but people, teams and Apps: for a server that many tests share.

        Raises:
            AssertionError: something differed from GitHub's description.
        """
        with self.lock:
            shutil.rmtree(self.folder)
            found = list(self.violations)
            for memory in (self.world.repositories, self.world.installations, self.world.events, self.violations):
                memory.clear()
            for memory in (self.calls, self.faults.orders, self.faults.met):
                memory.clear()
        _refuse(found)

    # Repositories

    def create_repository(
        self,
        name: str,
        from_: Path | None = None,
        files: Files | None = None,
        private: bool = False,
        branch: str = "main",
    ) -> Path:
        """A repository with another's branches, or with one commit of ``files``; the bare repository's path."""
        path = self._place(name)
        if from_ is not None:
            git("clone", "--quiet", "--bare", from_, path)
            branch = Bare(path).text("symbolic-ref", "--short", "HEAD")
        else:
            git("init", "--quiet", "--bare", f"--initial-branch={branch}", path)
            backstage.write_files(
                Bare(path), branch, files or {"README.md": f"# {name}\n"}, "Initial commit", "octocat"
            )
        self._add(name, path, branch, private, None)
        return path

    def fork(self, name: str, login: str) -> Path:
        """``login``'s fork; the bare repository's path."""
        parent = self.world.repository(name)
        fork = f"{login}/{parent.name}"
        path = self._place(fork)
        git("clone", "--quiet", "--bare", parent.bare.path, path)
        self.user(login)
        self._add(fork, path, parent.default_branch, parent.private, parent)
        return path

    def delete_fork(self, name: str) -> None:
        """The fork is gone; its pull requests stay."""
        with self.lock:
            del self.world.repositories[name.lower()]
            for repository in self.world.repositories.values():
                movement.look(self.world, repository)

    def path(self, name: str) -> Path:
        """A repository's bare repository, to clone from, push to and look into."""
        return self.world.repository(name).bare.path

    # Who

    def user(self, login: str, permissions: Mapping[str, str] | None = None) -> str:
        """A person's token; ``permissions``: admin, maintain, write, triage, read or none, by repository."""
        with self.lock:
            person = self.world.user(login)
            for name, level in (permissions or {}).items():
                self.world.repository(name).people[login.lower()] = level
            self.world.tokens.setdefault(f"ghp_{login}", Token(person))
        return f"ghp_{login}"

    def team(self, name: str, members: list[str]) -> None:
        """org/team, as CODEOWNERS names it."""
        self.world.teams[name.lower()] = {login.lower() for login in members}

    def app(self, slug: str, permissions: Mapping[str, str], owner: str = "acme") -> App:
        """A GitHub App; its ``private_key`` (PEM) signs the JSON web token that GitHub asks for."""
        with self.lock:
            id = self.world.next_id()
            bot = self.world.user(f"{slug}[bot]", "Bot")
            app = App(id, slug, self.world.user(owner, "Organization"), bot, dict(permissions), *backstage.key_pair())
            return self.world.apps.setdefault(slug, app)

    def install(self, slug: str, *names: str) -> Installation:
        """An App's installation on repositories of one owner."""
        with self.lock:
            account = self.world.repository(names[0]).owner
            made = Installation(self.world.next_id(), self.world.apps[slug], account, {name.lower() for name in names})
            return self.world.installations.setdefault(made.id, made)

    def installation_token(self, slug: str, *names: str, permissions: Mapping[str, str] | None = None) -> str:
        """An App's token for repositories, with all that the App may or less; installs it where it isn't."""
        with self.lock:
            wanted = {name.lower() for name in names}
            found = [
                one for one in self.world.installations.values() if one.app.slug == slug and wanted <= one.repositories
            ]
            one = found[0] if found else self.install(slug, *names)
            return make_token(self.world, one, dict(permissions) if permissions is not None else None, wanted)

    def actions_token(self, name: str, permissions: Mapping[str, str]) -> str:
        """A workflow's GITHUB_TOKEN with what the workflow's ``permissions`` declare."""
        with self.lock:
            value = f"ghs_actions{self.world.next_id():028d}"
            names = frozenset({name.lower()})
            self.world.tokens[value] = Token(self._actions.bot, self._actions, dict(permissions), names)
            return value

    # Branches and pull requests

    def push(
        self, name: str, branch: str, files: Files, message: str = "Change", by: str = "octocat", start: str = ""
    ) -> str:
        """Commits files (None: removed) on a branch as somebody's push would; the new head's sha.

        A branch that isn't there begins at ``start`` (the default branch). Rules of the branch are not asked."""
        with self.lock:
            repository = self.world.repository(name)
            start = start or repository.default_branch
            sha = backstage.write_files(repository.bare, branch, files, message, by, start)
            movement.look(self.world, repository, Token(self.world.user(by)))
            return sha

    def force(self, name: str, branch: str, sha: str | None, by: str = "octocat") -> None:
        """Sets a branch to any commit; None deletes it."""
        with self.lock:
            repository = self.world.repository(name)
            ref = f"refs/heads/{branch}"
            repository.bare.write(ref, sha) if sha else repository.bare.delete(ref)
            movement.look(self.world, repository, Token(self.world.user(by)))

    def head(self, name: str, branch: str = "") -> str:
        """A branch's commit; KeyError where there is no such branch."""
        repository = self.world.repository(name)
        return repository.bare.refs()[f"refs/heads/{branch or repository.default_branch}"]

    def open_pull(
        self, name: str, head: str, base: str = "main", title: str = "", by: str = "", body: str | None = None
    ) -> int:
        """A pull request from ``branch`` or ``owner:branch``; its number."""
        with self.lock:
            root = self.world.repository(name)
            owner, _, branch = head.rpartition(":")
            source = self.world.repository(f"{owner}/{root.name}") if owner else root
            movement.look(self.world, root)
            who = Token(self.world.user(by or (owner or "octocat")))
            if not source.may(who.user, "write"):
                source.people[who.user.login.lower()] = "write"
            return create(self.world, root, source, branch, base, who, title or branch, body).number

    def merge(self, name: str, number: int, method: str = "merge", by: str = "octocat") -> str:
        """Merges as somebody's click would; the commit's sha. GitHubError 405 where the rules say no."""
        with self.lock:
            root = self.world.repository(name)
            movement.look(self.world, root)
            return merge(self.world, root, root.pulls[number], Token(self.world.user(by)), method)

    def pull(self, name: str, number: int) -> dict[str, Any]:
        """A pull request as the API has it."""
        with self.lock:
            root = self.world.repository(name)
            movement.look(self.world, root)
            return views_pulls.full_pull(self.world, root, root.pulls[number])

    def comments(self, name: str, number: int) -> list[tuple[str, str]]:
        """Login and text of a pull request's comments, oldest first."""
        with self.lock:
            found = self.world.repository(name).comments.values()
            return [(one.user.login, one.body) for one in found if one.number == number]

    # Actions

    def run_began(
        self,
        name: str,
        workflow: str,
        event: str,
        pull: int | None = None,
        head: str = "",
        branch: str = "",
        title: str = "",
    ) -> Run:
        """A workflow's run begins (``workflow_run`` requested). Of a pull request, or of a commit and its branch."""
        with self.lock:
            root = self.world.repository(name)
            movement.look(self.world, root)
            return actions.begin(
                self.world, root, workflow, event, pull, head or self.head(name, branch), branch, title
            )

    def run_ended(self, run: Run, conclusion: str, jobs: Mapping[str, str] | None = None) -> None:
        """It ends (``workflow_run`` completed); ``jobs``: conclusions by name."""
        with self.lock:
            actions.end(self.world, self._repository_of(run), run, conclusion, jobs or {})

    def upload_artifact(self, run: Run | int, name: str, content: bytes | Files) -> Artifact:
        """A run's artifact: a zip's bytes, or files to zip."""
        with self.lock:
            number = run if isinstance(run, int) else run.id
            root = next(one for one in self.world.repositories.values() if number in one.runs)
            return actions.upload(self.world, root, number, name, content)

    def run_payload(self, run: Run) -> dict[str, Any]:
        """The workflow_run event as it would be now."""
        with self.lock:
            return actions.payload(
                self.world, self._repository_of(run), run, "completed" if run.conclusion else "requested"
            )

    # Inside

    def _repository_of(self, run: Run) -> Repository:
        return next(one for one in self.world.repositories.values() if run.id in one.runs)

    def _place(self, name: str) -> Path:
        return self.folder / f"{name}.git"

    def _add(self, name: str, path: Path, branch: str, private: bool, parent: Repository | None) -> None:
        with self.lock:
            owner, _, short = name.partition("/")
            kind = "User" if parent else "Organization"
            person: User = self.world.user(owner, kind)
            made = Repository(self.world.next_id(), person, short, private, Bare(path), branch, parent)
            made.people = {} if parent else {"octocat": "admin"}
            made.seen = made.bare.refs()
            self.world.repositories[name.lower()] = made
            backstage.write_hook(path, self.url, name)


@contextmanager
def github_double(folder: Path) -> Iterator[Double]:
    """A double whose repositories are in ``folder``.

    Raises:
        AssertionError: at the end, something differed from GitHub's description.
    """
    folder.mkdir(parents=True, exist_ok=True)
    double = Double(folder)
    with serving(double.service.application(backstage.routes(double.world, double.lock))) as url:
        double.world.url = url
        yield double
    _refuse(double.violations)


def _refuse(violations: list[str]) -> None:
    assert not violations, "not as GitHub's description has it:\n" + "\n".join(violations)
