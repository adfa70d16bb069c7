"""Windows of answers against what the champion learned from: what moved is named, what did not is left alone."""

from pathlib import Path

import numpy as np
import pytest

from dagster_project.domain.verdict import Outcome
from dagster_project.monitoring import drift_threshold
from dagster_project.monitoring.drift import LEDGER, look
from dagster_project.monitoring.drift_rows import LABEL, Side, reference_of
from dagster_project.monitoring.drift_threshold import calibrate, in_mix, scores_between
from dagster_project.monitoring.reconcile import reconcile
from dagster_project.monitoring.watched import Watched
from dagster_project.quality.drift import domain_score, drift_scores
from dagster_project.quality.library import load, quiet
from dagster_project.storage.ledger import Ledger
from tests.monitoring.deployed import FIRST, at, play, watching


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift_threshold, "DRAWS", 60)


def here_of(repo: Path, **drift: object) -> Watched:
    return watching(repo, drift={"window": "P7D", "minimum_rows": 200, **drift})


def test_what_moved_is_named_with_its_rows_and_the_rest_is_not(repo: Path) -> None:
    here = here_of(repo)
    play(here, range(7), miles=(6, 36))
    reconcile(here, at(9))
    found = look(here, at(9))
    assert found.begin == FIRST and (found.rows, found.compared) == (700, 700) and found.reference > 1000
    assert {column.name for column in found.drifted} >= {"miles", "(prediction)", "(label)"}
    assert "carrier" not in {column.name for column in found.drifted}
    miles = next(column for column in found.drifted if column.name == "miles")
    assert miles.rows == 700 and "mean went from 15" in miles.what and "to 2" in miles.what
    assert len(miles.bins) == len(miles.window) and sum(miles.window) == pytest.approx(1, abs=0.01)
    findings = {each.name: each for each in found.findings()}
    assert set(findings) == {"FeatureDrift", "PredictionDrift", "LabelDrift"}
    assert findings["FeatureDrift"].outcome is Outcome.WARNED
    assert "miles (" in findings["FeatureDrift"].summary and "700 rows" in findings["FeatureDrift"].summary
    (row,) = Ledger(here.workspace.ledger, LEDGER).rows()
    assert row["alarm"] is True and "miles" in row["summary"]


def test_windows_like_the_reference_do_not_alarm(repo: Path) -> None:
    here = here_of(repo, severity="error")
    for week in range(5):
        play(here, range(7 * week, 7 * week + 7), seed=week)
    reconcile(here, at(40))
    looks = [look(here, at(7 * week + 9)) for week in range(5)]
    assert sum(bool(found.drifted) for found in looks) <= 1
    assert all(found.findings()[0].outcome is not Outcome.NOT_APPLICABLE for found in looks)


def test_thresholds_are_calibrated_once_for_windows_of_one_size(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = here_of(repo)
    play(here, range(14))
    reconcile(here, at(9))
    first = look(here, at(9))
    monkeypatch.setattr(drift_threshold, "DRAWS", 0)  # drawing again would fail
    again = look(here, at(16))
    assert first.columns and again.columns
    assert {c.name: c.threshold for c in first.columns} == {c.name: c.threshold for c in again.columns}


def test_too_few_answers_and_no_reference_are_told(repo: Path) -> None:
    here = here_of(repo)
    play(here, range(7), rides=20)
    reconcile(here, at(9))
    found = look(here, at(9))
    assert found.skipped == "140 answers have their inputs logged; 200 are asked for."
    assert {each.outcome for each in found.findings()} == {Outcome.NOT_APPLICABLE}
    lock = here.lock.model_copy(update={"snapshot": "sha256:" + "0" * 64})  # type: ignore[union-attr]
    assert "not kept here" in look(Watched(here.spec, here.contract, lock, here.workspace), at(9)).words()[0]


def test_labels_are_of_the_newest_matured_window(repo: Path) -> None:
    here = here_of(repo, checks=["LabelDrift"])
    play(here, range(7), miles=(20, 36))
    play(here, range(7, 14))
    reconcile(here, at(14, hour=1))
    early = look(here, at(14, hour=1))  # the second week ended, and its labels have not had their day
    assert [column.name for column in early.columns] == [LABEL] and early.begin == FIRST.replace(day=12)
    later = look(here, at(15, hour=1))
    assert [column.name for column in later.columns] == [LABEL] and early.drifted and not later.drifted


def side(rng: np.random.Generator, rows: int, night: float) -> Side:
    """Temperatures that are low at night; ``night`` is the share of nights."""
    dark = rng.random(rows) < night
    heat = np.where(dark, rng.normal(0, 1, rows), rng.normal(3, 1, rows))
    season = np.where(dark, "night", "day").astype(object)
    return Side({"heat": heat}, season, np.full(rows, "", object))


def test_like_is_compared_with_like_where_a_season_is_declared() -> None:
    rng = np.random.default_rng(1)
    reference, window = side(rng, 4000, 0.5), side(rng, 1000, 0.8)
    usual = calibrate(reference, 1000, 0, 7, 0.01)
    plain = Side(reference.columns, np.full(4000, "", object), reference.day)
    assert scores_between(plain, window)["heat"] > usual.of("heat")
    assert scores_between(in_mix(reference, window, rng), window)["heat"] < usual.of("heat")


def test_days_are_drawn_whole_because_their_rows_are_alike() -> None:
    rng = np.random.default_rng(2)
    days = np.repeat(np.arange(40), 100)
    weather = rng.normal(size=40)[days] + 0.1 * rng.normal(size=4000)
    rows = Side({"weather": weather}, np.full(4000, "", object), np.array([f"{day}" for day in days], object))
    loose = Side(rows.columns, rows.season, np.full(4000, "", object))
    assert calibrate(rows, 700, 0, 7, 0.01).of("weather") > 3 * calibrate(loose, 700, 0, 7, 0.01).of("weather")


def test_values_that_went_missing_and_new_categories_are_seen() -> None:
    rng = np.random.default_rng(3)
    none = np.full(3000, "no", object)
    kinds = rng.choice(["a", "b"], 3000).astype(object)
    reference = Side({"x is missing": none, "kind": kinds}, np.full(3000, "", object), np.full(3000, "", object))
    usual = calibrate(reference, 800, 0, 7, 0.01)
    gone = np.where(rng.random(800) < 0.05, "yes", "no").astype(object)
    new = np.where(rng.random(800) < 0.1, "c", kinds[:800]).astype(object)
    window = Side({"x is missing": gone, "kind": new}, np.full(800, "", object), np.full(800, "", object))
    scores = scores_between(reference, window)
    assert all(scores[name] > usual.of(name) for name in scores) and len(scores) == 2


def test_scores_are_those_of_deepchecks_own_checks(repo: Path) -> None:
    import pandas as pd

    found = reference_of(here_of(repo))
    assert found is not None
    half = np.arange(len(found)) < len(found) // 2
    sides = [found.take(half), found.take(~half)]
    names = ["miles", "seats", "carrier"]
    scores = drift_scores(*({name: each.columns[name] for name in names} for each in sides))
    library = load()
    with quiet():
        tables = [
            library.Dataset(pd.DataFrame({name: each.columns[name] for name in names}), cat_features=["carrier"])
            for each in sides
        ]
        result = library.checks.FeatureDrift(numerical_drift_method="KS").run(*tables, with_display=False)
    assert scores == {name: pytest.approx(result.value[name]["Drift score"]) for name in names}


def test_a_model_tells_apart_what_no_column_shows() -> None:
    rng = np.random.default_rng(4)
    both = rng.normal(size=(2, 1500))
    same = {"a": both[0], "b": both[0] + 0.3 * both[1]}
    other = {"a": both[0], "b": -both[0] + 0.3 * both[1]}
    assert domain_score(same, other) > 0.8 and max(drift_scores(same, other).values()) < 0.1
