"""A bundle's headroom report at judge: a stranger's claim, shown as it is, believed by nothing."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ci.judging.headroom import MOST_BYTES, headroom_of
from dagster_project.domain.bundle import HEADROOM, BundleFile
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.headroom_report import HeadroomReport
from dagster_project.storage.store import ArtifactStore

REPORT = HeadroomReport(task="binary", family="ridge", metric="roc_auc", rows=10, validation=5)


def model(store: ArtifactStore, data: bytes | None, size: int | None = None) -> Any:
    entries = {} if data is None else {HEADROOM: BundleFile(digest=store.put(data), size=size or len(data))}
    return SimpleNamespace(manifest=SimpleNamespace(files=entries))


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    assert headroom_of(store, model(store, REPORT.to_json().encode())) == REPORT
    assert headroom_of(store, model(store, None)) is None


@pytest.mark.parametrize(
    ("data", "size", "said"),
    [
        (b"{}", None, "task: Field required"),
        (b"nothing", None, "Invalid JSON"),
        (REPORT.to_json().replace("ridge", "r" * 500).encode(), None, "family: String should have at most"),
        (b"{}", MOST_BYTES + 1, "more than"),
    ],
)
def test_what_is_none_is_refused(tmp_path: Path, data: bytes, size: int | None, said: str) -> None:
    store = ArtifactStore(str(tmp_path))
    with pytest.raises(RefusedError, match=said):
        headroom_of(store, model(store, data, size))
