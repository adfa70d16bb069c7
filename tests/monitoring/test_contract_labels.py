"""Labels of the model's own dataset: what is new in a snapshot is joined, what a snapshot confirms is not again."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dagster_project.data.datasets import materialise
from dagster_project.domain.contract import Column, Server
from dagster_project.domain.verdict import Outcome
from dagster_project.monitoring.reconcile import reconcile
from dagster_project.monitoring.tables import outcomes
from dagster_project.monitoring.watched import Watched
from tests.monitoring.logged import log, logged
from tests.monitoring.reviewed import COLUMNS, NOW, watched
from tests.monitoring.test_reconcile import said

HEAD = "ride,late,miles,seats,windy,salary\n"


@pytest.fixture
def here(tmp_path: Path) -> Watched:
    found = watched(tmp_path)
    server = Server(name="here", type="local", options={"path": "landing/*.csv"})
    return replace(found, contract=found.contract.model_copy(update={"servers": (server,)}))


def land(here: Watched, name: str, *rows: str) -> None:
    """One more file of the source, and the dataset brought up to date."""
    folder = here.workspace.repo / "landing"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.csv").write_text(HEAD + "".join(f"{row},1,2,true,3\n" for row in rows))
    assert materialise(here.contract, {}, here.workspace).snapshot


def test_rows_that_a_newer_snapshot_added_label_their_answers(here: Watched) -> None:
    log(here, logged(1), logged(2), logged(3))
    land(here, "first", "ride 1,true", "ride 2,", "ride 9,true")
    found = reconcile(here, NOW)
    assert (found.joined, found.waiting) == (1, 0), "rows that nobody asked about wait for nothing"
    land(here, "second", "ride 3,false")
    assert reconcile(here, NOW + timedelta(days=1)).joined == 1
    assert reconcile(here, NOW + timedelta(days=2)).joined == 0
    assert said(here) == {1: "true", 3: "false"}
    rows = outcomes(here).sort("known").select("source", "known").collect().rows()
    assert rows == [("contract", NOW), ("contract", NOW + timedelta(days=1))]


def test_answers_that_come_after_their_label_are_labelled_too(here: Watched) -> None:
    land(here, "first", "ride 1,true", "ride 2,false")
    log(here, logged(1))
    assert reconcile(here, NOW).joined == 1
    log(here, logged(2))
    assert reconcile(here, NOW).joined == 1 and said(here) == {1: "true", 2: "false"}


def test_a_table_that_is_made_anew_says_only_what_changed(here: Watched) -> None:
    log(here, logged(1), logged(2))
    land(here, "only", "ride 1,true", "ride 2,false")
    assert reconcile(here, NOW).joined == 2
    server = Server(name="other", type="local", options={"path": "landing2/*.csv"})
    moved = replace(here, contract=here.contract.model_copy(update={"servers": (server,)}))
    (here.workspace.repo / "landing2").mkdir()
    (here.workspace.repo / "landing2" / "all.csv").write_text(HEAD + "ride 1,true,1,2,true,3\nride 2,true,1,2,true,3\n")
    assert materialise(moved.contract, {}, moved.workspace).snapshot
    found = reconcile(moved, NOW + timedelta(days=1))
    assert (found.joined, found.corrected) == (1, 1) and said(here) == {1: "true", 2: "true"}


def test_an_id_that_the_log_hashes_is_told_and_joined_to_nothing(here: Watched) -> None:
    columns = (COLUMNS[0].model_copy(update={"classification": "restricted"}), *COLUMNS[1:])
    hidden = replace(here, contract=here.contract.model_copy(update={"columns": columns}))
    log(hidden, logged(1))
    land(here, "first", "ride 1,true")
    found = reconcile(hidden, NOW)
    (finding,) = [each for each in found.findings() if each.name == "label_coverage"]
    assert finding.outcome is Outcome.WARNED and "no public column with the role id" in finding.summary
    assert found.joined == 0


def test_numbers_are_joined_as_numbers(tmp_path: Path) -> None:
    columns = (COLUMNS[0], Column(name="late", logical_type="number", role="label"), *COLUMNS[2:])
    found = watched(tmp_path, typed=columns)
    spec = found.spec.model_copy(update={"task": "regression", "positive": None})
    server = Server(name="here", type="local", options={"path": "landing/*.csv"})
    here = replace(found, spec=spec, contract=found.contract.model_copy(update={"servers": (server,)}))
    log(here, logged(1, value=3.5, label=None, probabilities=None))
    land(here, "first", "ride 1,2.5")
    assert reconcile(here, NOW).joined == 1
    assert outcomes(here).select("label", "value").collect().row(0) == (None, 2.5)
