"""What follows when branches move: pull requests' heads, refs/pull/N/head and /merge, events, dismissed reviews."""

from tests.github import rules, views, views_pulls
from tests.github.bare import FIXED, GitError
from tests.github.world import Pull, Repository, Token, World, now

ZERO = "0" * 40


def look(world: World, repository: Repository, by: Token | None = None) -> None:
    """Notice what has moved in a repository, its parent and its forks since the last look.

    ``by``: who moved it; without it the owner of the repository did."""
    root = repository.parent or repository
    for one in (root, *world.forks(root)):
        _look_at_branches(world, one, by)
    for pull in root.pulls.values():
        if pull.state == "open":
            _follow(world, root, pull, by)


def _look_at_branches(world: World, one: Repository, by: Token | None) -> None:
    found = one.bare.refs()
    for ref in sorted(found.keys() | one.seen.keys()):
        old, new = one.seen.get(ref), found.get(ref)
        if old != new:
            _tell_push(world, one, ref, old, new, by or Token(one.owner))
    one.seen = found


def _tell_push(world: World, one: Repository, ref: str, old: str | None, new: str | None, by: Token) -> None:
    forced = bool(old and new and not one.bare.is_ancestor(old, new))
    span = (new, f"^{old}") if old else ("-1", new)
    commits = [
        {"id": commit.sha, "tree_id": commit.tree, "message": commit.message, "timestamp": commit.committer.date}
        for commit in (one.bare.commits(*span) if new else [])
    ]
    who = {"name": by.user.login, "email": f"{by.user.login}@users.noreply.github.com"}
    body = {"ref": ref, "before": old or ZERO, "after": new or ZERO, "created": old is None, "deleted": new is None}
    body |= {"forced": forced, "commits": commits[::-1], "head_commit": commits[0] if commits else None, "pusher": who}
    people = {"repository": views.repository(world, one), "sender": views.user(world, by.user)}
    world.tell("push", None, one, body | people, by)


def _follow(world: World, root: Repository, pull: Pull, by: Token | None) -> None:
    source = pull.head_repository
    if source is None or source.full_name.lower() not in world.repositories:
        pull.head_repository = None
    else:
        head = source.seen.get(f"refs/heads/{pull.head_branch}")
        if head is None:
            close(world, root, pull, by or Token(pull.user))
            return
        if head != pull.head:
            _move_head(world, root, pull, head, by or Token(source.owner if source is not root else pull.user))
    _move_base(world, root, pull, by)


def _move_head(world: World, root: Repository, pull: Pull, head: str, by: Token) -> None:
    before, pull.head, pull.pusher, pull.updated_at = pull.head, head, by.user, now()
    bring_head(root, pull)
    for rule in rules.rules_for(root, pull.base_branch):
        if rule["type"] == "pull_request" and rule["parameters"]["dismiss_stale_reviews_on_push"]:
            for review in pull.reviews:
                review.state = "DISMISSED" if review.state == "APPROVED" else review.state
    try_merge(root, pull)
    tell(world, root, pull, "synchronize", by, before=before, after=head)


def _move_base(world: World, root: Repository, pull: Pull, by: Token | None) -> None:
    base = root.seen.get(f"refs/heads/{pull.base_branch}")
    if base is None or base == pull.base:
        return
    if root.bare.is_ancestor(pull.head, base):
        merged(world, root, pull, base, by or Token(root.owner))
        return
    pull.base = base
    try_merge(root, pull)


def bring_head(root: Repository, pull: Pull) -> None:
    """refs/pull/N/head in the base repository, with the commits that a fork has."""
    if pull.head_repository is not None and pull.head_repository is not root:
        root.bare.git("fetch", "--quiet", "--no-tags", pull.head_repository.bare.path, pull.head)
    root.bare.write(f"refs/pull/{pull.number}/head", pull.head)


def try_merge(root: Repository, pull: Pull) -> None:
    """Whether head and base can be merged; refs/pull/N/merge is the merge, tried out."""
    tree, ref = root.bare.merged_tree(pull.base, pull.head), f"refs/pull/{pull.number}/merge"
    pull.mergeable, pull.merge_commit = tree is not None, None
    if tree is None:
        _forget(root, ref)
        return
    message = f"Merge {pull.head} into {pull.base}"
    pull.merge_commit = root.bare.make_commit(tree, (pull.base, pull.head), message, FIXED)
    root.bare.write(ref, pull.merge_commit)


def close(world: World, root: Repository, pull: Pull, by: Token) -> None:
    """Closed, not merged."""
    pull.state, pull.closed_at, pull.updated_at = "closed", now(), now()
    _forget(root, f"refs/pull/{pull.number}/merge")
    tell(world, root, pull, "closed", by)


def merged(world: World, root: Repository, pull: Pull, commit: str, by: Token) -> None:
    """Closed, because its commits are in the base branch; ``commit`` brought them there."""
    pull.state, pull.closed_at, pull.updated_at, pull.merged_at = "closed", now(), now(), now()
    pull.merge_commit, pull.merged_by = commit, by.user
    _forget(root, f"refs/pull/{pull.number}/merge")
    tell(world, root, pull, "closed", by)


def tell(world: World, root: Repository, pull: Pull, action: str, by: Token, **more: object) -> None:
    """The pull_request event."""
    body = {"action": action, "number": pull.number, "pull_request": views_pulls.full_pull(world, root, pull)}
    people = {"repository": views.repository(world, root), "sender": views.user(world, by.user)}
    world.tell("pull_request", action, root, body | people | more, by)


def _forget(root: Repository, ref: str) -> None:
    try:
        root.bare.delete(ref)
    except GitError:
        return
