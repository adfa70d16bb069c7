"""Every part through Dagster's assets, and through ``acts monitor`` as a program."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ci.main import main
from dagster_project.domain.loading import load_repository
from dagster_project.domain.monitored import PARTS, MonitoredParts
from dagster_project.domain.repository import FolderTree
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.monitoring import ALARMS, monitored_events, monitoring_assets, part_key
from dagster_project.factories.monitoring_pictures import pictures
from dagster_project.monitoring import drift_threshold
from dagster_project.monitoring.parts import look_at
from dagster_project.monitoring.watched import Watched
from tests.ci.workbench import MODEL, SPEC, change, save
from tests.monitoring.deployed import FIRST, at, play, watching
from tests.trees import edited

MONITORING = """\
task: binary
monitoring:
  labels: {contract: false, maturity: P1D}
  performance: {on: true, window: P7D, minimum_rows: 100, bounds: [{metric: roc_auc, minimum: 0.99}]}
  drift: {on: true, window: P7D, minimum_rows: 200}
  explanations: {window: P7D, rows: 60}
"""


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift_threshold, "DRAWS", 60)


def test_assets_do_each_part_and_show_what_they_found(repo: Path) -> None:
    here = watching(
        repo,
        performance={"window": "P7D", "minimum_rows": 100, "bounds": [{"metric": "roc_auc", "minimum": 0.99}]},
        drift={"window": "P7D", "minimum_rows": 200},
        explanations={"window": "P7D", "rows": 60},
    )
    today = (datetime.now(UTC).date() - FIRST).days
    play(here, range(today - 21, today), miles=(6, 36))
    with dg.instance_for_test() as instance:
        assets = monitoring_assets(here.spec, here.contract, here.lock, here.workspace)
        done = dg.materialize(assets, instance=instance)
        assert done.success
        shown = {
            event.asset_key.path[-1]: event.materialization.metadata
            for event in done.get_asset_materialization_events()
        }
        checks = {found.asset_key.path[-1]: found for found in done.get_asset_check_evaluations()}
    assert set(shown) == set(PARTS) == set(checks)
    drawn = {"labels": "coverage", "performance": "roc_auc by window", "drift": "drift", "explanations": "leans_on"}
    for part, name in drawn.items():
        assert "data:image/png;base64," in str(shown[part][name]), part
    plotted = {"labels": "labelled", "performance": "roc_auc", "drift": "drifted", "review": "asked"}
    for part, name in plotted.items():
        assert isinstance(shown[part][name].value, int | float), part
    assert checks["labels"].passed and checks["review"].passed
    assert not checks["performance"].passed and checks["performance"].severity is dg.AssetCheckSeverity.ERROR
    assert not checks["drift"].passed and checks["drift"].severity is dg.AssetCheckSeverity.WARN
    assert "miles" in str(checks["drift"].description)


def test_what_was_found_by_hand_is_the_same_event(repo: Path) -> None:
    here = watching(repo)
    play(here, range(7))
    look = look_at("labels", here, at(9))
    made, check = monitored_events(look)
    assert isinstance(made, dg.AssetMaterialization) and made.asset_key == part_key(MODEL, "labels")
    assert isinstance(check, dg.AssetCheckEvaluation) and check.check_name == ALARMS and check.passed
    assert set(pictures(look)) == {"coverage"}


@pytest.mark.parametrize("part", PARTS)
def test_a_model_that_nobody_asked_has_nothing_to_draw(repo: Path, part: str) -> None:
    look = look_at(part, watching(repo), at(9))  # type: ignore[arg-type]
    assert pictures(look) == {} and look.words and not look.alarms


def test_acts_monitor_looks_at_a_day_of_the_past_and_exits_by_severity(
    repo: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(repo.parent / "home"))
    change(repo, SPEC, edited((repo / SPEC).read_text(), ("task: binary\n", MONITORING)))
    known = load_repository(FolderTree(repo))
    contract = known.contracts[known.specs[MODEL].contract.name]
    play(Watched(known.specs[MODEL], contract, known.locks[MODEL], Workspace(repo=repo)), range(7))
    command = ["monitor", MODEL, "--repo", str(repo), "--now", "2026-01-14"]
    assert main([*command, "--part", "labels", "--part", "performance"]) == 1
    said = capfd.readouterr().out
    assert "700 answers and 700 labels came in" in said and "failed: roc_auc_bound: roc_auc 0." in said
    assert main([*command, "--part", "labels", "--json"]) == 0
    looks = MonitoredParts.from_json(capfd.readouterr().out.encode()).looks
    assert [(look.model, look.part) for look in looks] == [(MODEL, "labels")] and looks[0].document["answers"] == 0


def test_days_are_looked_at_one_after_another_as_they_were(
    repo: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(repo.parent / "home"))
    play(watching(repo), range(7))
    command = ["monitor", MODEL, "--repo", str(repo), "--part", "labels", "--now", "2026-01-14"]
    assert main([*command, "--since", "2026-01-08", "--json"]) == 0
    looks = MonitoredParts.from_json(capfd.readouterr().out.encode()).looks
    assert [look.now.day for look in looks] == [8, 9, 10, 11, 12, 13, 14]
    known = [sum(day["natural"] for day in look.document["days"]) for look in looks]
    assert known == [200, 300, 400, 500, 600, 700, 700], "none sees what the next days brought"
    assert main([*command, "--since", "2026-01-13"]) == 0
    assert "tardy: labels as at 2026-01-13 00:00" in capfd.readouterr().out
    assert main([*command, "--since", "2026-02-01"]) == 2
    assert "--since 2026-02-01 00:00 is after 2026-01-14 00:00." in capfd.readouterr().err


def test_what_is_found_is_a_cause_to_experiment(
    repo: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(repo.parent / "home"))
    more = ("minimum_rows: 200}", "minimum_rows: 200, checks: [FeatureDrift, MultivariateDrift]}")
    asked = f"{edited(MONITORING, more)}experiment: {{on: true, drift: true, performance: true}}\n"
    change(repo, SPEC, edited((repo / SPEC).read_text(), ("task: binary\n", asked)))
    save(repo, "watched")
    known = load_repository(FolderTree(repo))
    contract = known.contracts[known.specs[MODEL].contract.name]
    play(Watched(known.specs[MODEL], contract, known.locks[MODEL], Workspace(repo=repo)), range(7), miles=(6, 36))

    def due() -> Any:
        assert main(["experiment", "--dry-run", "--json", "--repo", str(repo), "--now", "2026-01-14"]) == 0
        return json.loads(capfd.readouterr().out)["looks"][0]["due"]

    assert due() is None
    assert main(["monitor", MODEL, "--repo", str(repo), "--now", "2026-01-14"]) == 1
    said = capfd.readouterr().out
    assert "warned: FeatureDrift: seats (" in said and "warned: MultivariateDrift: (all columns together) (" in said
    assert due()["causes"] == ["performance", "drift"]
    below, moved = due()["reasons"]
    assert "miles (" in moved and "all columns together" in moved and "roc_auc" in below


def test_what_can_not_be_watched_is_told(repo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["monitor", "nobody", "--repo", str(repo)]) == 2
    assert "nobody" in capfd.readouterr().err
    (repo / f"models/{MODEL}/champion.lock.yaml").unlink()
    assert main(["monitor", MODEL, "--repo", str(repo)]) == 2
    assert "tardy has no champion, so nothing answers" in capfd.readouterr().err
    assert main(["monitor", "--json", "--repo", str(repo)]) == 0
    assert json.loads(capfd.readouterr().out)["looks"] == []
