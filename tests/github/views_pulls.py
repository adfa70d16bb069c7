"""How GitHub writes pull requests, their comments and reviews."""

from typing import Any

from tests.github import rules, views
from tests.github.differences import changes_between
from tests.github.exchange import node_id
from tests.github.views import Json, bodies
from tests.github.world import Comment, Pull, Repository, Review, User, World


def simple_pull(world: World, at: Repository, pull: Pull, accept: str = "") -> Json:
    """A pull request, as lists have it."""
    url, web = (
        f"{views.repository_url(world, at)}/pulls/{pull.number}",
        f"{world.url}/{at.full_name}/pull/{pull.number}",
    )
    nothing = dict.fromkeys(("assignee", "milestone", "auto_merge", "active_lock_reason"))
    issue = f"{views.repository_url(world, at)}/issues/{pull.number}"
    links = {
        "url": url,
        "html_url": web,
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        "issue_url": issue,
        "commits_url": f"{url}/commits",
        "review_comments_url": f"{url}/comments",
        "review_comment_url": f"{views.repository_url(world, at)}/pulls/comments{{/number}}",
        "comments_url": f"{issue}/comments",
        "statuses_url": f"{views.repository_url(world, at)}/statuses/{pull.head}",
    }
    about: Json = {
        "id": pull.id,
        "node_id": node_id("PullRequest", pull.id),
        "number": pull.number,
        "state": pull.state,
        "title": pull.title,
        "user": views.user(world, pull.user),
        "draft": pull.draft,
        "locked": False,
        "labels": [views.label(world, at, label) for label in pull.labels],
        "assignees": [],
        "requested_teams": [],
        "requested_reviewers": [views.user(world, one) for one in pull.reviewers],
        "author_association": association(at, pull.user),
        "created_at": pull.created_at,
        "updated_at": pull.updated_at,
        "closed_at": pull.closed_at,
        "merged_at": pull.merged_at,
        "merge_commit_sha": pull.merge_commit,
        "_links": _links(links),
        "head": _side(world, pull.head_repository, pull.head_owner, pull.head_branch, pull.head),
        "base": _side(world, at, at.owner, pull.base_branch, pull.base),
    }
    return about | nothing | links | bodies(pull.body, accept)


def full_pull(world: World, at: Repository, pull: Pull, accept: str = "") -> Json:
    """A pull request, as it stands alone."""
    start = at.bare.merge_base(pull.base, pull.head) or pull.base
    changes = changes_between(at.bare, start, pull.head)
    comments = sum(comment.number == pull.number for comment in at.comments.values())
    is_open = pull.state == "open"
    return simple_pull(world, at, pull, accept) | {
        "merged": pull.merged_at is not None,
        "mergeable": pull.mergeable if is_open else None,
        "rebaseable": pull.mergeable if is_open else None,
        "mergeable_state": rules.state(world, at, pull) if is_open else "unknown",
        "merged_by": views.user(world, pull.merged_by) if pull.merged_by else None,
        "maintainer_can_modify": pull.maintainers_may_push and pull.head_repository is not at,
        "comments": comments,
        "review_comments": 0,
        "commits": at.bare.count(f"{start}..{pull.head}"),
        "additions": sum(change.additions for change in changes),
        "deletions": sum(change.deletions for change in changes),
        "changed_files": len(changes),
    }


def minimal_pull(world: World, at: Repository, pull: Pull) -> Json:
    """A pull request, as check runs and workflow runs name it."""

    def side(of: Repository | None, branch: str, sha: str) -> Json:
        of = of or at
        return {
            "ref": branch,
            "sha": sha,
            "repo": {"id": of.id, "name": of.name, "url": views.repository_url(world, of)},
        }

    url = f"{views.repository_url(world, at)}/pulls/{pull.number}"
    head = side(pull.head_repository, pull.head_branch, pull.head)
    return {
        "id": pull.id,
        "number": pull.number,
        "url": url,
        "head": head,
        "base": side(at, pull.base_branch, pull.base),
    }


def issue(world: World, at: Repository, pull: Pull, accept: str) -> Json:
    """A pull request, as an issue."""
    whole = simple_pull(world, at, pull, accept)
    url = whole["issue_url"]
    kept = (
        "number",
        "state",
        "title",
        "user",
        "labels",
        "assignee",
        "assignees",
        "milestone",
        "locked",
        "draft",
        "body",
        "body_html",
        "body_text",
        "created_at",
        "updated_at",
        "closed_at",
        "author_association",
        "active_lock_reason",
        "html_url",
        "comments_url",
        "id",
        "node_id",
    )
    linked = {name: whole[name] for name in ("url", "html_url", "diff_url", "patch_url", "merged_at")}
    return {name: whole[name] for name in kept if name in whole} | {
        "url": url,
        "repository_url": views.repository_url(world, at),
        "labels_url": f"{url}/labels{{/name}}",
        "events_url": f"{url}/events",
        "comments": sum(comment.number == pull.number for comment in at.comments.values()),
        "closed_by": views.user(world, pull.merged_by) if pull.merged_by else None,
        "pull_request": linked,
    }


def comment(world: World, at: Repository, one: Comment, accept: str = "") -> Json:
    """A comment on a pull request."""
    url = views.repository_url(world, at)
    return {
        "id": one.id,
        "node_id": node_id("IssueComment", one.id),
        "url": f"{url}/issues/comments/{one.id}",
        "html_url": f"{world.url}/{at.full_name}/pull/{one.number}#issuecomment-{one.id}",
        "issue_url": f"{url}/issues/{one.number}",
        "user": views.user(world, one.user),
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "author_association": association(at, one.user),
        "performed_via_github_app": views.app(world, one.app),
    } | bodies(one.body, accept)


def review(world: World, at: Repository, pull: Pull, one: Review, accept: str = "") -> Json:
    """A review."""
    web = f"{world.url}/{at.full_name}/pull/{pull.number}#pullrequestreview-{one.id}"
    url = f"{views.repository_url(world, at)}/pulls/{pull.number}"
    return {
        "id": one.id,
        "node_id": node_id("PullRequestReview", one.id),
        "user": views.user(world, one.user),
        "state": one.state,
        "commit_id": one.commit,
        "html_url": web,
        "pull_request_url": url,
        "submitted_at": one.submitted_at,
        "author_association": association(at, one.user),
        "_links": {"html": {"href": web}, "pull_request": {"href": url}},
    } | bodies(one.body, accept)


def association(at: Repository, user: User) -> str:
    """What somebody is to the repository."""
    if user.login == at.owner.login:
        return "OWNER"
    return "COLLABORATOR" if user.login.lower() in at.people else "NONE"


def _side(world: World, of: Repository | None, owner: User, branch: str, sha: str) -> Json:
    repository = views.repository(world, of) if of else None
    label = f"{owner.login}:{branch}"
    return {"label": label, "ref": branch, "sha": sha, "user": views.user(world, owner), "repo": repository}


def _links(links: dict[str, Any]) -> Json:
    names = {
        "self": "url",
        "html": "html_url",
        "issue": "issue_url",
        "comments": "comments_url",
        "commits": "commits_url",
        "review_comments": "review_comments_url",
        "review_comment": "review_comment_url",
        "statuses": "statuses_url",
    }
    return {name: {"href": links[key]} for name, key in names.items()}
