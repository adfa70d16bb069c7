"""Artifacts by digest: what goes in comes out, or an error says why not."""

import json
from pathlib import Path

import pytest

from dagster_project.domain.errors import MachineryError
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.ledger import Ledger
from dagster_project.storage.store import ArtifactStore


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(str(tmp_path / "store"))


def test_bytes_come_back_by_digest(store: ArtifactStore) -> None:
    digest = store.put(b"weights")
    assert store.put(b"weights") == digest
    assert store.get(digest) == b"weights"
    assert store.has(digest)
    assert not store.has("sha256:" + "0" * 64)


def test_changed_bytes_are_found(store: ArtifactStore, tmp_path: Path) -> None:
    digest = store.put(b"weights")
    next((tmp_path / "store" / "blobs").rglob(digest[7:])).write_bytes(b"other")
    with pytest.raises(MachineryError, match="its bytes are not"):
        store.get(digest)


@pytest.mark.parametrize("digest", ["", "sha256:..", "../../etc/passwd", "sha256:" + "g" * 64, "md5:" + "0" * 32])
def test_what_is_no_digest_never_becomes_a_path(store: ArtifactStore, digest: str) -> None:
    with pytest.raises(MachineryError, match="not a digest"):
        store.get(digest)


@pytest.mark.parametrize("name", ["../up", "/root", "a/../../b", "a//b", "", "a b"])
def test_what_is_no_name_never_becomes_a_path(store: ArtifactStore, name: str) -> None:
    with pytest.raises(MachineryError, match="no name"):
        store.set_ref(name, {})


def test_refs_are_listed_below_their_prefix(store: ArtifactStore) -> None:
    store.set_ref("builds/late/sha256:1", {"bundle": "a"})
    store.set_ref("builds/late/sha256:1", {"bundle": "b"})
    store.set_ref("latest/model/late", {})
    assert store.refs("builds") == ["builds/late/sha256:1"]
    assert store.get_ref("builds/late/sha256:1") == {"bundle": "b"}
    assert store.get_ref("builds/none") is None


def test_nothing_half_written_stays(store: ArtifactStore, tmp_path: Path) -> None:
    store.put(b"x" * 1000)
    assert not [path for path in (tmp_path / "store").rglob("*") if path.name.startswith(".")]


def test_a_broken_ref_says_what_to_do(store: ArtifactStore, tmp_path: Path) -> None:
    store.set_ref("latest", {"a": 1})
    (tmp_path / "store" / "refs" / "latest.json").write_text("{")
    with pytest.raises(MachineryError, match="build again"):
        store.get_ref("latest")


def test_ledger_keeps_rows_in_order(tmp_path: Path) -> None:
    ledger = Ledger(str(tmp_path), "judgements")
    assert ledger.rows() == []
    for number in range(5):
        ledger.append({"number": number})
    assert [row["number"] for row in Ledger(str(tmp_path), "judgements").rows()] == [0, 1, 2, 3, 4]
    assert all("written" in row for row in ledger.rows())


def test_an_edited_ledger_is_refused(tmp_path: Path) -> None:
    ledger = Ledger(str(tmp_path), "judgements")
    ledger.append({"number": 1})
    next((tmp_path / "judgements").iterdir()).write_text("not json")
    with pytest.raises(MachineryError, match="not a ledger's row"):
        ledger.rows()


def test_refs_are_readable_files(store: ArtifactStore, tmp_path: Path) -> None:
    store.set_ref("latest", {"b": 1, "a": 2})
    assert json.loads((tmp_path / "store" / "refs" / "latest.json").read_text()) == {"a": 2, "b": 1}


def test_what_lies_behind_is_read_and_never_written(tmp_path: Path) -> None:
    behind = ArtifactStore(str(tmp_path / "shared"))
    shared = behind.put(b"champion")
    behind.set_ref("verdicts/model/tardy", {"verdict": shared})
    before = sorted((tmp_path / "shared").rglob("*"))
    store = ArtifactStore(str(tmp_path / "own"), behind)
    assert store.get(shared) == b"champion" and store.has(shared)
    assert store.put(b"champion") == shared and store.own_digests() == [], "what is behind is not kept twice"
    own = store.put(b"challenger")
    store.set_ref("verdicts/model/tardy", {"verdict": own})
    store.set_ref("verdicts/model/other", {"verdict": own})
    assert store.own_digests() == [own] and not behind.has(own)
    assert store.get_ref("verdicts/model/tardy") == {"verdict": own}, "ours goes before what is behind"
    assert store.refs("verdicts") == ["verdicts/model/other", "verdicts/model/tardy"]
    assert sorted((tmp_path / "shared").rglob("*")) == before


def test_a_workspace_names_the_store_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTS_STORE", str(tmp_path / "own"))
    assert ArtifactStore.of(Workspace(repo=tmp_path)).behind is None
    monkeypatch.setenv("ACTS_SHARED_STORE", str(tmp_path / "shared"))
    digest = ArtifactStore(str(tmp_path / "shared")).put(b"champion")
    assert ArtifactStore.of(Workspace(repo=tmp_path)).get(digest) == b"champion"
