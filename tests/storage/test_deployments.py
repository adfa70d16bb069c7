"""The desired state, reports and rejections: written whole, read in spite of others' half-broken files."""

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dagster_project.domain.deployment import DESIRED, DesiredState, Rejection, ServerReport
from dagster_project.domain.errors import MachineryError
from dagster_project.storage.deployments import Deployments
from dagster_project.storage.store import ArtifactStore
from tests.object_storage import object_storage

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
ONNX, LOCK = "sha256:" + "1" * 64, "sha256:" + "2" * 64


@pytest.fixture
def deployments(tmp_path: Path) -> Deployments:
    return Deployments(ArtifactStore(str(tmp_path / "store")), str(tmp_path / "serving"))


def report(server: str, **fields: object) -> ServerReport:
    given = {"server": server, "address": "http://127.0.0.1:8080", "started": NOW, "written": NOW, "desired": None}
    return ServerReport.model_validate({**given, **fields})


def rejection(**fields: object) -> Rejection:
    given = {
        "model": "tardy", "onnx": ONNX, "lock": LOCK, "place": "canary", "reason": "2 of 2 runs broke",
        "observed": {"errors": 2, "p99_seconds": 0.5}, "server": "a", "at": NOW,
    }  # fmt: skip
    return Rejection.model_validate({**given, **fields})


def test_the_desired_state_comes_back_with_its_digest(deployments: Deployments) -> None:
    assert deployments.desired() is None
    state = DesiredState(commit="a" * 40)
    digest = deployments.publish(state)
    assert deployments.desired() == (digest, state)
    assert digest == state.content_digest()


def test_the_reference_names_commit_and_what_was_before(deployments: Deployments) -> None:
    first = deployments.publish(DesiredState(commit="a" * 40))
    second = deployments.publish(DesiredState(commit="b" * 40))
    expected = {"digest": second, "commit": "b" * 40, "previous": first}
    assert deployments.store.get_ref(DESIRED) == expected
    assert deployments.publish(DesiredState(commit="b" * 40)) == second
    assert deployments.store.get_ref(DESIRED) == expected, "publishing the same again changes nothing"


def test_of_two_writers_the_last_wins_whole(deployments: Deployments, tmp_path: Path) -> None:
    states = [DesiredState(commit=f"{number:040x}") for number in range(8)]
    digests = {state.content_digest() for state in states}
    seen, stop = set(), threading.Event()

    def read() -> None:
        mine = Deployments(ArtifactStore(str(tmp_path / "store")), str(tmp_path / "serving"))
        while not stop.is_set():
            found = mine.desired()
            seen.add(found is None or (found[0] in digests and found[1].content_digest() == found[0]))

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=deployments.publish, args=(state,)) for state in states]
    reader.start()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    stop.set()
    reader.join()
    last = deployments.desired()
    assert last is not None and last[1] in states
    assert seen == {True}


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"digest": 7}', '{"digest": "sha256:no"}'])
def test_a_broken_reference_is_named(deployments: Deployments, tmp_path: Path, content: str) -> None:
    deployments.publish(DesiredState(commit=None))
    (tmp_path / "store" / "refs" / f"{DESIRED}.json").write_text(content)
    with pytest.raises(MachineryError, match=r"deployments/desired|not a digest"):
        deployments.desired()


def test_a_blob_that_is_no_desired_state_is_named(deployments: Deployments) -> None:
    digest = deployments.store.put(b'{"commit": null, "modles": {}}')
    deployments.store.set_ref(DESIRED, {"digest": digest})
    with pytest.raises(MachineryError, match=r"no DesiredState: modles: .*Deploy again"):
        deployments.desired()


def test_a_lost_blob_is_named(deployments: Deployments) -> None:
    deployments.store.set_ref(DESIRED, {"digest": ONNX})
    with pytest.raises(MachineryError, match="no artifact"):
        deployments.desired()


def test_a_server_rewrites_its_own_report(deployments: Deployments) -> None:
    assert deployments.reports() == []
    deployments.report(report("b"))
    deployments.report(report("a"))
    deployments.report(report("a", desired=ONNX))
    assert [(r.server, r.desired) for r in deployments.reports()] == [("a", ONNX), ("b", None)]
    deployments.forget("a")
    deployments.forget("a")
    assert [r.server for r in deployments.reports()] == ["b"]


def test_unreadable_reports_are_left_out_and_told(deployments: Deployments, tmp_path: Path) -> None:
    deployments.report(report("good"))
    folder = tmp_path / "serving" / "servers"
    (folder / "half.json").write_text(report("half").to_json()[:80])
    (folder / "newer.json").write_text(json.dumps({**json.loads(report("newer").to_json()), "schema_version": 2}))
    (folder / ".good.json.aside").write_text("{")
    told: list[str] = []
    assert [r.server for r in deployments.reports(told.append)] == ["good"]
    assert len(told) == 2 and all("no ServerReport" in words and "ignored" in words for words in told)
    assert any("half.json" in words for words in told)


def test_a_report_that_goes_while_it_is_read_is_no_error(deployments: Deployments, tmp_path: Path) -> None:
    deployments.report(report("a"))
    (tmp_path / "serving" / "servers" / "gone.json").symlink_to(tmp_path / "nowhere")
    assert [r.server for r in deployments.reports()] == ["a"]


@pytest.mark.parametrize("name", ["../a", "a/b", "", ".hidden", "a..b", "x" * 201, "a\nb"])
def test_no_name_becomes_a_path(deployments: Deployments, name: str) -> None:
    with pytest.raises(MachineryError, match="no name for a server"):
        deployments.report(report(name))
    with pytest.raises(MachineryError, match="no name for a model"):
        deployments.reject(rejection(model=name))


def test_rejections_are_kept_and_found_by_bytes_and_lock(deployments: Deployments) -> None:
    assert deployments.rejections() == [] and deployments.is_rejected("tardy", ONNX, LOCK) is None
    first, second = rejection(), rejection(server="b", at=NOW.replace(hour=13))
    other = rejection(model="early", at=NOW.replace(hour=11))
    for each in (first, second, other):
        deployments.reject(each)
    assert deployments.rejections("tardy") == [first, second]
    assert deployments.rejections() == [other, first, second]
    assert deployments.is_rejected("tardy", ONNX, LOCK) == second, "the last one"
    assert deployments.is_rejected("tardy", ONNX, ONNX) is None, "another lock is a new chance"
    assert deployments.is_rejected("tardy", LOCK, LOCK) is None, "other bytes"


def test_numbers_that_are_none_are_kept_as_unknown(deployments: Deployments, tmp_path: Path) -> None:
    deployments.reject(rejection(observed={"p99_seconds": float("nan"), "errors": 0}))
    (found,) = deployments.rejections("tardy")
    assert found.observed == {"p99_seconds": None, "errors": 0}
    assert "NaN" not in next((tmp_path / "serving" / "rejections" / "tardy").iterdir()).read_text()


@pytest.mark.parametrize("content", ["{", '{"model": "tardy"}'])
def test_a_rejection_that_cannot_be_read_is_an_error(deployments: Deployments, tmp_path: Path, content: str) -> None:
    deployments.reject(rejection())
    next((tmp_path / "serving" / "rejections" / "tardy").iterdir()).write_text(content)
    with pytest.raises(MachineryError, match=r"rejections/tardy.*Restore"):
        deployments.is_rejected("tardy", ONNX, LOCK)


def test_a_place_that_is_no_folder_is_named(deployments: Deployments, tmp_path: Path) -> None:
    (tmp_path / "serving").write_text("a file")
    with pytest.raises(MachineryError, match="serving"):
        deployments.report(report("a"))
    (tmp_path / "serving").unlink()
    (tmp_path / "serving").mkdir()
    (tmp_path / "serving" / "servers").write_text("a file")
    with pytest.raises(MachineryError, match="servers: can't be used"):
        deployments.reports()


@pytest.mark.slow
def test_object_storage_shows_every_change_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """fsspec remembers listings and lengths; a report that grew must come whole, a new rejection at once."""
    from s3fs import S3FileSystem

    with object_storage("acts") as told:
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        found = Deployments(ArtifactStore("s3://acts/store"), "s3://acts/serving")
        other = S3FileSystem(skip_instance_cache=True, use_listings_cache=False)  # another machine's server
        digest = found.publish(DesiredState(commit="a" * 40))
        assert found.desired() == (digest, DesiredState(commit="a" * 40))
        assert found.reports() == [] and found.rejections() == []
        for desired in (None, ONNX):
            other.pipe("acts/serving/servers/a.json", report("a", desired=desired).to_json().encode())
            assert [r.desired for r in found.reports()] == [desired]
        other.pipe("acts/serving/rejections/tardy/1.json", rejection().to_json().encode())
        assert found.rejections() == [rejection()]
        other.pipe("acts/serving/rejections/tardy/2.json", rejection(server="b").to_json().encode())
        last = found.is_rejected("tardy", ONNX, LOCK)
        assert last is not None and last.server == "b"
        other.rm("acts/serving/servers/a.json")
        assert found.reports() == []
