"""A bundle from anywhere: what isn't exactly what its manifest says is refused."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.domain.base import digest_of_bytes
from dagster_project.domain.bundle import FILES, MANIFEST, MODEL, BundleFile, BundleManifest, Input, Parity
from dagster_project.domain.errors import MachineryError, RefusedError
from dagster_project.storage.bundles import fetch_bundle, is_complete, load_model, read_bundle, store_bundle
from dagster_project.storage.store import ArtifactStore

DIGEST = "sha256:" + "0" * 64


def write_bundle(folder: Path) -> BundleManifest:
    """A small bundle whose files need not be real."""
    folder.mkdir(parents=True)
    contents = {name: f"content of {name}".encode() for name in FILES}
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    manifest = BundleManifest(
        model="late",
        task="binary",
        target="late",
        family="logistic_regression",
        parameters={"C": 1.0},
        features=("hour",),
        inputs=(Input(name="hour", dtype="float32"),),
        outputs=("label", "probabilities"),
        classes=(False, True),
        dataset="departures",
        contract_version="1.0.0",
        snapshot=DIGEST,
        build_key=DIGEST,
        training_digest=DIGEST,
        code_digest=DIGEST,
        environment_digest=DIGEST,
        seed=0,
        rows={"train": 1, "validation": 1},
        parity=Parity(maximum_difference=0.0, flipped_labels=0, rows=1, planted=()),
        files={name: BundleFile(digest=digest_of_bytes(data), size=len(data)) for name, data in contents.items()},
    )
    (folder / MANIFEST).write_text(manifest.to_json())
    return manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bundle(tmp_path / "bundle")
    return tmp_path / "bundle"


def edit(folder: Path, change: Callable[[dict], None]) -> None:
    """Change the manifest as a forger would."""
    manifest = json.loads((folder / MANIFEST).read_text())
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))


def test_a_bundle_comes_back_from_the_store(folder: Path, tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path / "store"))
    digest = store_bundle(store, folder)
    assert digest == read_bundle(folder).content_digest()
    assert store_bundle(store, folder) == digest
    assert is_complete(store, digest)
    assert fetch_bundle(store, digest, tmp_path / "copy") == read_bundle(tmp_path / "copy") == read_bundle(folder)
    assert load_model(store, read_bundle(folder)) == f"content of {MODEL}".encode()


def test_a_bundle_with_a_lost_file_is_not_complete(folder: Path, tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path / "store"))
    digest = store_bundle(store, folder)
    next((tmp_path / "store" / "blobs").rglob(read_bundle(folder).onnx_digest[7:])).unlink()
    assert not is_complete(store, digest)


def plant_extra(folder: Path) -> None:
    (folder / "setup.py").write_text("print()")


def plant_folder(folder: Path) -> None:
    (folder / "more").mkdir()


def plant_link(folder: Path) -> None:
    (folder / MODEL).unlink()
    (folder / MODEL).symlink_to("/etc/hostname")


def plant_hard_link(folder: Path) -> None:
    (folder.parent / "elsewhere").write_bytes((folder / MODEL).read_bytes())
    (folder / MODEL).unlink()
    os.link(folder.parent / "elsewhere", folder / MODEL)


def plant_pipe(folder: Path) -> None:
    (folder / MODEL).unlink()
    os.mkfifo(folder / MODEL)


def truncate(folder: Path) -> None:
    (folder / MODEL).write_bytes((folder / MODEL).read_bytes()[:-1])


def flip(folder: Path) -> None:
    data = bytearray((folder / MODEL).read_bytes())
    data[0] ^= 1
    (folder / MODEL).write_bytes(bytes(data))


def lose(folder: Path) -> None:
    (folder / MODEL).unlink()


def lose_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()


def traverse(folder: Path) -> None:
    edit(folder, lambda m: m["files"].update({"../../outside": m["files"][MODEL]}))


def absolute(folder: Path) -> None:
    edit(folder, lambda m: m["files"].update({"/etc/hostname": m["files"][MODEL]}))


def garble(folder: Path) -> None:
    (folder / MANIFEST).write_bytes(b"\xff\xfe{")


def unknown_key(folder: Path) -> None:
    edit(folder, lambda m: m.update({"run": "rm -rf"}))


def huge_claim(folder: Path) -> None:
    edit(folder, lambda m: m["files"][MODEL].update(size=10**12))


def no_model(folder: Path) -> None:
    edit(folder, lambda m: m["files"].pop(MODEL))


@pytest.mark.parametrize(
    "harm",
    [plant_extra, plant_folder, plant_link, plant_hard_link, plant_pipe, truncate, flip, lose, lose_manifest,
     traverse, absolute, garble, unknown_key, huge_claim, no_model],
)  # fmt: skip
def test_a_harmed_bundle_is_refused(folder: Path, tmp_path: Path, harm: Callable[[Path], None]) -> None:
    harm(folder)
    with pytest.raises(RefusedError) as refused:
        store_bundle(ArtifactStore(str(tmp_path / "store")), folder)
    assert refused.value.exit_code == 1
    assert not (tmp_path / "store").exists(), "nothing of a refused bundle is kept"


def test_corrupted_bytes_in_the_store_are_machinery(folder: Path, tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path / "store"))
    store_bundle(store, folder)
    manifest = read_bundle(folder)
    next((tmp_path / "store" / "blobs").rglob(manifest.onnx_digest[7:])).write_bytes(b"?")
    with pytest.raises(MachineryError, match="its bytes are not"):
        load_model(store, manifest)
