"""Headroom from a spec to the report: asked in YAML, built by Dagster, judged, shown; not asked of who trains again."""

from pathlib import Path

import dagster as dg
import pytest

from ci.main import main
from ci.report.headroom_part import headroom_part
from ci.reproduction import reproduce
from dagster_project.domain.facts import Facts
from dagster_project.factories.instance import open_instance
from tests.ci.workbench import GOOD, MODEL, SPEC, change, judged, save, settled
from tests.pipeline.small import build, opened
from tests.trees import edited

ASKED = edited(GOOD, ("gates:\n", "headroom: {on: true, rows: [0.3, 0.6], groups: {road: [miles]}}\ngates:\n"))


@pytest.mark.slow
def test_from_the_spec_to_the_report(tmp_path: Path) -> None:
    repo = settled(tmp_path / "repo", "")
    change(repo, SPEC, ASKED)
    save(repo, "a model that asks")
    code, result, said = build(repo, "model", MODEL)
    assert code == 0 and result is not None and "headroom" in result.stages, said
    verdict = judged(repo).verdict
    assert verdict.outcome == "passed", verdict.reasons
    report = Facts.model_validate(verdict.facts).headroom
    assert report is not None and report.noise is not None and not report.noise.absent
    assert report.sources is not None and report.sources.sources[0].name == "road"
    assert report.sources.sources[0].loss is not None and report.sources.sources[0].loss.low > 0
    assert all(set(row.id) == {"ride"} for row in report.noise.suspects)
    assert headroom_part(report).sentences[0].startswith(("The next gain", "Whether", "Where"))
    _, workspace = opened(repo)
    with open_instance(workspace) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey([MODEL, "candidate"]))
    assert event is not None and event.asset_materialization is not None
    assert {"next_gain", "learning_curve", "source_losses"} <= set(event.asset_materialization.metadata)
    assert main(["promote", MODEL, "--repo", str(repo)]) == 0
    again = reproduce(repo, MODEL, quiet=True)
    assert again.outcome == "bit_for_bit" and again.same_code
    assert "headroom" not in again.seconds
