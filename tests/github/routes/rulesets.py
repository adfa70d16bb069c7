"""Rulesets of branches."""

from typing import Any

from tests.github import rules, views
from tests.github.exchange import Answer, Call, GitHubError, node_id, not_found, operation
from tests.github.world import now

ASKED = ("name", "target", "enforcement", "bypass_actors", "conditions", "rules")


@operation("GET REPO/rulesets", "metadata")
def rulesets(call: Call) -> Answer:
    """Their names; rules and conditions are in each one alone."""
    short = (
        "id",
        "name",
        "target",
        "source_type",
        "source",
        "enforcement",
        "node_id",
        "_links",
        "created_at",
        "updated_at",
    )
    return call.page(list(call.repository.rulesets.values()), lambda one: {key: one[key] for key in short})


@operation("POST REPO/rulesets", "administration", people="admin")
def create(call: Call) -> Answer:
    """A new one."""
    asked = call.json
    if any(one["name"] == asked["name"] for one in call.repository.rulesets.values()):
        raise GitHubError(
            422,
            "Validation Failed",
            [{"resource": "RepositoryRuleset", "code": "custom", "message": "Name must be unique"}],
        )
    id, at = call.world.next_id(), call.repository
    links = {"self": {"href": f"{views.repository_url(call.world, at)}/rulesets/{id}"}}
    links["html"] = {"href": f"{call.world.url}/{at.full_name}/rules/{id}"}
    made: dict[str, Any] = {
        "id": id,
        "node_id": node_id("Ruleset", id),
        "source_type": "Repository",
        "source": at.full_name,
    }
    made |= {
        "target": "branch",
        "bypass_actors": [],
        "conditions": {"ref_name": {"include": [], "exclude": []}},
        "rules": [],
    }
    made |= {"_links": links, "created_at": now(), "updated_at": now()}
    at.rulesets[id] = made | {key: asked[key] for key in ASKED if key in asked}
    return Answer(201, _whole(call, at.rulesets[id]))


@operation("GET REPO/rulesets/{ruleset_id}", "metadata")
def ruleset(call: Call) -> Answer:
    """One. Who bypasses it is shown to those who may write it."""
    return Answer(200, _whole(call, _ruleset(call)))


@operation("PUT REPO/rulesets/{ruleset_id}", "administration", people="admin")
def update(call: Call) -> Answer:
    """Other values for those that are given."""
    one = _ruleset(call)
    one |= {key: call.json[key] for key in ASKED if key in call.json} | {"updated_at": now()}
    return Answer(200, _whole(call, one))


@operation("DELETE REPO/rulesets/{ruleset_id}", "administration", people="admin")
def delete(call: Call) -> Answer:
    """Gone."""
    del call.repository.rulesets[_ruleset(call)["id"]]
    return Answer(204)


@operation("GET REPO/rules/branches/{branch}", "metadata")
def of_branch(call: Call) -> Answer:
    """Rules that hold for a branch, of all rulesets together."""
    found = rules.rules_for(call.repository, call.params["branch"])
    named = {"ruleset_source_type": "Repository", "ruleset_source": call.repository.full_name}
    return call.page(found, lambda one: {key: value for key, value in one.items() if key != "source"} | named)


def _whole(call: Call, one: dict[str, Any]) -> dict[str, Any]:
    by = call.token
    may = by is not None and (
        by.permissions.get("administration") == "write" if by.app else call.repository.may(by.user, "admin")
    )
    return {key: value for key, value in one.items() if may or key != "bypass_actors"}


def _ruleset(call: Call) -> dict[str, Any]:
    found = call.repository.rulesets.get(call.number("ruleset_id"))
    if found is None:
        raise not_found()
    return found
