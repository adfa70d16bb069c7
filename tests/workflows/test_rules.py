"""Our own rules for workflows, actions and code owners: kept, and able to see what breaks them."""

import re
from pathlib import Path

import pytest

from dagster_project.domain.fingerprint import ROOT
from tests.workflows import rules
from tests.workflows.pins import PINS

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTIONS = sorted((GITHUB / "actions").glob("*/action.yml"))
CHECKOUT = f"actions/checkout@{PINS['actions/checkout'].commit} # {PINS['actions/checkout'].tag}"

GOOD = f"""\
name: try
on: pull_request
permissions: {{}}
concurrency: try
defaults: {{run: {{shell: bash}}}}
jobs:
  a:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions: {{contents: read}}
    strategy:
      fail-fast: false
      matrix: {{x: "${{{{ fromJSON(needs.b.outputs.x || '[]') }}}}"}}
    steps:
      - uses: {CHECKOUT}
        with: {{persist-credentials: false}}
      - run: echo
"""


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_workflows_keep_the_rules(file):
    assert rules.of_workflow(file) == []


@pytest.mark.parametrize("file", ACTIONS, ids=lambda file: file.parent.name)
def test_actions_keep_the_rules(file):
    assert rules.of_action(file) == []


def test_the_example_that_the_next_test_breaks_keeps_the_rules(tmp_path):
    (tmp_path / "good.yml").write_text(GOOD)
    assert rules.of_workflow(tmp_path / "good.yml") == []


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("permissions: {}\n", "", "not {} at the top"),
        ("concurrency: try\n", "", "no concurrency"),
        ("shell: bash", "shell: sh", "failing pipe"),
        ("    timeout-minutes: 5\n", "", "no timeout-minutes"),
        ("    permissions: {contents: read}\n", "", "no permissions"),
        ("contents: read", "contents: write", "right to write"),
        ("    timeout-minutes: 5\n", "    timeout-minutes: 5\n    environment: prod\n", "an environment"),
        ("run: echo", "run: echo\n        env: {A: '${{ secrets.KEY }}'}", "secrets in a workflow"),
        ("run: echo", "run: echo ${{ github.event.pull_request.title }}", "expression within run"),
        ("run: echo", "run: print()\n        shell: python", "a shell of its own"),
        ("{persist-credentials: false}", "{fetch-depth: 0}", "persist-credentials"),
        ("persist-credentials: false", "persist-credentials: false, fetch-dept: 0", "no input fetch-dept"),
        (PINS["actions/checkout"].commit, "v7", "not a release"),
        (PINS["actions/checkout"].commit, "0" * 40, "not a release"),
        (f" # {PINS['actions/checkout'].tag}", " # v1", "has no comment"),
        ("run: echo", f"uses: actions/cache@{'0' * 40} # v1", "a cache"),
        ("run: echo", "uses: x/y@v1\n        with: {cache: pip}", "a cache"),
        ("fail-fast: false", "fail-fast: true", "would end the others"),
        (" || '[]'", "", "breaks where the job before"),
        ("ubuntu-24.04", "self-hosted", "runs on self-hosted"),
    ],
)
def test_what_breaks_a_rule_is_seen(tmp_path, before, after, problem):
    assert before in GOOD
    (tmp_path / "bad.yml").write_text(GOOD.replace(before, after))
    assert any(problem in found for found in rules.of_workflow(tmp_path / "bad.yml"))


@pytest.mark.parametrize("trigger", ["pull_request_target", "workflow_run"])
@pytest.mark.parametrize("ref", ["github.event.pull_request.head.sha", "github.event.workflow_run.head_sha"])
def test_a_trusted_workflow_does_not_check_out_a_strangers_code(tmp_path, trigger, ref):
    bad = GOOD.replace("on: pull_request", f"on: {trigger}").replace("s: false", f's: false, ref: "${{{{ {ref} }}}}"')
    (tmp_path / "bad.yml").write_text(bad)
    assert rules.of_workflow(tmp_path / "bad.yml") == ["a: checks out a stranger's code where secrets are"]


def test_what_a_pull_requests_workflow_calls_is_held_to_the_same(tmp_path):
    call = "name: try\non: pull_request\njobs: {a: {uses: ./.github/workflows/called.yml, permissions: {}}}\n"
    (tmp_path / "calling.yml").write_text(call)
    (tmp_path / "called.yml").write_text(GOOD.replace("contents: read", "contents: write"))
    assert any("right to write" in found for found in rules.of_workflow(tmp_path / "calling.yml"))


def test_torch_is_named_alike_wherever_it_is_installed():
    files = [ROOT / "Makefile", ROOT / "pyproject.toml", GITHUB / "actions" / "setup" / "action.yml"]
    assert len({found for file in files for found in re.findall(r"torch==[\w.]+", file.read_text())}) == 1


def owner_lines() -> list[str]:
    """The patterns of CODEOWNERS, in order."""
    lines = (GITHUB / "CODEOWNERS").read_text().splitlines()
    return [line.split()[0] for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("pattern", owner_lines())
def test_each_code_owners_line_matches_something_that_can_exist(pattern):
    if pattern == "*":
        return
    assert pattern.startswith("/")
    path = Path(pattern.strip("/"))
    assert (ROOT / path).exists() or list(ROOT.glob(str(path.parent))), f"nothing is at {pattern}"


@pytest.mark.parametrize("path", [".github/", "ci/", "dagster_project/", "data_contracts/", "models/floor.yaml"])
def test_what_everybody_trusts_has_owners(path):
    assert f"/{path}" in owner_lines()
