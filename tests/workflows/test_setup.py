"""The set-up actions: what they install, and that the core comes alone."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.domain.fingerprint import ROOT
from tests.workflows.acting import Acted
from tests.workflows.conftest import git
from tests.workflows.pins import PINS

CHECKOUT = f"actions/checkout@{PINS['actions/checkout'].commit}"
PYTHON = f"actions/setup-python@{PINS['actions/setup-python'].commit}"
SETUP = f"""
  up:
    runs-on: ubuntu-24.04
    steps:
      - {{uses: {CHECKOUT}, with: {{persist-credentials: false, path: base}}}}
      - {{uses: ./base/.github/actions/setup, with: {{extra: "EXTRA"}}}}
      - run: acts --help
"""


@pytest.fixture
def with_actions(clone: Path, try_out: Callable[..., Acted]) -> Callable[..., Acted]:
    """As ``try_out``, in a repository that has our actions."""
    shutil.copytree(ROOT / ".github" / "actions", clone / ".github" / "actions")
    git(clone, "add", "--all")
    git(clone, "commit", "-q", "-m", "actions")
    git(clone, "push", "-q", "origin", "main")
    return try_out


@pytest.mark.parametrize(
    ("extra", "first", "then"),
    [
        ("", ["setuptools", "wheel"], "."),
        ("serving", ["setuptools", "wheel"], ".[serving]"),
        ("serving,pipeline", ["setuptools", "wheel", "torch==2.13.0"], ".[serving,pipeline]"),
    ],
)
def test_the_checkout_that_the_action_lies_in_is_installed_with_what_is_asked(with_actions, extra, first, then):
    acted = with_actions(SETUP.replace("EXTRA", extra))
    assert acted.jobs == {"up": "success"}, acted.log
    install = ["install", "-q", "-c", "constraints.txt"]
    assert acted.asked("pip") == [[*install, *first], [*install, "--no-build-isolation", "-e", then]]
    assert all(line["folder"].endswith("/base") for line in acted.journal)


def test_an_extra_that_is_no_list_of_names_is_refused(with_actions):
    bad = ["pipeline]; touch x", "Pipeline", "pipeline,", "-r"]
    each = f"""
    strategy: {{fail-fast: false, matrix: {{extra: {json.dumps(bad)}}}}}
    steps:"""
    acted = with_actions(SETUP.replace("EXTRA", "${{ matrix.extra }}").replace("\n    steps:", each))
    assert acted.jobs == {f"up ({extra})": "failure" for extra in bad}
    assert acted.log.count("a list of names with commas, not") >= len(bad)
    assert acted.asked("pip") == []


DEBIAN = f"""
  up:
    runs-on: ubuntu-24.04
    steps:
      - {{uses: {CHECKOUT}, with: {{persist-credentials: false}}}}
      - run: |
          mkdir bin && echo "$PWD/bin" >> "$GITHUB_PATH"
          printf '#!/bin/sh\\necho "[$*]"\\n' > bin/sudo && chmod +x bin/sudo
      - uses: ./.github/actions/debian
"""


def test_debian_packages_are_asked_for_where_they_are_missing(with_actions):
    have = bool(list(Path("/usr/lib/postgresql").glob("*/bin/initdb")))
    browser = any(shutil.which(name) for name in ("chromium", "chromium-browser"))
    acted = with_actions(DEBIAN)
    assert acted.jobs == {"up": "success"}, acted.log
    assert ("install -y --no-install-recommends postgresql" in acted.log) is not have
    assert (" chromium]" in acted.log) is not browser
    assert ("[apt-get -qq update]" in acted.log) is not (have and browser)


FRESH = """\
name: Fresh Python
description: An environment with nothing but pip.
inputs: {python-version: {description: Which, required: true}}
runs:
  using: composite
  steps:
    - shell: bash
      run: |
        "$ACTING_PYTHON" -m venv "$RUNNER_TEMP/venv"
        echo "$RUNNER_TEMP/venv/bin" >>"$GITHUB_PATH"
"""
#: Prints what is installed beyond what the core asks for, markers and extras of its requirements included.
BEYOND = """\
import importlib.metadata as metadata, json
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

found, queue = set(), [("threeacts", "")]
while queue:
    name, extra = one = queue.pop()
    if one not in found:
        found.add(one)
        wanted = [Requirement(text) for text in metadata.requires(name) or []]
        wanted = [one for one in wanted if not one.marker or one.marker.evaluate({"extra": extra})]
        queue += [(canonicalize_name(one.name), extra) for one in wanted for extra in ("", *one.extras)]
installed = {canonicalize_name(one.metadata["Name"]) for one in metadata.distributions()}
print("BEYOND" + json.dumps(sorted(installed - {name for name, _ in found})) + "END")
"""
CORE = f"""
  plan:
    runs-on: ubuntu-24.04
    steps:
      - {{uses: {CHECKOUT}, with: {{persist-credentials: false, fetch-depth: 0}}}}
      - uses: ./.github/actions/setup
      - {{id: check, run: acts check}}
      - {{id: plan, run: "acts plan --base HEAD --head HEAD"}}
      - {{run: python beyond.py}}
"""


@pytest.mark.slow
def test_check_and_plan_run_with_the_core_alone(tmp_path, clone, try_out):
    git(clone, "pull", "-q", "--no-rebase", "--allow-unrelated-histories", str(ROOT), "HEAD")
    (clone / "beyond.py").write_text(BEYOND)
    git(clone, "add", "--all")
    git(clone, "commit", "-q", "-m", "all")
    git(clone, "push", "-q", "origin", "main")
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "action.yml").write_text(FRESH)
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    settings = Path.home() / ".config" / "pip" / "pip.conf"
    env = pip | ({"PIP_CONFIG_FILE": str(settings)} if settings.exists() else {})
    acted = try_out(CORE, env=env, local_actions={PYTHON: tmp_path / "python"}, timeout=280)
    assert acted.jobs == {"plan": "success"}, acted.log[-4000:]
    told = acted.log.split("BEYOND")[-1].split("END")[0]
    assert set(json.loads(told)) <= {"pip", "setuptools", "wheel"}
