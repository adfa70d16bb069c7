"""The team's warehouse is on object storage, and so are the model's tables and the index of their ids."""

from pathlib import Path

import pytest

from dagster_project.monitoring.reconcile import reconcile
from tests.monitoring.logged import label, log, logged, tell
from tests.monitoring.reviewed import NOW
from tests.monitoring.test_reconcile import said, sent_only
from tests.object_storage import object_storage


def test_labels_are_joined_on_object_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with object_storage("lake") as told:
        for name, value in {**told, "ACTS_WAREHOUSE": "s3://lake/warehouse"}.items():
            monkeypatch.setenv(name, value)
        here = sent_only(tmp_path)
        tell(here, label(3), label(1))
        log(here, logged(1), logged(2))
        found = reconcile(here, NOW)
        assert (found.answers, found.joined, found.waiting) == (2, 1, 1)
        log(here, logged(3))
        tell(here, label(2, "false", by_id=True))
        assert reconcile(here, NOW).joined == 2
        assert said(here) == {1: "true", 2: "false", 3: "true"}
        assert reconcile(here, NOW).joined == 0
    assert not (tmp_path / ".acts" / "warehouse").exists()
