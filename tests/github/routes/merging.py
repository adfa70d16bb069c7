"""Merging a pull request."""

from tempfile import TemporaryDirectory

from tests.github import movement, rules
from tests.github.bare import Bare, GitError
from tests.github.exchange import Answer, Call, GitHubError, not_found, operation
from tests.github.world import Pull, Repository, Token, World


@operation("GET REPO/pulls/{pull_number}/merge", "pull_requests")
def is_merged(call: Call) -> Answer:
    """204 where it is, 404 where not."""
    if call.pull().merged_at is None:
        raise not_found()
    return Answer(204)


@operation("PUT REPO/pulls/{pull_number}/merge", "contents")
def merge_pull(call: Call) -> Answer:
    """Merges where the rules allow it."""
    asked = call.json or {}
    message = "\n\n".join(asked[key] for key in ("commit_title", "commit_message") if asked.get(key))
    sha = merge(
        call.world, call.repository, call.pull(), call.by, asked.get("merge_method", "merge"), asked.get("sha"), message
    )
    return Answer(200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


def merge(
    world: World,
    root: Repository,
    pull: Pull,
    by: Token,
    method: str = "merge",
    sha: str | None = None,
    message: str = "",
) -> str:
    """The commit that the merge made.

    Raises:
        GitHubError: 405, not now or not by the rules; 409, the head is not ``sha``.
    """
    if sha is not None and sha != pull.head:
        raise GitHubError(409, "Head branch was modified. Review and try the merge again.")
    if pull.state != "open" or pull.draft or not pull.mergeable:
        raise GitHubError(405, "Pull Request is not mergeable")
    problems = rules.merge_problems(world, root, pull, by)
    if problems:
        raise GitHubError(405, "Repository rule violations found\n\n" + "\n\n".join(problems))
    title = (
        message or f"Merge pull request #{pull.number} from {pull.head_owner.login}/{pull.head_branch}\n\n{pull.title}"
    )
    env = _names(by)
    if method == "rebase":
        commit = _rebased(root.bare, pull.base, pull.head, env)
    else:
        tree = root.bare.merged_tree(pull.base, pull.head)
        parents = (pull.base,) if method == "squash" else (pull.base, pull.head)
        title = title if message or method == "merge" else f"{pull.title} (#{pull.number})"
        commit = root.bare.make_commit(str(tree), parents, title, env)
    root.bare.write(f"refs/heads/{pull.base_branch}", commit)
    movement.merged(world, root, pull, commit, by)
    movement.look(world, root, by)
    return commit


def _names(by: Token) -> dict[str, str]:
    address = f"{by.user.login}@users.noreply.github.com"
    return {"GIT_AUTHOR_NAME": by.user.login, "GIT_AUTHOR_EMAIL": address}


def _rebased(bare: Bare, base: str, head: str, env: dict[str, str]) -> str:
    """The head's commits put on the base, by git itself in a folder of their own."""
    with TemporaryDirectory(prefix="rebase-") as folder:
        bare.git("worktree", "add", "--quiet", "--detach", f"{folder}/tree", head)
        try:
            there = Bare(bare.path.__class__(folder) / "tree")
            there.git("rebase", "--quiet", "--no-ff", base, env=env)
            return there.text("rev-parse", "HEAD")
        except GitError as error:
            raise GitHubError(405, "This branch can't be rebased") from error
        finally:
            bare.git("worktree", "remove", "--force", f"{folder}/tree")
