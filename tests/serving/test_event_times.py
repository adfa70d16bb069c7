"""When the event is that a row is about: sent beside the inputs, kept in the log, a column of the table."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dagster_project.domain.workspace import Workspace
from dagster_project.monitoring.ingest import ingest
from dagster_project.monitoring.log_table import answers
from dagster_project.serving.event_times import microseconds
from dagster_project.serving.prediction_log import PredictionLog
from dagster_project.storage.log_frames import NO_TIME
from dagster_project.storage.store import ArtifactStore
from tests.serving import served
from tests.serving.log_rows import answer
from tests.serving.running import Server, running
from tests.serving.v2_requests import packed, read, refusal, with_bytes, with_column

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-03-31T12:00:00Z", NOON),
        ("2026-03-31T12:00", NOON),
        ("2026-03-31 14:00:00.000001+02:00", NOON.replace(microsecond=1)),
        ("2026-03-31", NOON.replace(hour=0)),
        ("1969-12-31T23:59:59.999999", datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC)),
        ("0001-01-01", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_iso_8601_and_utc_unless_it_says_otherwise(text: str, time: datetime) -> None:
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds(text)) == time


def test_what_is_missing_is_missing_and_what_nobody_can_read_is_refused_with_its_column_and_row() -> None:
    assert read(with_column("departs", "BYTES", [2], [None, ""])).times == [NO_TIME, NO_TIME]
    assert read(with_column("humid", "FP32", [2], [1, 2])).times is None
    for wrong in ("soon", "2026-02-30", "0001-01-01T00:00+05:00", "12:00", "1774958400", "2026-03-31T12:00:61Z"):
        said = refusal(with_column("departs", "BYTES", [2], ["2026-03-31", wrong]))
        assert "'departs': row 1" in said and wrong in said and "send a time as" in said
    assert "'departs'" in refusal(with_column("departs", "INT64", [2], [1, 2]))
    assert "'departs'" in refusal(with_column("departs", "BYTES", [1], ["2026-03-31"]))


def test_times_come_as_bytes_too() -> None:
    good = [("carrier", "BYTES", [1], packed([b"AA"])), ("distance", "INT8", [1], b"\x01")]
    body, length = with_bytes([*good, ("departs", "BYTES", [1], packed([b"2026-03-31T12:00Z"]))])
    assert read(body, length).times == [microseconds("2026-03-31T12:00Z")]


def test_it_survives_to_the_table_also_beside_requests_without_it(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path / "log", "s", 60.0)
    log.append(answer(1, times=[microseconds("2026-03-31T12:00Z")]))
    log.append(answer(2, rows=2))
    log.append(answer(3, rows=2, times=[NO_TIME, microseconds("0001-01-01")]))
    log.close()
    assert log.dropped == 0 and ingest(tmp_path / "log", str(tmp_path / "warehouse")).rows == 5
    found = answers(str(tmp_path / "warehouse")).sort("id").collect()
    assert found["time"].to_list() == [NOON, None, None, None, datetime(1, 1, 1, tzinfo=UTC)]


def test_a_server_keeps_it_and_says_that_it_takes_it(place: tuple[Path, ArtifactStore, str]) -> None:
    folder, store, writes = place
    served.publish(store, writes, served.desired(store, log={"flush": "PT0.1S"}))
    with running(folder) as server:
        server.wait()
        _calls(server)
    workspace = Workspace(repo=folder)
    assert ingest(workspace.serving_log, workspace.warehouse).rows == 3
    times = answers(workspace.warehouse).sort("row_id").collect()["time"].to_list()
    assert times == [NOON, None, NOON.replace(hour=9)]


def _calls(server: Server) -> None:
    assert server.call("/v2/models/delays")[1]["parameters"]["time_column"] == "starts"
    assert server.infer({"miles": [1.0], "starts": ["2026-03-31T14:00+02:00"]})[0] == 200
    assert server.infer({"miles": [1.0, 2.0], "starts": [None, "2026-03-31 09:00"]})[0] == 200
    status, wrong = server.infer({"miles": [1.0], "starts": ["tomorrow"]})
    assert status == 400 and "'starts': row 0 is 'tomorrow'" in wrong["error"]
