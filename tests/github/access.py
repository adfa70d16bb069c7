"""Who calls, and whether they may: 401, 404 and 403 as GitHub gives them."""

import time
from typing import Any

from tests.github.exchange import GitHubError, Route, not_found
from tests.github.world import App, Repository, Token, World

RANKS = {"read": 1, "write": 2, "admin": 3}


def identify(world: World, header: str | None) -> Token | None:
    """The token in an Authorization header; None without one.

    Raises:
        GitHubError: 401, nobody has this token.
    """
    if not header:
        return None
    word, _, value = header.partition(" ")
    if word.lower() not in ("token", "bearer") or value.strip() not in world.tokens:
        raise GitHubError(401, "Bad credentials")
    return world.tokens[value.strip()]


def identify_app(world: World, header: str | None) -> App:
    """The App that signed a JSON web token (RS256, ten minutes at most).

    Raises:
        GitHubError: 401.
    """
    import jwt

    text = (header or "").partition(" ")[2]
    try:
        claims: dict[str, Any] = jwt.decode(text, options={"verify_signature": False})
        app = next(app for app in world.apps.values() if str(app.id) == str(claims["iss"]) and app.public_key)
        jwt.decode(text, app.public_key, algorithms=["RS256"], options={"require": ["exp", "iat"], "verify_iss": False})
    except (jwt.PyJWTError, StopIteration, KeyError) as error:
        raise GitHubError(401, "A JSON web token could not be decoded") from error
    if claims["exp"] > time.time() + 600:
        raise GitHubError(401, "'Expiration time' claim ('exp') is too far in the future")
    return app


def reach(world: World, token: Token | None, route: Route, owner: str, name: str) -> Repository:
    """The repository, where the token may do there what the route does.

    Raises:
        GitHubError: 404 where it may not even be seen, 401 or 403 where it may be seen but not this.
    """
    repository = world.repositories.get(f"{owner}/{name}".lower())
    if repository is None or not _sees(token, repository):
        raise not_found()
    if token is None:
        _anonymous(route)
    elif token.app is not None:
        _integration(token, route, repository)
    elif not repository.may(token.user, route.people):
        raise GitHubError(
            403, f"Must have {'admin rights' if route.people == 'admin' else 'push access'} to Repository."
        )
    return repository


def _sees(token: Token | None, repository: Repository) -> bool:
    if not repository.private:
        return True
    if token is None:
        return False
    if token.app is None:
        return repository.may(token.user, "read")
    return _is_for(token, repository)


def _is_for(token: Token, repository: Repository) -> bool:
    return token.repositories is None or repository.full_name.lower() in token.repositories


def _anonymous(route: Route) -> None:
    if route.method != "GET" or route.always:
        raise GitHubError(401, "Requires authentication")


def _integration(token: Token, route: Route, repository: Repository) -> None:
    reads = route.method == "GET"
    if reads and not repository.private and not route.always:
        return
    wanted = 1 if reads else 2
    granted = [RANKS.get(token.permissions.get(need, ""), 0) for need in route.needs]
    enough = not route.needs or max(granted) >= wanted
    if not enough or not _is_for(token, repository):
        raise GitHubError(403, "Resource not accessible by integration")
