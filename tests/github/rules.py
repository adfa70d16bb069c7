"""What branch rulesets ask of a merge and of a push. Answers with what is missing, in GitHub's words."""

from fnmatch import fnmatchcase
from typing import Any

from tests.github import owners
from tests.github.world import CheckRun, Pull, Repository, Review, Token, World

Rule = dict[str, Any]
GOOD = ("success", "neutral", "skipped")
#: RepositoryRole's actor_id, as GitHub's description of rulesets lists it.
ROLES = {2: "maintain", 4: "write", 5: "admin"}


def rules_for(at: Repository, branch: str, by: Token | None = None, merging: bool = False) -> list[Rule]:
    """The rules that hold for a branch; those that ``by`` may bypass are left out."""
    active = [one for one in at.rulesets.values() if one["enforcement"] == "active" and _matches(at, one, branch)]
    binding = [one for one in active if by is None or not _bypasses(at, one, by, merging)]
    return [
        rule | {"ruleset_id": one["id"], "source": at.full_name} for one in binding for rule in one.get("rules", [])
    ]


def merge_problems(world: World, at: Repository, pull: Pull, by: Token | None = None) -> list[str]:
    """Why this pull request can't be merged; empty where it can."""
    problems: list[str] = []
    for rule in rules_for(at, pull.base_branch, by, merging=True):
        more = rule.get("parameters", {})
        if rule["type"] == "pull_request":
            problems += _review_problems(world, at, pull, more)
        if rule["type"] == "required_status_checks":
            problems += check_problems(at, pull.head, more)
            behind = more["strict_required_status_checks_policy"] and not at.bare.is_ancestor(pull.base, pull.head)
            problems += ["Head branch is out of date."] if behind else []
    return problems


def push_problems(at: Repository, branch: str, old: str | None, new: str | None, by: Token) -> list[str]:
    """Why a branch may not be moved from ``old`` to ``new`` (None: it isn't there) without a pull request."""
    problems: list[str] = []
    for rule in rules_for(at, branch, by):
        problems += _push_problems(at, rule, old, new)
    return problems


def _push_problems(at: Repository, rule: Rule, old: str | None, new: str | None) -> list[str]:
    kind, more = rule["type"], rule.get("parameters", {})
    if new is None:
        return ["Cannot delete this branch"] if kind == "deletion" else []
    if kind == "non_fast_forward" and old and not at.bare.is_ancestor(old, new):
        return ["Cannot force-push to this branch"]
    if kind == "creation" and old is None:
        return ["Cannot create ref due to creations being restricted."]
    if kind == "update" and old:
        return ["Cannot update this protected ref."]
    if kind == "pull_request" and old:
        return ["Changes must be made through a pull request."]
    if kind == "required_status_checks" and not (old is None and more.get("do_not_enforce_on_create")):
        return check_problems(at, new, more)
    return []


def check_problems(at: Repository, sha: str, more: Rule) -> list[str]:
    """Required checks that haven't passed on a commit. One that is bound to an App counts from that App only."""
    problems = []
    for wanted in more["required_status_checks"]:
        name, app = wanted["context"], wanted.get("integration_id")
        states = [_state(run) for run in latest_checks(at, sha) if run.name == name and app in (None, run.app.id)]
        states += [
            one.state
            for one in latest_statuses(at, sha)
            if one.context == name and app in (None, one.app and one.app.id)
        ]
        if not states:
            problems.append(f'Required status check "{name}" is expected.')
        elif any(state not in GOOD for state in states):
            problems.append(
                f'Required status check "{name}" is {next(state for state in states if state not in GOOD)}.'
            )
    return problems


def latest_checks(at: Repository, sha: str) -> list[CheckRun]:
    """The newest check run of each App and name on a commit, oldest first."""
    newest = {(run.app.id, run.name): run for run in at.checks.values() if run.head == sha}
    return sorted(newest.values(), key=lambda run: run.id)


def latest_statuses(at: Repository, sha: str) -> list[Any]:
    """The newest status of each context on a commit."""
    return list({one.context: one for one in at.statuses if one.sha == sha}.values())


def standing_reviews(at: Repository, pull: Pull) -> list[Review]:
    """The last word of each reviewer who may write; a mere comment takes no word back."""
    words: dict[str, Review] = {}
    for review in pull.reviews:
        if review.state != "COMMENTED" and at.may(review.user, "write"):
            words[review.user.login] = review
    return list(words.values())


def state(world: World, at: Repository, pull: Pull) -> str:
    """mergeable_state: the one word for all of it."""
    if not pull.mergeable:
        return "dirty"
    if pull.draft:
        return "draft"
    problems = merge_problems(world, at, pull)
    if problems:
        return "behind" if problems == ["Head branch is out of date."] else "blocked"
    failed = any(_state(run) not in GOOD for run in latest_checks(at, pull.head))
    return "unstable" if failed else "clean"


def _review_problems(world: World, at: Repository, pull: Pull, more: Rule) -> list[str]:
    standing = standing_reviews(at, pull)
    approvals = {one.user.login.lower() for one in standing if one.state == "APPROVED"}
    problems = []
    if any(one.state == "CHANGES_REQUESTED" for one in standing):
        problems.append("Changes have been requested.")
    count = more["required_approving_review_count"]
    if len(approvals) < count:
        problems.append(f"At least {count} approving review is required by reviewers with write access.")
    if more["require_last_push_approval"] and pull.pusher and not approvals - {pull.pusher.login.lower()}:
        problems.append("New changes require approval from someone other than the last pusher.")
    if more["require_code_owner_review"] and owners.missing(world, at, pull, approvals):
        problems.append("Waiting on code owner review.")
    return problems


def _state(run: CheckRun) -> str:
    return str(run.conclusion) if run.status == "completed" else "expected"


def _matches(at: Repository, ruleset: Rule, branch: str) -> bool:
    if ruleset.get("target", "branch") != "branch":
        return False
    names = ((ruleset.get("conditions") or {}).get("ref_name")) or {}

    def any_of(patterns: list[str]) -> bool:
        return any(_fits(at, pattern, branch) for pattern in patterns)

    return any_of(names.get("include", [])) and not any_of(names.get("exclude", []))


def _fits(at: Repository, pattern: str, branch: str) -> bool:
    special = {"~ALL": True, "~DEFAULT_BRANCH": branch == at.default_branch}
    return special.get(pattern, fnmatchcase(f"refs/heads/{branch}", pattern))


def _bypasses(at: Repository, ruleset: Rule, by: Token, merging: bool) -> bool:
    return any(_is_actor(at, actor, by, merging) for actor in ruleset.get("bypass_actors", []))


def _is_actor(at: Repository, actor: Rule, by: Token, merging: bool) -> bool:
    if actor.get("bypass_mode", "always") == "pull_request" and not merging:
        return False
    if actor["actor_type"] == "Integration":
        return by.app is not None and by.app.id == actor["actor_id"]
    if by.app is not None:
        return False
    if actor["actor_type"] == "User":
        return by.user.id == actor["actor_id"]
    role = ROLES.get(actor.get("actor_id") or 0, "admin")
    return actor["actor_type"] == "RepositoryRole" and at.may(by.user, role)
