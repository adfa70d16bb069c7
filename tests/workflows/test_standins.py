"""The stand-ins do what the real actions are documented to do."""

import importlib.util
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.github.double import Double, github_double
from tests.workflows.acting import Acted
from tests.workflows.conftest import git
from tests.workflows.pins import PINS, STANDINS


def uses(action: str) -> str:
    """As a step names it."""
    return f"{action}@{PINS[action].commit}"


CHECKOUT, UPLOAD = uses("actions/checkout"), uses("actions/upload-artifact")


@pytest.fixture
def double(tmp_path: Path) -> Iterator[Double]:
    """A GitHub with the repository o/r."""
    with github_double(tmp_path / "github") as double:
        double.create_repository("o/r", files={"one": "1"})
        yield double


@pytest.fixture
def here(double: Double) -> dict[str, str]:
    """The environment of jobs of a run that has begun."""
    run = double.run_began("o/r", ".github/workflows/try.yml", "push")
    return {"GITHUB_API_URL": double.url, "GITHUB_RUN_ID": str(run.id)}


CHECKOUTS = f"""
  out:
    runs-on: ubuntu-24.04
    steps:
      - {{uses: {CHECKOUT}, with: {{persist-credentials: false}}}}
      - run: echo "[$(git rev-list --count HEAD) $(git rev-parse HEAD) $(git remote get-url origin)]"
      - {{uses: {CHECKOUT}, with: {{persist-credentials: false, path: all, ref: topic, fetch-depth: 0}}}}
      - run: echo "[$(git -C all rev-list --count HEAD) $(git -C all branch --show-current) $(git -C all rev-parse origin/main)]"
      - {{uses: {CHECKOUT}, with: {{persist-credentials: false, path: theirs, repository: bob/r, ref: "${{{{ vars.FIRST }}}}"}}}}
      - run: echo "[$(git -C theirs rev-parse HEAD) $(ls theirs)]"
      - {{id: leaky, uses: {CHECKOUT}, continue-on-error: true, with: {{path: leaky}}}}
"""  # noqa: E501


def test_checkout_takes_a_commit_of_a_repository_with_no_more_history_than_it_is_told(clone, tmp_path, try_out):
    fork = tmp_path / "fork"
    git(tmp_path, "clone", "-q", "--bare", str(clone), str(fork))
    first, head = git(clone, "rev-parse", "HEAD~1"), git(clone, "rev-parse", "HEAD")
    acted = try_out(CHECKOUTS, repositories={"bob/r": fork}, variables={"FIRST": first})
    assert acted.returncode == 0, acted.log
    assert f"[1 {head} {tmp_path / 'bare'}]" in acted.log
    assert f"[2 topic {head}]" in acted.log
    assert f"[{first} one]" in acted.log
    assert acted.step("out", "leaky") == "failure"


ROUND = f"""
  up:
    runs-on: ubuntu-24.04
    outputs: {{digest: "${{{{ steps.up.outputs.artifact-digest }}}}"}}
    steps:
      - run: mkdir -p out/deep out/.git && echo a > out/a && echo b > out/deep/b && echo c > out/.git/c
      - {{id: up, uses: {UPLOAD}, with: {{name: bundle, path: out, if-no-files-found: error}}}}
      - {{id: again, uses: {UPLOAD}, continue-on-error: true, with: {{name: bundle, path: out}}}}
      - {{id: none, uses: {UPLOAD}, continue-on-error: true, with: {{path: nothing, if-no-files-found: error}}}}
      - {{id: warned, uses: {UPLOAD}, with: {{path: nothing}}}}
  down:
    needs: up
    runs-on: ubuntu-24.04
    steps:
      - {{uses: {uses("actions/download-artifact")}, with: {{pattern: "bun*", path: got}}}}
      - run: echo "[$(cd got && find . -type f | sort | xargs)]"
"""


def test_artifacts_go_to_the_double_and_come_back(double, here, try_out):
    acted = try_out(ROUND, env=here)
    assert acted.jobs == {"up": "success", "down": "success"}, acted.log
    assert "[./bundle/a ./bundle/deep/b]" in acted.log
    assert [acted.step("up", name) for name in ("again", "none", "warned")] == ["failure", "failure", "success"]
    [artifact] = double.world.repository("o/r").artifacts.values()
    assert f"sha256:{acted.outputs['up']['up.artifact-digest']}" == artifact.digest
    assert sorted(zipfile.ZipFile(io.BytesIO(artifact.content)).namelist()) == ["a", "deep/b"]


@pytest.mark.parametrize(
    ("patterns", "hidden", "names"),
    [
        (["out"], False, ["a.json", "deep/b.txt"]),
        (["out"], True, [".x/c", "a.json", "deep/b.txt"]),
        (["out/a.json"], False, ["a.json"]),
        (["out/**/*.txt"], False, ["deep/b.txt"]),
        (["out", "!out/deep"], False, ["a.json"]),
        (["out/deep", "other"], False, ["other/d", "out/deep/b.txt"]),
        ([".acts"], False, []),
        ([".acts/bundles"], False, ["e"]),
        ([".acts/**"], True, ["bundles/e"]),
    ],
)
def test_an_artifact_holds_what_its_patterns_name(tmp_path, patterns, hidden, names):
    for name in ("out/a.json", "out/deep/b.txt", "out/.x/c", "other/d", ".acts/bundles/e"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    file = STANDINS / "actions" / "upload-artifact" / "selection.py"
    spec = importlib.util.spec_from_file_location("selection", file)
    assert spec and spec.loader
    selection = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(selection)
    assert list(selection.select(patterns, tmp_path, hidden)) == names


OTHER = f"""
  down:
    runs-on: ubuntu-24.04
    steps:
      - uses: {uses("actions/download-artifact")}
        with:
          name: candidate
          path: got
          run-id: ${{{{ vars.RUN }}}}
          github-token: ${{{{ secrets.GITHUB_TOKEN }}}}
      - run: echo "[$(cat got/x)]"
"""


def test_another_run_needs_a_token_that_may_read_actions(double, here, try_out):
    run = double.run_began("o/r", ".github/workflows/other.yml", "push")
    double.upload_artifact(run, "candidate", {"x": "data"})
    may, may_not = (double.actions_token("o/r", {"actions": level}) for level in ("read", "none"))
    told = try_out(OTHER, env=here, variables={"RUN": str(run.id)}, secrets={"GITHUB_TOKEN": may})
    assert "[data]" in told.log
    refused = try_out(OTHER, env=here, variables={"RUN": str(run.id)}, secrets={"GITHUB_TOKEN": may_not})
    assert refused.jobs == {"down": "failure"}


TOKEN = f"""
  ask:
    runs-on: ubuntu-24.04
    steps:
      - id: app
        uses: {uses("actions/create-github-app-token")}
        with:
          client-id: ${{{{ vars.GATE_APP }}}}
          private-key: ${{{{ secrets.GATE_KEY }}}}
          permission-checks: write
      - id: told
        env: {{SLUG: "${{{{ steps.app.outputs.app-slug }}}}"}}
        run: echo "slug=$SLUG" >> "$GITHUB_OUTPUT"
"""


def test_an_app_token_is_asked_for_with_the_apps_key(double, here, try_out: Callable[..., Acted]):
    app = double.app("gate", {"checks": "write", "contents": "write"})
    double.install("gate", "o/r")
    settings = {"env": here, "variables": {"GATE_APP": str(app.id)}, "secrets": {"GATE_KEY": app.private_key.decode()}}
    event = {"repository": {"full_name": "o/r", "name": "r", "owner": {"login": "o"}}}
    acted = try_out(TOKEN, payload=event, **settings)
    assert acted.jobs == {"ask": "success"}, acted.log
    assert acted.outputs["ask"]["told.slug"] == "gate"
    token = double.world.tokens[acted.outputs["ask"]["app.token"]]
    assert (token.app, token.permissions) == (app, {"checks": "write"})
    wrong = {**settings, "variables": {"GATE_APP": "1"}}
    assert try_out(TOKEN, payload=event, **wrong).jobs == {"ask": "failure"}


JOURNAL = f"""
  say:
    runs-on: ubuntu-24.04
    steps:
      - {{uses: {uses("actions/attest-build-provenance")}, with: {{subject-digest: "sha256:0", subject-name: late}}}}
      - {{uses: {uses("aws-actions/configure-aws-credentials")}, with: {{aws-region: x, role-to-assume: "arn:role"}}}}
      - {{uses: {uses("actions/setup-python")}, with: {{python-version: "3.11"}}}}
      - run: pip install -c constraints.txt torch && acts --help
      - {{uses: {uses("actions/setup-python")}, continue-on-error: true, id: old, with: {{python-version: "3.1"}}}}
"""


def test_what_would_reach_others_is_written_down(try_out):
    acted = try_out(JOURNAL)
    assert acted.jobs == {"say": "success"}, acted.log
    assert acted.asked("attest") == [{"subject-path": "", "subject-digest": "sha256:0", "subject-name": "late"}]
    assert acted.asked("aws")[0]["role-to-assume"] == "arn:role"
    assert acted.asked("pip") == [["install", "-c", "constraints.txt", "torch"]]
    assert "Exit codes" in acted.log
    assert acted.step("say", "old") == "failure"
