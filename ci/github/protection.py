"""The ruleset that makes the verdict count: our App's check alone, code owners, no way around."""

import difflib
import json
from collections.abc import Sequence
from typing import Any

from ci.github.telling import CHECK

NAME = "Three Acts"
ACTIONS = 15368
"""Id of the App GitHub Actions on github.com."""


def wanted_ruleset(app: int, more_checks: Sequence[str] = ()) -> dict[str, Any]:
    """The ruleset of the default branch, as GitHub's API takes it.

    ``app`` is the id of the App that judges: a check of the same name from anybody else satisfies nothing.
    ``more_checks``: names of jobs that GitHub Actions has to pass too.
    """
    own = [{"context": CHECK, "integration_id": app}]
    return {
        "name": NAME,
        "target": "branch",
        "enforcement": "active",
        "bypass_actors": [],
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [
            {"type": "deletion"},
            {"type": "non_fast_forward"},
            {
                "type": "pull_request",
                "parameters": {
                    "required_approving_review_count": 1,
                    "dismiss_stale_reviews_on_push": True,
                    "require_code_owner_review": True,
                    "require_last_push_approval": True,
                    "required_review_thread_resolution": True,
                },
            },
            {
                "type": "required_status_checks",
                "parameters": {
                    "strict_required_status_checks_policy": True,
                    "required_status_checks": own + [_of_actions(name) for name in more_checks],
                },
            },
        ],
    }


def _of_actions(name: str) -> dict[str, Any]:
    """A job of a workflow: a commit status of its name, which anybody who may write can set, is none."""
    return {"context": name, "integration_id": ACTIONS}


def difference(current: dict[str, Any] | None, wanted: dict[str, Any]) -> str:
    """What would change, as a unified diff; empty where nothing would. What GitHub adds by itself is left out."""
    before = "" if current is None else _text(_narrowed(current, wanted))
    lines = difflib.unified_diff(before.splitlines(True), _text(wanted).splitlines(True), "on GitHub", "wanted")
    return "".join(lines)


def _narrowed(current: Any, wanted: Any) -> Any:
    """The parts of ``current`` that ``wanted`` speaks of; rules that nobody wants stay, to be seen."""
    if isinstance(current, dict) and isinstance(wanted, dict):
        return {key: _narrowed(current[key], value) for key, value in wanted.items() if key in current}
    if isinstance(current, list) and wanted and isinstance(wanted, list) and isinstance(wanted[0], dict):
        return _narrowed_list(current, wanted)
    return current


def _narrowed_list(current: list[Any], wanted: list[Any]) -> list[Any]:
    """Rules by type and checks by name, in the order of ``wanted``; the others behind them."""
    order = [_key(entry) for entry in wanted]
    known = sorted((e for e in current if _key(e) in order), key=lambda entry: order.index(_key(entry)))
    others = [entry for entry in current if _key(entry) not in order]
    return [_narrowed(entry, wanted[order.index(_key(entry))]) for entry in known] + others


def _key(entry: dict[str, Any]) -> str:
    return str(entry.get("type") or entry.get("context"))


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True) + "\n"
