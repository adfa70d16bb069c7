"""From a push to what is served and back: the repository's own workflow files, the double, a real server."""

import subprocess

import pytest

from tests.ci.workbench import GOOD
from tests.github.double import Double
from tests.workflows.stage import NAME, TRAIN, Stage
from tests.workflows.stories.playing import FIRST, approved, jobs, merged, served, version, went_well


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_branch_is_planned_judged_promoted_merged_served_and_reverted(stage: Stage, double: Double) -> None:
    with served(stage) as server:
        first = merged(stage, double, "first", FIRST)
        assert version(server) == first
        second = merged(stage, double, "better", GOOD)
        assert second != first and version(server) == second
        _revert(stage, double)
        assert version(server) == first, "a revert rolls back"


def _revert(stage: Stage, double: Double) -> None:
    """What GitHub's revert button makes: a branch that takes the last merge back, lock and spec."""
    clone = stage.folder / "reverting"
    for command in (
        ("clone", "-q", str(double.path(NAME)), str(clone)),
        ("-C", str(clone), "checkout", "-q", "-b", "take-back"),
        (
            "-C",
            str(clone),
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "revert",
            "--no-edit",
            "-m",
            "1",
            "HEAD",
        ),
        ("-C", str(clone), "push", "-q", "origin", "take-back"),
    ):
        subprocess.run(["git", *command], check=True, capture_output=True)
    number = double.open_pull(NAME, "take-back")
    played = went_well(stage.play())
    assert jobs(played, TRAIN, "opened")[0] == {"withdraw": "skipped", "admit": "success", "build": "skipped"}
    (comment,) = stage.comments(number)
    assert "goes back to a champion that the base branch had" in comment
    (check,) = stage.checks(double.pull(NAME, number)["head"]["sha"])
    assert check["conclusion"] == "success"
    approved(stage, number)
    went_well(stage.play())
