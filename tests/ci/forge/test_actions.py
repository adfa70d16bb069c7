"""Runs and artifacts: what GitHub says of them, and no more bytes than are wanted."""

import io
import zipfile
from hashlib import sha256

import pytest

from ci.forge.values import Artifact, Run
from dagster_project.domain.errors import MachineryError, RefusedError, UsageError
from tests.ci.forge.clock import Clock
from tests.ci.forge.script import TOKEN, connected, script
from tests.ci.forge.site import MODELS, Site

WORKFLOW = ".github/workflows/pull-request.yml"
MOST = 1_000_000


def uploaded(site: Site, content: bytes | dict[str, str] | None = None) -> Artifact:
    """A run's only artifact, as the forge sees it."""
    run = site.double.run_began(MODELS, WORKFLOW, "pull_request", pull=site.pull())
    site.double.upload_artifact(run, "bundle", content or {"model.onnx": "bytes", "manifest.json": "{}"})
    (found,) = site.gate.artifacts(run.id)
    return found


def test_a_run_of_a_fork_is_read(site: Site) -> None:
    number = site.fork_pull()
    began = site.double.run_began(MODELS, WORKFLOW, "pull_request", pull=number)
    run = site.gate.run(began.id)
    assert run == Run(
        id=began.id,
        workflow=WORKFLOW,
        title=site.gate.pull(number).title,
        event="pull_request",
        head=site.gate.pull(number).head,
        head_branch="mine",
        head_repository="stranger/models",
        status="in_progress",
        conclusion=None,
        attempt=1,
        url=run.url,
    )
    site.double.run_ended(began, "success")
    assert (site.gate.run(began.id).status, site.gate.run(began.id).conclusion) == ("completed", "success")


def test_artifacts_are_listed_by_name_on_more_than_a_page(site: Site) -> None:
    run = site.double.run_began(MODELS, WORKFLOW, "pull_request", pull=site.pull())
    for turn in range(105):
        site.double.upload_artifact(run, f"bundle-{turn:03}", b"zip")
    found = site.gate.artifacts(run.id)
    assert [artifact.name for artifact in found] == [f"bundle-{turn:03}" for turn in range(105)]
    assert found[0] == Artifact(
        id=found[0].id, name="bundle-000", size=3, digest=f"sha256:{sha256(b'zip').hexdigest()}", expired=False
    )


def test_an_artifact_is_downloaded_whole(site: Site) -> None:
    data = site.gate.download(uploaded(site), MOST)
    assert zipfile.ZipFile(io.BytesIO(data)).read("model.onnx") == b"bytes"


def test_what_is_too_large_is_refused_before_and_while_it_is_read(site: Site) -> None:
    artifact = uploaded(site, b"x" * 5000)
    assert len(site.gate.download(artifact, 5000)) == 5000
    before = len(site.double.calls)
    with pytest.raises(RefusedError, match="more than 4,999 bytes"):
        site.gate.download(artifact, 4999)
    assert len(site.double.calls) == before
    with pytest.raises(RefusedError, match="more than 4,999 bytes"):
        site.gate.download(artifact.model_copy(update={"size": 10}), 4999)


def test_bytes_that_are_not_what_was_uploaded_are_not_taken(site: Site) -> None:
    artifact = uploaded(site)
    forged = artifact.model_copy(update={"digest": f"sha256:{'0' * 64}"})
    with pytest.raises(MachineryError, match="digest differs"):
        site.gate.download(forged, MOST)
    assert site.gate.download(artifact.model_copy(update={"digest": None}), MOST)


def test_an_expired_one_says_what_to_do(site: Site) -> None:
    artifact = uploaded(site)
    with pytest.raises(UsageError, match="has expired"):
        site.gate.download(artifact.model_copy(update={"expired": True}), MOST)
    site.double.world.repository(MODELS).artifacts[artifact.id].expired = True
    with pytest.raises(MachineryError, match="410"):
        site.gate.download(artifact, MOST)


@pytest.mark.parametrize("fault", [{"lost": True}, {"status": 502}])
def test_a_broken_download_is_begun_again(site: Site, fault: dict[str, object]) -> None:
    artifact = uploaded(site)
    site.double.faults.next("GET", "/zip$", **fault)  # type: ignore[arg-type]
    assert site.gate.download(artifact, MOST) and site.double.faults.met


def test_a_download_that_breaks_off_is_begun_again() -> None:
    from ci.forge.actions import download
    from ci.forge.failures import translated

    artifact = Artifact(id=1, name="bundle", size=4, digest=f"sha256:{sha256(b'data').hexdigest()}", expired=False)
    with script() as server:
        connection = connected(server, Clock())
        connection.__dict__["repository"] = type("Repository", (), {"url": server.url})
        server.steps = [(200, {"Content-Length": "9", "Connection": "close"}, b"da"), (200, {}, b"data")]
        with translated("x", TOKEN):
            assert connection.patience.settle(lambda: download(connection, artifact, MOST)) == b"data"
        assert len(server.seen) == 2


def test_a_run_that_is_not_there_is_named(site: Site) -> None:
    with pytest.raises(UsageError, match="run 77 in acme/models: not there"):
        site.gate.run(77)
