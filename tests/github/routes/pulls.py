"""Pull requests: list, open, read, edit, files and commits."""

from tests.github import movement, views_git, views_pulls
from tests.github.differences import changes_between
from tests.github.exchange import Answer, Call, GitHubError, operation
from tests.github.world import Pull, Repository, Token, World, now


@operation("GET REPO/pulls", "pull_requests")
def pulls(call: Call) -> Answer:
    """Filtered as asked for, newest first unless asked otherwise."""
    state, head, base = call.query.get("state", "open"), call.query.get("head"), call.query.get("base")
    found = [
        pull
        for pull in call.repository.pulls.values()
        if state in ("all", pull.state) and base in (None, pull.base_branch) and (not head or head == _label(pull))
    ]
    newest_first = call.query.get("direction", "asc" if call.query.get("sort", "created") != "created" else "desc")
    found.sort(key=lambda pull: pull.number, reverse=newest_first == "desc")
    return call.page(found, lambda pull: views_pulls.simple_pull(call.world, call.repository, pull, call.accept))


@operation("POST REPO/pulls", "pull_requests", people="read")
def open_pull(call: Call) -> Answer:
    """A new one, from a branch of this repository or of a fork."""
    asked = call.json
    owner, _, branch = asked["head"].rpartition(":")
    source = _source(call.world, call.repository, owner or call.repository.owner.login)
    pull = create(
        call.world, call.repository, source, branch, asked["base"], call.by, asked["title"], asked.get("body")
    )
    pull.draft, pull.maintainers_may_push = asked.get("draft", False), asked.get("maintainer_can_modify", True)
    return Answer(201, views_pulls.full_pull(call.world, call.repository, pull, call.accept))


@operation("GET REPO/pulls/{pull_number}", "pull_requests")
def pull(call: Call) -> Answer:
    """One: as JSON, or its diff."""
    one = call.pull()
    if "diff" in call.accept:
        start = call.bare.merge_base(one.base, one.head) or one.base
        return Answer(200, call.bare.git("diff", start, one.head), kind="application/vnd.github.v3.diff; charset=utf-8")
    return Answer(200, views_pulls.full_pull(call.world, call.repository, one, call.accept))


@operation("PATCH REPO/pulls/{pull_number}", "pull_requests", people="read")
def edit(call: Call) -> Answer:
    """Title, text, base, open or closed: by its author or who may write."""
    one, asked = call.pull(), call.json
    if call.by.app is None and call.by.user is not one.user and not call.repository.may(call.by.user, "triage"):
        raise GitHubError(403, "Must have push access to Repository.")
    one.title, one.body, one.updated_at = asked.get("title", one.title), asked.get("body", one.body), now()
    one.base_branch = asked.get("base", one.base_branch)
    if asked.get("state", one.state) != one.state:
        _close_or_reopen(call, one)
    movement.look(call.world, call.repository, call.by)
    return Answer(200, views_pulls.full_pull(call.world, call.repository, one, call.accept))


@operation("GET REPO/pulls/{pull_number}/files", "pull_requests")
def files(call: Call) -> Answer:
    """What it changes since its branch began, by path."""
    one = call.pull()
    start = call.bare.merge_base(one.base, one.head) or one.base
    changes = changes_between(call.bare, start, one.head)
    return call.page(changes, lambda change: views_git.change(call.world, call.repository, one.head, change))


@operation("GET REPO/pulls/{pull_number}/commits", "pull_requests")
def commits(call: Call) -> Answer:
    """Its commits, oldest first."""
    one = call.pull()
    found = call.bare.commits("--reverse", f"{one.base}..{one.head}")
    return call.page(found, lambda commit: views_git.commit(call.world, call.repository, commit))


def create(
    world: World, root: Repository, source: Repository, branch: str, base: str, by: Token, title: str, body: str | None
) -> Pull:
    """Opens a pull request.

    Raises:
        GitHubError: 422, a branch is not there, there is nothing to merge, or there is one already; 403.
    """
    head, start = source.bare.resolve(f"refs/heads/{branch}"), root.bare.resolve(f"refs/heads/{base}")
    if by.app is None and not (source.may(by.user, "write") or root.may(by.user, "write")):
        raise GitHubError(403, "Must have push access to Repository.")
    for name, sha in (("head", head), ("base", start)):
        if sha is None:
            raise GitHubError(422, "Validation Failed", [{"resource": "PullRequest", "field": name, "code": "invalid"}])
    _refuse_second(root, source, branch, base)
    number = len(root.pulls) + 1
    made = Pull(
        world.next_id(), number, title, body, by.user, source, source.owner, branch, base, str(head), str(start)
    )
    made.pusher = by.user
    movement.bring_head(root, made)
    if root.bare.is_ancestor(made.head, made.base):
        root.bare.delete(f"refs/pull/{number}/head")
        raise _custom(f"No commits between {base} and {branch}")
    root.pulls[number] = made
    movement.try_merge(root, made)
    movement.tell(world, root, made, "opened", by)
    return made


def _refuse_second(root: Repository, source: Repository, branch: str, base: str) -> None:
    for pull in root.pulls.values():
        if (
            pull.state == "open"
            and pull.head_repository is source
            and (pull.head_branch, pull.base_branch) == (branch, base)
        ):
            raise _custom(f"A pull request already exists for {source.owner.login}:{branch}.")


def _custom(message: str) -> GitHubError:
    return GitHubError(422, "Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": message}])


def _close_or_reopen(call: Call, one: Pull) -> None:
    if one.state == "open":
        movement.close(call.world, call.repository, one, call.by)
        return
    if one.merged_at or one.head_repository is None:
        raise _custom("state cannot be changed.")
    one.state, one.closed_at = "open", None
    movement.look(call.world, call.repository, call.by)
    movement.bring_head(call.repository, one)
    movement.try_merge(call.repository, one)
    movement.tell(call.world, call.repository, one, "reopened", call.by)


def _source(world: World, root: Repository, owner: str) -> Repository:
    for one in (root, *world.forks(root)):
        if one.owner.login.lower() == owner.lower():
            return one
    raise GitHubError(422, "Validation Failed", [{"resource": "PullRequest", "field": "head", "code": "invalid"}])


def _label(pull: Pull) -> str:
    return f"{pull.head_owner.login}:{pull.head_branch}"
