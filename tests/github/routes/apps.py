"""Apps, their installations and tokens."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.github import views
from tests.github.access import identify_app
from tests.github.exchange import Answer, Call, GitHubError, not_found, operation
from tests.github.world import App, Installation, Token, World

RANKS = {"read": 1, "write": 2, "admin": 3}


@operation("GET /app")
def own_app(call: Call) -> Answer:
    """The App that signed."""
    return Answer(200, views.app(call.world, _app(call)))


@operation("GET /apps/{app_slug}")
def app(call: Call) -> Answer:
    """Anybody's App."""
    found = call.world.apps.get(call.params["app_slug"])
    if found is None:
        raise not_found()
    return Answer(200, views.app(call.world, found))


@operation("GET /app/installations/{installation_id}")
def installation(call: Call) -> Answer:
    """One of the App that signed."""
    return Answer(200, views.installation(call.world, _installation(call)))


@operation("GET REPO/installation")
def installation_here(call: Call) -> Answer:
    """Where the App that signed is installed on a repository."""
    signer, name = _app(call), "{owner}/{repo}".format_map(call.params).lower()
    for one in call.world.installations.values():
        if one.app is signer and name in one.repositories:
            return Answer(200, views.installation(call.world, one))
    raise not_found()


@operation("POST /app/installations/{installation_id}/access_tokens")
def access_token(call: Call) -> Answer:
    """A token for an hour, with no more than was given to the App."""
    one = _installation(call)
    owner = one.account.login.lower()
    names = {f"{owner}/{name}".lower() for name in call.json.get("repositories", [])}
    ids = set(call.json.get("repository_ids", []))
    names |= {known.full_name.lower() for known in call.world.repositories.values() if known.id in ids}
    if not names <= one.repositories:
        raise GitHubError(
            422, "There is at least one repository that does not exist or is not accessible to the parent installation."
        )
    value = make_token(call.world, one, call.json.get("permissions"), names)
    end = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    rights = {"metadata": "read"} | call.world.tokens[value].permissions
    return Answer(201, {"token": value, "expires_at": end, "permissions": rights, "repository_selection": "selected"})


def make_token(
    world: World, one: Installation, permissions: dict[str, str] | None = None, names: set[str] | None = None
) -> str:
    """An installation's token.

    Raises:
        GitHubError: 422, it wants more than the App has.
    """
    wanted = one.app.permissions if permissions is None else permissions
    more = {key for key, level in wanted.items() if RANKS[level] > RANKS.get(one.app.permissions.get(key, ""), 0)}
    if more - {"metadata"}:
        raise GitHubError(422, "The permissions requested are not granted to this installation.")
    value = f"ghs_{one.app.slug.replace('-', '')}{world.next_id():030d}"
    world.tokens[value] = Token(one.app.bot, one.app, dict(wanted), frozenset(names or one.repositories))
    return value


@operation("GET /user")
def own_user(call: Call) -> Answer:
    """The user whose token it is."""
    if call.token is None:
        raise GitHubError(401, "Requires authentication")
    if call.token.app is not None:
        raise GitHubError(403, "Resource not accessible by integration")
    names = ("private_gists", "total_private_repos", "owned_private_repos", "disk_usage", "collaborators")
    private = dict.fromkeys(names, 0) | {"two_factor_authentication": True, "user_view_type": "private"}
    return Answer(200, views.full_user(call.world, call.token.user) | private)


@operation("GET /users/{username}")
def user(call: Call) -> Answer:
    """Anybody."""
    found = call.world.users.get(call.params["username"].lower())
    if found is None:
        raise not_found()
    return Answer(200, views.full_user(call.world, found))


@operation("GET /rate_limit")
def rate_limit(call: Call) -> Answer:
    """What is left; asking costs nothing."""
    rate: dict[str, Any] = {"limit": 5000, "remaining": 5000, "used": 0, "reset": 4102444800}
    return Answer(200, {"rate": rate, "resources": {"core": rate, "search": rate}})


def _app(call: Call) -> App:
    return identify_app(call.world, call.headers.get("authorization"))


def _installation(call: Call) -> Installation:
    signer, found = _app(call), call.world.installations.get(call.number("installation_id"))
    if found is None or found.app is not signer:
        raise not_found()
    return found
