"""What each workflow and each action of ours keeps to, beyond what linters ask: problems, as sentences."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.workflows.pins import PINS, STANDINS

_UNTRUSTED = re.compile(r"head|refs/pull|pull_request|workflow_run")
_PINNED = re.compile(r"^([\w.-]+/[\w.-]+)@([0-9a-f]{40})$")


def of_workflow(file: Path) -> list[str]:
    """The problems of a workflow file, in the order of its lines as far as may be."""
    text = file.read_text()
    workflow = yaml.safe_load(text)
    on = triggers(workflow)
    found = [*_top(workflow, on), *_pins(text)]
    for name, job in workflow["jobs"].items():
        found += [f"{name}: {problem}" for problem in _job(job, on)]
    if "pull_request" in on:
        found += _strangers(file, workflow, text)
    return found


def of_action(file: Path) -> list[str]:
    """The problems of a composite action."""
    text = file.read_text()
    steps = yaml.safe_load(text)["runs"]["steps"]
    shells = [
        f"step {index} does not run in bash"
        for index, step in enumerate(steps)
        if "run" in step and step.get("shell") != "bash"
    ]
    return [*_pins(text), *shells, *(problem for step in steps for problem in _step(step))]


def triggers(workflow: Mapping[Any, Any]) -> set[str]:
    """What starts it. YAML 1.1 takes the key ``on`` for true."""
    on = workflow.get("on", workflow.get(True))
    return {on} if isinstance(on, str) else set(on)


def _top(workflow: Mapping[Any, Any], on: set[str]) -> Iterator[str]:
    if workflow.get("permissions") != {}:
        yield "permissions are not {} at the top: each job names its own"
    if on != {"workflow_call"} and "concurrency" not in workflow:
        yield "no concurrency group"
    if workflow.get("defaults") != {"run": {"shell": "bash"}}:
        yield "defaults.run.shell is not bash: without it a failing pipe passes"


def _pins(text: str) -> Iterator[str]:
    """Each action by the commit of a release that is in the table, with its tag beside it."""
    for uses, comment in re.findall(r"^\s*(?:- )?uses: (\S+)(?: # (.*))?$", text, re.MULTILINE):
        if uses.startswith("./"):
            continue
        pinned = _PINNED.match(uses)
        pin = PINS.get(pinned[1]) if pinned else None
        if pin is None or pinned is None or pinned[2] != pin.commit:
            yield f"{uses} is not a release in tests/workflows/pins.py"
        elif not comment.startswith(pin.tag):
            yield f"{uses} has no comment {pin.tag}"


def _job(job: Mapping[str, Any], on: set[str]) -> Iterator[str]:
    if "permissions" not in job:
        yield "no permissions"
    yield from _matrix(job.get("strategy", {}))
    if "uses" in job:
        return
    if not isinstance(job.get("timeout-minutes"), int):
        yield "no timeout-minutes"
    if job["runs-on"] != "ubuntu-24.04":
        yield f"runs on {job['runs-on']}, not on ubuntu-24.04"
    if any("shell" in step for step in job["steps"]):
        yield "a shell of its own: steps run in bash"
    for step in job["steps"]:
        yield from _step(step)
        if on & {"pull_request_target", "workflow_run", "issue_comment"} and _is_of_a_stranger(step):
            yield "checks out a stranger's code where secrets are"


def _matrix(strategy: Mapping[str, Any]) -> Iterator[str]:
    if "matrix" not in strategy:
        return
    if strategy.get("fail-fast") is not False:
        yield "fail-fast is not false: one that fails would end the others"
    for expression in re.findall(r"fromJSON\(([^)]*)\)", str(strategy["matrix"])):
        if not re.search(r"\|\|\s*'", expression):
            yield f"fromJSON({expression}) has no || '[]': it breaks where the job before has failed"


def _step(step: Mapping[str, Any]) -> Iterator[str]:
    if "${{" in step.get("run", ""):
        yield "an expression within run: hand it over in env"
    action, given = step.get("uses", "").split("@")[0], step.get("with", {})
    if action == "actions/checkout" and given.get("persist-credentials") is not False:
        yield "checkout without persist-credentials: false"
    if action.startswith("actions/cache") or any(name.startswith("cache") for name in given):
        yield "a cache, which others may have written"
    if (STANDINS / action / "action.yml").is_file():
        known = yaml.safe_load((STANDINS / action / "action.yml").read_text())["inputs"]
        yield from (f"{action} has no input {name} that its stand-in knows" for name in given if name not in known)


def _is_of_a_stranger(step: Mapping[str, Any]) -> bool:
    given = step.get("with", {})
    wanted = f"{given.get('ref', '')} {given.get('repository', '')}"
    return step.get("uses", "").startswith("actions/checkout@") and bool(_UNTRUSTED.search(wanted))


def _strangers(file: Path, workflow: Mapping[Any, Any], text: str) -> Iterator[str]:
    """What a pull request's own workflow file may not have: whoever opens one writes it."""
    if re.search(r"secrets\.(?!GITHUB_TOKEN\b)|secrets: inherit|secrets\[", text):
        yield "secrets in a workflow that pull requests start"
    for name, job in workflow["jobs"].items():
        if "environment" in job:
            yield f"{name}: an environment in a workflow that pull requests start"
        if "write" in dict(job.get("permissions", {})).values():
            yield f"{name}: a right to write in a workflow that pull requests start"
        if str(job.get("uses", "")).startswith("./"):
            called = file.parent / Path(job["uses"]).name
            yield from _strangers(called, yaml.safe_load(called.read_text()), called.read_text())
