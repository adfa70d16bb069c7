"""Branches."""

from tests.github import rules, views, views_git
from tests.github.exchange import Answer, Call, not_found, operation

START = "refs/heads/"


@operation("GET REPO/branches", "contents")
def branches(call: Call) -> Answer:
    """By name."""
    found = [(name.removeprefix(START), sha) for name, sha in sorted(call.bare.refs(START).items())]
    wanted = call.query.get("protected")
    found = [one for one in found if wanted in (None, str(_is_protected(call, one[0])).lower())]
    return call.page(found, lambda one: _short(call, *one))


@operation("GET REPO/branches/{branch}", "contents")
def branch(call: Call) -> Answer:
    """One, with its commit."""
    name = call.params["branch"]
    sha = call.bare.refs(START + name).get(START + name)
    if sha is None:
        raise not_found()
    url = f"{views.repository_url(call.world, call.repository)}/branches/{name}"
    links = {"self": url, "html": f"{call.world.url}/{call.repository.full_name}/tree/{name}"}
    whole = {"commit": views_git.commit(call.world, call.repository, call.bare.commit(sha)), "_links": links}
    rest = {"protection": {"enabled": False}, "protection_url": f"{url}/protection"}
    return Answer(200, _short(call, name, sha) | whole | rest)


def _short(call: Call, name: str, sha: str) -> dict[str, object]:
    url = f"{views.repository_url(call.world, call.repository)}/commits/{sha}"
    return {"name": name, "commit": {"sha": sha, "url": url}, "protected": _is_protected(call, name)}


def _is_protected(call: Call, name: str) -> bool:
    return bool(rules.rules_for(call.repository, name))
