"""The harness: what a run tells, and what it leaves behind (nothing)."""

import tempfile

import pytest

from tests.workflows import processes
from tests.workflows.pins import PINS

CHECKOUT = f"actions/checkout@{PINS['actions/checkout'].commit}"

JOBS = """
  plan:
    runs-on: ubuntu-24.04
    outputs: {models: "${{ steps.list.outputs.models }}", none: "[]"}
    steps:
      - {id: list, run: 'echo "models=[\\"a\\",\\"b\\"]" >> "$GITHUB_OUTPUT"; echo "## two" >> "$GITHUB_STEP_SUMMARY"'}
      - {name: never, if: "false", run: exit 1}
  build:
    needs: plan
    if: needs.plan.outputs.models != '[]'
    strategy: {fail-fast: false, matrix: {model: "${{ fromJSON(needs.plan.outputs.models || '[]') }}"}}
    runs-on: ubuntu-24.04
    steps:
      - {run: echo "::error::only told", continue-on-error: true}
      - {run: exit 1, continue-on-error: true}
      - {name: build, env: {MODEL: "${{ matrix.model }}"}, run: 'test "$MODEL" = a && sleep 0.3'}
  nothing:
    needs: plan
    if: needs.plan.outputs.none != '[]'
    strategy: {matrix: {model: "${{ fromJSON(needs.plan.outputs.none || '[]') }}"}}
    runs-on: ubuntu-24.04
    steps: [{run: exit 1}]
  after:
    needs: [build, nothing]
    if: ${{ !cancelled() }}
    runs-on: ubuntu-24.04
    steps: [{id: told, run: 'echo "told=${{ needs.build.result }} ${{ needs.nothing.result }}" >> "$GITHUB_OUTPUT"'}]
"""


def test_jobs_steps_outputs_and_summaries_are_told(try_out):
    acted = try_out(JOBS)
    assert acted.returncode == 1
    assert acted.jobs == {
        "plan": "success",
        "build (a)": "success",
        "build (b)": "failure",
        "nothing": "skipped",
        "after": "success",
    }
    assert acted.outputs["plan"] == {"list.models": '["a","b"]'}
    assert acted.outputs["after"] == {"told.told": "failure skipped"}
    assert acted.summaries == {"plan": "## two\n"}
    assert [acted.step("plan", name) for name in ("list", "never")] == ["success", "skipped"]
    assert acted.step("build (b)", "build") == "failure"


CALLED = """\
name: called
on:
  workflow_call:
    inputs: {word: {type: string, required: true}}
    secrets: {KEY: {required: false}}
    outputs: {answer: {value: "${{ jobs.say.outputs.answer }}"}}
jobs:
  say:
    runs-on: ubuntu-24.04
    outputs: {answer: "${{ steps.say.outputs.answer }}"}
    steps:
      - id: say
        env: {WORD: "${{ inputs.word }}", KEY: "${{ secrets.KEY }}", OTHER: "${{ secrets.OTHER }}"}
        run: echo "answer=$WORD ${#KEY} ${#OTHER}" >> "$GITHUB_OUTPUT"
"""
CALLER = """
  all: {uses: ./.github/workflows/called.yml, with: {word: all}, secrets: inherit}
  one:
    strategy: {matrix: {word: [x, y]}}
    uses: ./.github/workflows/called.yml
    with: {word: "${{ matrix.word }}"}
    secrets: {KEY: "${{ secrets.KEY }}"}
  heard:
    needs: all
    runs-on: ubuntu-24.04
    steps: [{id: heard, run: 'echo "answer=${{ needs.all.outputs.answer }}" >> "$GITHUB_OUTPUT"'}]
"""


def test_a_called_workflow_has_its_jobs_below_its_caller_and_sees_only_its_secrets(clone, try_out):
    (clone / ".github" / "workflows").mkdir(parents=True)
    (clone / ".github" / "workflows" / "called.yml").write_text(CALLED)
    acted = try_out(CALLER, secrets={"KEY": "three", "OTHER": "four"})
    assert acted.jobs == {"all / say": "success", "one / say": "success", "heard": "success"}
    assert acted.outputs["heard"] == {"heard.answer": "all 5 4"}
    assert acted.outputs["one / say"]["say.answer"] in ("x 5 0", "y 5 0")


SETTINGS = """
  tell:
    runs-on: ubuntu-24.04
    steps:
      - env: {RUN: "${{ github.event.workflow_run.id }}", KEY: "${{ secrets.KEY }}", KIND: "${{ vars.KIND }}", ME: "${{ github.actor }}"}
        run: 'echo "[$RUN|$GITHUB_RUN_ID|$GITHUB_REPOSITORY|$ME|$KIND|$(echo "$KEY" | wc -l)|$HOME|$PLAIN]"'
      - run: env
"""  # noqa: E501


def test_event_and_settings_reach_the_steps_that_ask_and_nothing_of_this_process_does(try_out, monkeypatch):
    monkeypatch.setenv("SECRET_OF_MINE", "leak")
    payload = {"action": "completed", "workflow_run": {"id": 77, "head_sha": "f" * 40}}
    more = {"env": {"GITHUB_RUN_ID": "78", "PLAIN": 'a "b" $HOME'}, "secrets": {"KEY": "-- begin\nb$c\n"}}
    on = "{workflow_run: {workflows: [try], types: [completed]}}"
    acted = try_out(SETTINGS, "workflow_run", payload, on, variables={"KIND": "k"}, **more)
    assert "[77|78|o/r|ann|k|3|" in acted.log
    assert '/home|a "b" $HOME]' in acted.log
    assert "SECRET_OF_MINE" not in acted.log
    assert "begin" not in acted.log


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Where runs of this test have their folders: other tests may run beside it."""
    (tmp_path / "place").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "place"))
    return tmp_path / "place"


def test_what_a_step_leaves_running_is_ended_and_told(place, try_out):
    jobs = "  leave: {runs-on: ubuntu-24.04, steps: [{run: 'setsid nohup sleep 321 >/dev/null 2>&1 & sleep 0.2'}]}\n"
    acted = try_out(jobs)
    assert acted.jobs == {"leave": "success"}
    assert [orphan.strip() for orphan in acted.orphans] == ["sleep 321"]
    assert list(place.iterdir()) == []
    assert not processes.marked(str(place))


def test_a_run_that_takes_too_long_is_ended(place, try_out):
    with pytest.raises(TimeoutError, match="longer than 1 s"):
        try_out("  wait: {runs-on: ubuntu-24.04, steps: [{run: 'setsid sleep 322'}]}\n", timeout=1)
    assert list(place.iterdir()) == []
    assert not processes.marked(str(place))


def test_what_a_failing_step_prints_last_is_in_the_log(try_out):
    jobs = "  fail: {runs-on: ubuntu-24.04, steps: [{run: 'seq 5000; echo last words >&2; exit 3'}]}\n"
    acted = try_out(jobs)
    assert acted.jobs == {"fail": "failure"}
    assert acted.log.endswith("\n4999\n5000\nlast words\n")


def test_a_workflow_that_act_cannot_read_is_no_failed_job(try_out):
    jobs = "  a: {strategy: {matrix: {x: \"${{ fromJSON('') }}\"}}, runs-on: ubuntu-24.04, steps: [{run: echo}]}\n"
    with pytest.raises(RuntimeError, match="act: "):
        try_out(jobs)
