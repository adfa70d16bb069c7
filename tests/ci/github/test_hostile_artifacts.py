"""Artifacts and outboxes as an enemy makes them: refused in words, or read as what they are; nothing else happens."""

import io
import json
import os
import random
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ci.github.builds
from ci.github.builds import RESULT, unpack
from ci.github.outbox import MOST_BLOBS, Outbox, read_outbox, take_in, write_outbox
from dagster_project.domain.base import digest_of_bytes
from dagster_project.domain.build import BuildResult
from dagster_project.domain.errors import RefusedError
from dagster_project.storage.store import ArtifactStore
from tests.ci.github.scene import BUILT, GOOD, SPEC, YES, Scene, zipped

BUILD = BuildResult(kind="model", name="tardy", outcome="built").to_json().encode()
HONEST = {RESULT: BUILD, "bundle/bundle.json": b"{}", "bundle/model.onnx": b"graph" * 50}


def test_an_honest_build_is_unpacked(tmp_path: Path) -> None:
    assert unpack(zipped(HONEST), tmp_path).name == "tardy"
    assert {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()} == set(HONEST)


@pytest.mark.parametrize(
    "name",
    ["../out", "/tmp/out", "bundle/../../out", "bundle\\..\\out", "Result.json", "bundle/x", "./result.json"],
)
def test_a_name_that_no_build_has_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RefusedError, match=r"can't be unpacked|holds what no build has"):
        unpack(zipped(HONEST | {name: b"x"}), tmp_path / "here")
    assert not list(tmp_path.rglob("*out*"))


def test_a_name_with_more_behind_a_nul_is_refused(tmp_path: Path) -> None:
    data = zipped(HONEST | {"result.jsonXpy": b"x"}).replace(b"result.jsonXpy", b"result.json\0py")
    with pytest.raises(RefusedError):
        unpack(data, tmp_path)


def test_an_entry_without_a_name_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped({"A": b"x"}))
    for mark, length in ((b"PK\x03\x04", 26), (b"PK\x01\x02", 28)):
        place = data.index(mark) + length
        data[place], data[place + 2] = 0, 1
    with pytest.raises(RefusedError, match="holds what no build has"):
        unpack(bytes(data), tmp_path)


def test_a_file_twice_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO(zipped(HONEST))
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "a") as archive:
        warnings.simplefilter("ignore", UserWarning)
        archive.writestr(RESULT, BUILD)
    with pytest.raises(RefusedError, match="a file twice"):
        unpack(buffer.getvalue(), tmp_path)


def test_a_link_becomes_a_plain_file(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo(RESULT)
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(RefusedError, match=r"holds no result\.json"):
        unpack(buffer.getvalue(), tmp_path)
    assert not (tmp_path / RESULT).is_symlink() and (tmp_path / RESULT).read_text() == "/etc/passwd"


def test_ten_thousand_entries_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="holds what no build has"):
        unpack(zipped({f"bundle/{number}": b"" for number in range(10_000)}), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_bomb_is_cut_where_a_build_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ci.github.builds, "MAX_FILE_BYTES", 1000)
    with pytest.raises(RefusedError, match=r"bundle/model\.onnx .* larger than 1,000 bytes"):
        unpack(zipped(HONEST | {"bundle/model.onnx": b"0" * 50_000_000}), tmp_path)
    assert not (tmp_path / "bundle" / "model.onnx").exists()


def test_a_size_that_lies_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped({RESULT: BUILD}))
    central = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, central + 24, 10)
    with pytest.raises(RefusedError):
        unpack(bytes(data), tmp_path)


@pytest.mark.parametrize(
    "result",
    [
        b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"kind": "model"}', b"[" * 100_000, BUILD.replace(b"model", b"code"),
        BUILD.replace(b"{", b'{"more": 1,', 1), BUILD.replace(b"tardy", b"\\ud800"),
    ],
)  # fmt: skip
def test_a_result_that_is_none_is_refused(tmp_path: Path, result: bytes) -> None:
    with pytest.raises(RefusedError, match=r"holds no result\.json of a build"):
        unpack(zipped(HONEST | {RESULT: result}), tmp_path)


def test_a_giant_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="larger than 4,194,304"):
        unpack(zipped({RESULT: b" " * 5_000_000 + BUILD}), tmp_path)


def test_an_encrypted_entry_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped(HONEST))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + flags] |= 1
    with pytest.raises(RefusedError, match=r"encrypted|can't be unpacked"):
        unpack(bytes(data), tmp_path)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_broken_zips_are_refused_in_words_whatever_is_broken(tmp_path: Path, method: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in HONEST.items():
            archive.writestr(name, content)
    whole, chance = buffer.getvalue(), random.Random(method)
    for attempt in range(400):
        data = bytearray(whole)
        if attempt % 4 == 0:
            data = data[: chance.randrange(len(data))]
        for _ in range(chance.randint(1, 4)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            unpack(bytes(data), tmp_path / str(attempt))
        except RefusedError as error:
            assert "uild" in str(error)


def test_what_can_t_be_unpacked_breaks_the_report_and_a_second_run_mends_it(scene: Scene) -> None:
    pull, builds = scene.pushed("better", {SPEC: GOOD}), scene.studio.build()
    data = bytearray(zipped(builds[BUILT]))
    largest = max(zipfile.ZipFile(io.BytesIO(data)).infolist(), key=lambda entry: entry.compress_size)
    data[largest.header_offset + 30 + len(largest.filename) + largest.compress_size // 2] ^= 0xFF
    scene.publish(scene.judged(scene.launched(pull, {**builds, **YES, BUILT: bytes(data)})))
    assert scene.check(pull.head)["conclusion"] == "action_required"
    assert "Broken" in scene.comment(pull.number) and "Build again" in scene.comment(pull.number)
    assert scene.head(pull.number) == pull.head and not scene.rows("judgements")
    scene.publish(scene.judged(scene.trained(pull)))
    assert scene.check(pull.head)["conclusion"] == "success" and scene.head(pull.number) != pull.head


@pytest.mark.parametrize(
    ("result", "said"),
    [({"name": "other"}, "says that it is of model other"), ({"kind": "dataset"}, "says that it is of dataset tardy")],
)
def test_a_build_of_something_else_is_refused(scene: Scene, result: dict[str, str], said: str) -> None:
    pull, builds = scene.pushed("better", {SPEC: GOOD}), scene.studio.build()
    builds[BUILT][RESULT] = json.dumps(json.loads(builds[BUILT][RESULT]) | result).encode()
    scene.publish(scene.judged(scene.launched(pull, builds | YES)))
    assert said in scene.comment(pull.number) and scene.check(pull.head)["conclusion"] == "action_required"


def test_numbers_that_are_none_and_names_of_others_break_nothing(scene: Scene) -> None:
    pull, builds = scene.pushed("better", {SPEC: GOOD}), scene.studio.build()
    claimed = {"seconds": "@", "stages": {"tardy": "Infinity"}}
    text = json.dumps(json.loads(builds[BUILT][RESULT]) | claimed).replace('"@"', "NaN").replace('"Inf', "Inf")
    builds[BUILT][RESULT] = text.replace('nity"', "nity").encode()
    more = {"outbox": b"PK nothing", "build-model-../../x": b"", "build-": b"", "build-model-tardy-2": b""}
    scene.publish(scene.judged(scene.launched(pull, {**builds, **YES, **more})))
    assert scene.check(pull.head)["conclusion"] == "success"


# The outbox


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    """Written to ``tmp_path / "out"``, with two blobs."""
    store = ArtifactStore(str(tmp_path / "made"))
    blobs = (store.put(b"one"), store.put(b"two"))
    made = Outbox(
        repository="acme/rides", pull=1, head="a" * 40, base="b" * 40, launcher="train", run=1, preview=False,
        report=blobs[0], blobs=blobs,
    )  # fmt: skip
    write_outbox(tmp_path / "out", made, store)
    return made


def name(digest: str) -> str:
    return digest.removeprefix("sha256:")


def test_an_outbox_is_taken_in_whole(tmp_path: Path, outbox: Outbox) -> None:
    store = ArtifactStore(str(tmp_path / "store"))
    digest = digest_of_bytes((tmp_path / "out" / "outbox.json").read_bytes())
    assert read_outbox(tmp_path / "out", digest) == outbox
    take_in(tmp_path / "out", outbox.blobs, store)
    assert store.own_digests() == sorted(outbox.blobs)


def _link(blob: Path) -> None:
    secret = blob.with_name("secret")
    secret.write_bytes(blob.read_bytes())
    blob.unlink()
    blob.symlink_to(secret)


def _fifo(blob: Path) -> None:
    blob.unlink()
    os.mkfifo(blob)


def _folder(blob: Path) -> None:
    blob.unlink()
    blob.mkdir()


@pytest.mark.parametrize(
    "harm",
    [_link, _fifo, _folder, Path.unlink, lambda blob: blob.write_bytes(b"three"), lambda blob: blob.write_bytes(b"")],
    ids=["link", "fifo", "folder", "missing", "other bytes", "empty"],
)
@pytest.mark.parametrize("which", ["blob", "document"])
def test_what_is_no_plain_file_of_its_bytes_is_refused(
    tmp_path: Path, outbox: Outbox, harm: Callable[[Path], Any], which: str
) -> None:
    out, store = tmp_path / "out", ArtifactStore(str(tmp_path / "store"))
    digest = digest_of_bytes((out / "outbox.json").read_bytes())
    harm(out / (name(outbox.blobs[1]) if which == "blob" else "outbox.json"))
    with pytest.raises(RefusedError, match=r"Nothing|Run the workflow again"):
        take_in(out, read_outbox(out, digest).blobs, store)
    assert which == "blob" or not store.own_digests()


@pytest.mark.parametrize("digest", ["sha256:../secret", "../secret", "/etc/passwd", "/dev/zero", "sha256:", ""])
def test_a_name_that_leads_elsewhere_is_no_blob(tmp_path: Path, outbox: Outbox, digest: str) -> None:
    (tmp_path / "secret").write_text("secret")
    store = ArtifactStore(str(tmp_path / "store"))
    with pytest.raises(RefusedError):
        take_in(tmp_path / "out", (digest,), store)
    assert not store.own_digests()


def test_too_many_bytes_are_refused(tmp_path: Path, outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ci.github.outbox.MOST_BYTES", 5)
    store = ArtifactStore(str(tmp_path / "store"))
    with pytest.raises(RefusedError, match="more than 5 bytes"):
        take_in(tmp_path / "out", outbox.blobs, store)


@pytest.mark.parametrize(
    "alter",
    [
        {"more": 1}, {"pull": "one"}, {"schema_version": 2}, {"report": "x"}, {"launcher": "me"},
        {"blobs": ["x"] * (MOST_BLOBS + 1)},
    ],
)  # fmt: skip
def test_a_document_that_is_no_outbox_is_refused(tmp_path: Path, outbox: Outbox, alter: dict[str, Any]) -> None:
    place = tmp_path / "out" / "outbox.json"
    data = json.dumps(json.loads(place.read_bytes()) | alter).encode()
    place.write_bytes(data)
    with pytest.raises(RefusedError, match="no outbox"):
        read_outbox(tmp_path / "out", digest_of_bytes(data))
