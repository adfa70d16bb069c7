"""Labels of a repository and of its pull requests."""

import re

from tests.github import movement, views
from tests.github.exchange import Answer, Call, invalid, not_found, operation
from tests.github.world import Label, Pull

BOTH = ("issues", "pull_requests")


@operation("GET REPO/labels", *BOTH)
def labels(call: Call) -> Answer:
    """Those of the repository, by name."""
    found = sorted(call.repository.labels.values(), key=lambda one: one.name)
    return call.page(found, lambda one: views.label(call.world, call.repository, one))


@operation("POST REPO/labels", *BOTH)
def create(call: Call) -> Answer:
    """A new one."""
    asked = call.json
    _refuse(asked)
    if asked["name"].lower() in call.repository.labels:
        raise invalid("Label", "name", "already_exists")
    made = make(call, asked["name"], asked.get("color", "ededed").lower(), asked.get("description"))
    return Answer(201, views.label(call.world, call.repository, made))


@operation("GET REPO/labels/{name}", *BOTH)
def label(call: Call) -> Answer:
    """One."""
    return Answer(200, views.label(call.world, call.repository, _label(call)))


@operation("PATCH REPO/labels/{name}", *BOTH)
def edit(call: Call) -> Answer:
    """Another name, colour or description."""
    one, asked = _label(call), call.json
    _refuse(asked)
    del call.repository.labels[one.name.lower()]
    one.name, one.color = asked.get("new_name", one.name), asked.get("color", one.color)
    one.description = asked.get("description", one.description)
    call.repository.labels[one.name.lower()] = one
    return Answer(200, views.label(call.world, call.repository, one))


@operation("DELETE REPO/labels/{name}", *BOTH)
def delete(call: Call) -> Answer:
    """Gone, from its pull requests too."""
    one = _label(call)
    del call.repository.labels[one.name.lower()]
    for pull in call.repository.pulls.values():
        pull.labels = [other for other in pull.labels if other is not one]
    return Answer(204)


@operation("GET REPO/issues/{issue_number}/labels", *BOTH)
def of_pull(call: Call) -> Answer:
    """Those of a pull request."""
    return call.page(call.pull("issue_number").labels, lambda one: views.label(call.world, call.repository, one))


@operation("POST REPO/issues/{issue_number}/labels", *BOTH, people="triage")
def add(call: Call) -> Answer:
    """More of them; those that the repository doesn't have are made."""
    pull = call.pull("issue_number")
    put(call, pull, [*(one.name for one in pull.labels), *_asked(call)])
    return _all(call, pull)


@operation("PUT REPO/issues/{issue_number}/labels", *BOTH, people="triage")
def replace(call: Call) -> Answer:
    """These and no others."""
    pull = call.pull("issue_number")
    put(call, pull, _asked(call))
    return _all(call, pull)


@operation("DELETE REPO/issues/{issue_number}/labels", *BOTH, people="triage")
def remove_all(call: Call) -> Answer:
    """None."""
    put(call, call.pull("issue_number"), [])
    return Answer(204)


@operation("DELETE REPO/issues/{issue_number}/labels/{name}", *BOTH, people="triage")
def remove(call: Call) -> Answer:
    """One less; 404 where it isn't there."""
    pull, name = call.pull("issue_number"), call.params["name"].lower()
    kept = [one.name for one in pull.labels if one.name.lower() != name]
    if len(kept) == len(pull.labels):
        raise not_found()
    put(call, pull, kept)
    return _all(call, pull)


def put(call: Call, pull: Pull, names: list[str]) -> None:
    """Sets a pull request's labels, and tells what came and what went."""
    before, repository = list(pull.labels), call.repository
    wanted = [repository.labels.get(name.lower()) or make(call, name, "ededed", None) for name in dict.fromkeys(names)]
    pull.labels = list({one.id: one for one in wanted}.values())
    for action, changed in (
        ("unlabeled", [one for one in before if one not in pull.labels]),
        ("labeled", [one for one in pull.labels if one not in before]),
    ):
        for one in changed:
            told = views.label(call.world, repository, one)
            movement.tell(call.world, repository, pull, action, call.by, label=told)


def make(call: Call, name: str, color: str, description: str | None) -> Label:
    """A label that the repository doesn't have yet."""
    one = Label(call.world.next_id(), name, color, description)
    call.repository.labels[name.lower()] = one
    return one


def _refuse(asked: dict[str, str]) -> None:
    if not re.fullmatch("[0-9a-fA-F]{6}", asked.get("color", "ededed")):
        raise invalid("Label", "color")
    if len(asked.get("description") or "") > 100:
        raise invalid("Label", "description", "custom", "description is too long (maximum is 100 characters)")
    if len(asked.get("name") or "") > 50:
        raise invalid("Label", "name", "custom", "name is too long (maximum is 50 characters)")


def _asked(call: Call) -> list[str]:
    return [one if isinstance(one, str) else one["name"] for one in call.json.get("labels", [])]


def _all(call: Call, pull: Pull) -> Answer:
    return Answer(200, [views.label(call.world, call.repository, one) for one in pull.labels])


def _label(call: Call) -> Label:
    found = call.repository.labels.get(call.params["name"].lower())
    if found is None:
        raise not_found()
    return found
