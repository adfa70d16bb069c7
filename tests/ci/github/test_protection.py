"""``acts github protect``: the difference first, nothing without a yes, and nothing where all is well."""

from typing import Any

import pytest
from click.testing import CliRunner

from ci.commands.github import command
from ci.github.protection import difference, wanted_ruleset
from tests.ci.github.scene import NAME, Scene


def protect(scene: Scene, *more: str, token: str = "") -> tuple[int, str]:
    """The command with ``--yes`` left to the test."""
    owner = token or scene.double.user("octocat")
    return scene.acts("protect", "--app", str(scene.app), *more, token=owner)


def asked(scene: Scene, answer: str) -> tuple[int, str]:
    """The command by somebody at a terminal, who types ``answer``."""
    environment = scene.variables(scene.double.user("octocat"))
    done = CliRunner().invoke(
        command, ["protect", "--app", str(scene.app)], input=answer, env=environment, standalone_mode=False
    )
    return done.return_value if isinstance(done.return_value, int) else 3, done.output


def rulesets(scene: Scene) -> list[dict[str, Any]]:
    found = scene.ask("rulesets", token=scene.double.user("octocat"))
    return [scene.ask(f"rulesets/{one['id']}", token=scene.double.user("octocat")) for one in found]


def wrote(scene: Scene) -> list[str]:
    return [f"{call.method} {call.path}" for call in scene.double.calls if call.method != "GET"]


def test_it_shows_asks_and_writes(scene: Scene) -> None:
    code, said = asked(scene, "y\n")
    assert (
        code == 0
        and '+          "context": "Three Acts"' in said.replace("+            ", "+          ")
        and "Write this?" in said
    )
    (ruleset,) = rulesets(scene)
    assert ruleset["enforcement"] == "active" and ruleset["bypass_actors"] == []
    checks = next(rule for rule in ruleset["rules"] if rule["type"] == "required_status_checks")["parameters"]
    assert checks["strict_required_status_checks_policy"] is True
    assert checks["required_status_checks"] == [{"context": "Three Acts", "integration_id": scene.app}]
    assert "acts:train" in {label["name"] for label in scene.ask("labels", token=scene.double.user("octocat"))}


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_without_a_yes_nothing_is_written(scene: Scene, answer: str) -> None:
    code, said = asked(scene, answer)
    assert code != 0 and "Three Acts" in said
    assert not rulesets(scene) and not wrote(scene)


def test_a_second_time_there_is_nothing_to_do(scene: Scene) -> None:
    assert protect(scene, "--yes", "--check", "test")[0] == 0
    before = wrote(scene)
    code, said = protect(scene, "--check", "test")
    assert code == 0 and "as it should be" in said and wrote(scene) == before


def test_what_somebody_weakened_is_shown_and_mended(scene: Scene) -> None:
    assert protect(scene, "--yes")[0] == 0
    (ruleset,) = rulesets(scene)
    weak = {key: ruleset[key] for key in ("name", "target", "conditions", "rules")}
    weak |= {
        "enforcement": "disabled",
        "bypass_actors": [{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}],
    }
    weak["rules"] = [rule for rule in weak["rules"] if rule["type"] != "pull_request"]
    scene.double.calls.clear()
    import requests

    owner = {"Authorization": f"Bearer {scene.double.user('octocat')}"}
    url = f"{scene.double.url}/repos/{NAME}/rulesets/{ruleset['id']}"
    assert requests.put(url, json=weak, headers=owner, timeout=10).status_code == 200
    code, said = protect(scene, "--yes")
    assert code == 0
    for line in (
        '-  "enforcement": "disabled"',
        '+  "enforcement": "active"',
        '-      "actor_id": 5',
        '"require_code_owner_review": true',
    ):
        assert line in said, said
    assert protect(scene)[1].startswith("Protected: the ruleset is as it should be")


def test_who_is_no_owner_may_not(scene: Scene) -> None:
    code, said = protect(scene, "--yes", token=scene.double.user("maria"))
    assert code != 0 and ("may not" in said or "not there" in said)


# What counts as a difference. Pure.

WANTED = wanted_ruleset(7, ("test", "lint"))


def turned(value: Any) -> Any:
    """The same with every list of objects turned round, and keys that GitHub adds."""
    if isinstance(value, dict):
        return {key: turned(entry) for key, entry in reversed(value.items())} | {"added_by_github": 1}
    return [turned(entry) for entry in reversed(value)] if isinstance(value, list) else value


def test_the_order_and_what_github_adds_are_no_difference() -> None:
    assert difference(WANTED, WANTED) == difference(turned(WANTED), WANTED) == ""


def test_without_a_ruleset_all_of_it_is_new() -> None:
    lines = difference(None, WANTED).splitlines()[3:]
    assert lines and all(line.startswith("+") for line in lines)


def without(document: dict[str, Any], *path: Any) -> dict[str, Any]:
    import copy

    made = copy.deepcopy(document)
    place: Any = made
    for part in path[:-1]:
        place = place[part]
    del place[path[-1]]
    return made


@pytest.mark.parametrize(
    "path",
    [
        ("enforcement",), ("bypass_actors",), ("rules", 0), ("rules", 2, "parameters", "require_code_owner_review"),
        ("rules", 3, "parameters", "required_status_checks", 0),
        ("rules", 3, "parameters", "required_status_checks", 0, "integration_id"),
        ("conditions", "ref_name", "include"),
    ],
)  # fmt: skip
def test_what_is_missing_is_a_difference(path: tuple[Any, ...]) -> None:
    assert difference(without(WANTED, *path), WANTED)


def test_what_is_more_is_a_difference() -> None:
    assert '-      "type": "creation"' in difference(
        WANTED | {"rules": [*WANTED["rules"], {"type": "creation"}]}, WANTED
    )
    assert difference(WANTED | {"bypass_actors": [{"actor_id": 1}]}, WANTED)
    excluded = {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": ["refs/heads/main"]}}
    assert difference(WANTED | {"conditions": excluded}, WANTED)


def test_a_check_of_another_app_is_a_difference() -> None:
    assert difference(wanted_ruleset(8, ("test", "lint")), WANTED)
