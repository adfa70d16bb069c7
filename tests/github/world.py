"""What the double remembers: people, apps, repositories, and what is in them. Plain data, no HTTP."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.github.bare import Bare

LEVELS = ("none", "read", "triage", "write", "maintain", "admin")
ACTIONS_APP = 15368


def now() -> str:
    """The time, as GitHub writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class User:
    """A person, an organization or an App's bot."""

    id: int
    login: str
    type: str = "User"


@dataclass
class App:
    """A GitHub App; ``permissions`` is the most that its installations may do."""

    id: int
    slug: str
    owner: User
    bot: User
    permissions: dict[str, str]
    private_key: bytes = b""
    public_key: bytes = b""
    created_at: str = field(default_factory=now)


@dataclass
class Installation:
    """An App's installation on an account."""

    id: int
    app: App
    account: User
    repositories: set[str]
    created_at: str = field(default_factory=now)


@dataclass(frozen=True)
class Token:
    """Who speaks. ``app`` is None for a person's own token; ``repositories`` is None where all of theirs are meant."""

    user: User
    app: App | None = None
    permissions: dict[str, str] = field(default_factory=dict)
    repositories: frozenset[str] | None = None

    @property
    def is_actions(self) -> bool:
        """Whether it is a workflow's GITHUB_TOKEN: what it does starts no workflow."""
        return self.app is not None and self.app.id == ACTIONS_APP


@dataclass
class Label:
    """A repository's label."""

    id: int
    name: str
    color: str
    description: str | None


@dataclass
class Comment:
    """A comment on a pull request."""

    id: int
    number: int
    user: User
    app: App | None
    body: str
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)


@dataclass
class Review:
    """A review; ``state`` is APPROVED, CHANGES_REQUESTED, COMMENTED or DISMISSED."""

    id: int
    user: User
    state: str
    body: str
    commit: str
    submitted_at: str = field(default_factory=now)


@dataclass
class Pull:
    """A pull request. ``head`` and ``base`` are the last that were seen; once closed they stay."""

    id: int
    number: int
    title: str
    body: str | None
    user: User
    head_repository: "Repository | None"
    head_owner: User
    head_branch: str
    base_branch: str
    head: str
    base: str
    draft: bool = False
    maintainers_may_push: bool = True
    state: str = "open"
    mergeable: bool = True
    merge_commit: str | None = None
    merged_by: User | None = None
    merged_at: str | None = None
    closed_at: str | None = None
    pusher: User | None = None
    labels: list[Label] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    reviewers: list[User] = field(default_factory=list)
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)


@dataclass
class CheckRun:
    """A check run of an App's."""

    id: int
    app: App
    suite: int
    name: str
    head: str
    status: str
    conclusion: str | None
    external_id: str
    details_url: str | None
    started_at: str | None
    completed_at: str | None
    output: dict[str, Any]
    annotations: list[dict[str, Any]]


@dataclass
class Status:
    """A commit status."""

    id: int
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    creator: User
    app: App | None
    created_at: str = field(default_factory=now)


@dataclass
class Deployment:
    """A deployment and its statuses, oldest first."""

    id: int
    ref: str
    sha: str
    task: str
    environment: str
    description: str | None
    payload: Any
    creator: User
    app: App | None
    transient: bool
    production: bool
    statuses: list[dict[str, Any]] = field(default_factory=list)
    created_at: str = field(default_factory=now)


@dataclass
class Artifact:
    """What a run uploaded: a zip."""

    id: int
    run: int
    name: str
    content: bytes
    digest: str
    expired: bool = False
    created_at: str = field(default_factory=now)


@dataclass
class Run:
    """A workflow's run."""

    id: int
    number: int
    workflow: str
    workflow_id: int
    name: str
    event: str
    head: str
    head_branch: str | None
    head_repository: "Repository | None"
    actor: User
    pull: int | None
    title: str = ""
    """What the workflow's ``run-name`` says, where it has one."""
    status: str = "queued"
    conclusion: str | None = None
    attempt: int = 1
    jobs: list[dict[str, Any]] = field(default_factory=list)
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)


@dataclass
class Repository:
    """A repository: its git, who may do what, and all that hangs on it."""

    id: int
    owner: User
    name: str
    private: bool
    bare: Bare
    default_branch: str
    parent: "Repository | None" = None
    people: dict[str, str] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    pulls: dict[int, Pull] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    checks: dict[int, CheckRun] = field(default_factory=dict)
    suites: dict[tuple[str, int], int] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    deployments: dict[int, Deployment] = field(default_factory=dict)
    rulesets: dict[int, dict[str, Any]] = field(default_factory=dict)
    runs: dict[int, Run] = field(default_factory=dict)
    artifacts: dict[int, Artifact] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    created_at: str = field(default_factory=now)

    @property
    def full_name(self) -> str:
        """owner/name"""
        return f"{self.owner.login}/{self.name}"

    def level(self, user: User) -> str:
        """What a user may do, by its word."""
        if user.login.lower() == self.owner.login.lower():
            return "admin"
        return self.people.get(user.login.lower(), "none" if self.private else "read")

    def may(self, user: User, level: str) -> bool:
        """Whether that is at least ``level``."""
        return LEVELS.index(self.level(user)) >= LEVELS.index(level)


@dataclass(frozen=True)
class Event:
    """What GitHub would have sent: a webhook's name and payload.

    ``starts_workflows`` is False where a workflow's own GITHUB_TOKEN caused it."""

    name: str
    action: str | None
    repository: str
    payload: dict[str, Any]
    starts_workflows: bool


@dataclass
class World:
    """Everything."""

    url: str = ""
    users: dict[str, User] = field(default_factory=dict)
    teams: dict[str, set[str]] = field(default_factory=dict)
    apps: dict[str, App] = field(default_factory=dict)
    installations: dict[int, Installation] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    repositories: dict[str, Repository] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1001))

    def next_id(self) -> int:
        """An id that nothing else has."""
        return next(self.ids)

    def user(self, login: str, kind: str = "User") -> User:
        """The user with this login, made where there is none."""
        known = self.users.get(login.lower())
        return known or self.users.setdefault(login.lower(), User(self.next_id(), login, kind))

    def repository(self, full_name: str) -> Repository:
        """By owner/name.

        Raises:
            KeyError: there is no such repository.
        """
        return self.repositories[full_name.lower()]

    def forks(self, repository: Repository) -> list[Repository]:
        """Those that were forked from it."""
        return [other for other in self.repositories.values() if other.parent is repository]

    def tell(self, name: str, action: str | None, repository: Repository, payload: dict[str, Any], by: Token) -> None:
        """Remember an event, as it was then."""
        frozen = json.loads(json.dumps(payload))
        self.events.append(Event(name, action, repository.full_name, frozen, not by.is_actions))
