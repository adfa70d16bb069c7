"""How GitHub writes users, Apps, repositories and labels. All answers are JSON values."""

from typing import Any
from urllib.parse import quote

from tests.github.exchange import node_id
from tests.github.world import App, Installation, Label, Repository, User, World

Json = dict[str, Any]
USER_LINKS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
REPOSITORY_LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}


def user(world: World, of: User) -> Json:
    """A user, an organization or a bot, as they stand inside other things."""
    login = quote(of.login)
    url, web = f"{world.url}/users/{login}", f"{world.url}/{login}"
    links = {name: url + suffix for name, suffix in USER_LINKS.items()}
    about = {"login": of.login, "id": of.id, "node_id": node_id("User", of.id), "type": of.type, "site_admin": False}
    return about | {"url": url, "html_url": web, "avatar_url": f"{web}.png", "gravatar_id": ""} | links


def full_user(world: World, of: User) -> Json:
    """A user, as they stand alone."""
    empty = dict.fromkeys(("name", "company", "location", "email", "hireable", "bio", "twitter_username"))
    counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    dates = {"created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z"}
    return user(world, of) | empty | {"blog": "", "user_view_type": "public"} | counts | dates


def app(world: World, of: App | None) -> Json | None:
    """An App, as it stands inside other things."""
    if of is None:
        return None
    web = f"{world.url}/apps/{of.slug}"
    about = {"id": of.id, "slug": of.slug, "node_id": node_id("App", of.id), "name": of.slug, "description": ""}
    dates = {"created_at": of.created_at, "updated_at": of.created_at}
    rights = {"permissions": {"metadata": "read"} | of.permissions, "events": []}
    return about | dates | rights | {"owner": user(world, of.owner), "external_url": web, "html_url": web}


def installation(world: World, of: Installation) -> Json:
    """An App's installation."""
    url = f"{world.url}/app/installations/{of.id}"
    return {
        "id": of.id,
        "account": user(world, of.account),
        "app_id": of.app.id,
        "app_slug": of.app.slug,
        "events": [],
        "target_id": of.account.id,
        "target_type": of.account.type,
        "permissions": {"metadata": "read"} | of.app.permissions,
        "repository_selection": "selected",
        "single_file_name": None,
        "suspended_at": None,
        "suspended_by": None,
        "created_at": of.created_at,
        "updated_at": of.created_at,
        "access_tokens_url": f"{url}/access_tokens",
        "repositories_url": f"{world.url}/installation/repositories",
        "html_url": f"{world.url}/settings/installations/{of.id}",
    }


def repository(world: World, of: Repository) -> Json:
    """A repository, as it stands inside other things."""
    url, web = repository_url(world, of), f"{world.url}/{of.full_name}"
    links = {name: url + suffix for name, suffix in REPOSITORY_LINKS.items()}
    opened = sum(pull.state == "open" for pull in of.pulls.values())
    forks = len(world.forks(of))
    counts = {"forks": forks, "forks_count": forks, "open_issues": opened, "open_issues_count": opened, "size": 0}
    counts |= dict.fromkeys(("stargazers_count", "watchers", "watchers_count"), 0)
    flags = dict.fromkeys(("has_issues", "has_projects", "has_wiki", "has_downloads"), True)
    flags |= dict.fromkeys(("archived", "disabled", "has_pages", "has_discussions", "is_template"), False)
    about = {
        "id": of.id,
        "node_id": node_id("Repository", of.id),
        "name": of.name,
        "full_name": of.full_name,
        "private": of.private,
        "visibility": "private" if of.private else "public",
        "owner": user(world, of.owner),
        "description": None,
        "fork": of.parent is not None,
        "homepage": None,
        "language": None,
        "license": None,
        "mirror_url": None,
        "default_branch": of.default_branch,
        "topics": [],
        "allow_forking": True,
        "web_commit_signoff_required": False,
        "created_at": of.created_at,
        "updated_at": of.created_at,
        "pushed_at": of.created_at,
        "url": url,
        "html_url": web,
        "clone_url": f"{web}.git",
        "git_url": f"{web}.git",
        "ssh_url": f"{web}.git",
        "svn_url": web,
    }
    return about | counts | flags | links


def full_repository(world: World, of: Repository, reader: User | None) -> Json:
    """A repository, as it stands alone."""
    levels = {"admin": "admin", "maintain": "maintain", "push": "write", "triage": "triage", "pull": "read"}
    may = {word: reader is not None and of.may(reader, level) for word, level in levels.items()}
    merges = dict.fromkeys(("allow_merge_commit", "allow_squash_merge", "allow_rebase_merge"), True)
    more = merges | {"network_count": len(world.forks(of)), "subscribers_count": 0, "permissions": may}
    if of.parent is not None:
        more |= {"parent": repository(world, of.parent), "source": repository(world, of.parent)}
    return repository(world, of) | more | {"delete_branch_on_merge": False, "allow_auto_merge": False}


def label(world: World, of: Repository, one: Label) -> Json:
    """A label."""
    about = {"id": one.id, "node_id": node_id("Label", one.id), "name": one.name, "color": one.color}
    url = f"{repository_url(world, of)}/labels/{quote(one.name)}"
    return about | {"description": one.description, "default": False, "url": url}


def repository_url(world: World, of: Repository) -> str:
    """Where the API has it."""
    return f"{world.url}/repos/{of.full_name}"


def bodies(text: str | None, accept: str) -> Json:
    """A text as the client wants it: plain, or rendered beside it."""
    full = {"body": text, "body_text": text or "", "body_html": f"<p>{text or ''}</p>"}
    return full if "full" in accept else {"body": text}
