"""A pull request that changes a contract alone: its datasets are made and judged, and models where they must be."""

import pytest

from tests.ci.workbench import MODEL
from tests.github.double import Double
from tests.trees import TRIPS
from tests.workflows.stage import NAME, PULL_REQUEST, TRAIN, Stage
from tests.workflows.stories.playing import approved, jobs, went_well

FILE = "data_contracts/trips.yaml"
RULE = "    quality:\n      - {type: library, metric: rowCount, mustBeGreaterThan: 100}\n    properties:\n"
STRICT = TRIPS.replace("version: 1.2.0", "version: 1.3.0").replace("    properties:\n", RULE, 1)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_contract_alone_is_refused_when_it_breaks_a_model_and_judged_when_it_does_not(
    stage: Stage, double: Double
) -> None:
    double.push(NAME, "rename", {FILE: TRIPS.replace("- name: miles", "- name: distance")})
    number = double.open_pull(NAME, "rename")
    played = stage.play()
    (refused,) = jobs(played, PULL_REQUEST, "opened")
    assert refused["plan"] == "failure" and refused["build"] == "skipped", "nothing is spent"
    assert jobs(played, TRAIN, "opened")[0]["build"] == "skipped"
    (check,) = stage.checks(double.pull(NAME, number)["head"]["sha"])
    assert check["conclusion"] == "failure" and check["output"]["annotations_count"] > 0
    (comment,) = stage.comments(number)
    assert "distance" in comment or "miles" in comment

    head = double.push(NAME, "rows", {FILE: STRICT})
    number = double.open_pull(NAME, "rows")
    played = went_well(stage.play())
    built = jobs(played, TRAIN, "opened")[0]
    assert built["build (dataset, trips)"] == "success" and f"build (model, {MODEL})" not in built
    (comment,) = stage.comments(number)
    assert "dataset trips" in comment and "Passed" in comment
    (check,) = stage.checks(head)
    assert check["conclusion"] == "success"
    assert double.pull(NAME, number)["head"]["sha"] == head, "there is nothing to promote"
    approved(stage, number)
    went_well(stage.play())
