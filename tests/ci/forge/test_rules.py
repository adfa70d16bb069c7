"""People's permissions and rulesets."""

from typing import Any

import pytest

from dagster_project.domain.errors import UsageError
from tests.ci.forge.site import MODELS, Site


def document(**changes: Any) -> dict[str, Any]:
    parts = {
        "name": "acts",
        "target": "branch",
        "enforcement": "active",
        "bypass_actors": [],
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [{"type": "deletion"}, {"type": "non_fast_forward"}],
    }
    return parts | changes


def test_permissions_are_told_apart(site: Site) -> None:
    for level in ("admin", "maintain", "write", "triage", "read", "none"):
        site.double.user("somebody", {MODELS: level})
        assert site.gate.permission("somebody") == level


def test_a_stranger_may_nothing_and_nobody_even_less(site: Site) -> None:
    site.double.user("stranger")
    assert site.gate.permission("stranger") == "none"
    assert site.gate.permission("no-such-person") == "none"


def test_a_strange_login_asks_for_nothing(site: Site) -> None:
    assert site.gate.permission("acts-gate[bot]") == "none"
    before = len(site.double.calls)
    for login in ("../../user", "a/b", "a?b", "a#b", "", "..", "a\n"):
        assert site.gate.permission(login) == "none"
    assert len(site.double.calls) == before


def test_a_ruleset_is_put_read_and_put_again(site: Site) -> None:
    owner = site.connect(site.double.user("octocat"))
    assert owner.ruleset("acts") is None
    owner.put_ruleset(document())
    assert owner.ruleset("acts") == document()
    owner.put_ruleset(document(enforcement="evaluate", rules=[]))
    assert owner.ruleset("acts") == document(enforcement="evaluate", rules=[])
    assert len(site.double.world.repository(MODELS).rulesets) == 1
    assert owner.ruleset("other") is None


@pytest.mark.parametrize("fault", [{"lost": True}, {"lost": True, "done": False}])
def test_a_lost_answer_puts_one(site: Site, fault: dict[str, object]) -> None:
    owner = site.connect(site.double.user("octocat"))
    for rules in ([{"type": "deletion"}], []):
        site.double.faults.next("POST|PUT", "rulesets", **fault)  # type: ignore[arg-type]
        owner.put_ruleset(document(rules=rules))
        assert owner.ruleset("acts") == document(rules=rules)
    assert len(site.double.world.repository(MODELS).rulesets) == 1 and len(site.double.faults.met) == 2


def test_the_gate_may_not_put_rules(site: Site) -> None:
    with pytest.raises(UsageError, match="the ruleset acts in acme/models: the token may not"):
        site.gate.put_ruleset(document())
