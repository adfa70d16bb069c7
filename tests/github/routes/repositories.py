"""Repositories and who may do what in them."""

from tests.github import views
from tests.github.exchange import Answer, Call, not_found, operation

#: The old words that `permission` still has; `role_name` has the new ones.
OLD_WORDS = {"triage": "read", "maintain": "write"}


@operation("GET REPO", "metadata")
def repository(call: Call) -> Answer:
    """The repository."""
    reader = call.token.user if call.token and call.token.app is None else None
    return Answer(200, views.full_repository(call.world, call.repository, reader))


@operation("GET REPO/forks", "metadata")
def forks(call: Call) -> Answer:
    """Its forks, newest first."""
    return call.page(call.world.forks(call.repository)[::-1], lambda one: views.repository(call.world, one))


@operation("GET REPO/collaborators/{username}", "metadata", people="write")
def is_collaborator(call: Call) -> Answer:
    """204 where somebody was invited, 404 where not."""
    login = call.params["username"].lower()
    if login in call.repository.people or login == call.repository.owner.login.lower():
        return Answer(204)
    raise not_found()


@operation("GET REPO/collaborators/{username}/permission", "metadata")
def permission(call: Call) -> Answer:
    """What somebody may do here."""
    user = call.world.users.get(call.params["username"].lower())
    if user is None:
        raise not_found()
    role = call.repository.level(user)
    flags = {"admin": "admin", "maintain": "maintain", "push": "write", "triage": "triage", "pull": "read"}
    may = {word: call.repository.may(user, level) for word, level in flags.items()}
    person = views.user(call.world, user) | {"permissions": may, "role_name": role}
    return Answer(200, {"permission": OLD_WORDS.get(role, role), "role_name": role, "user": person})
