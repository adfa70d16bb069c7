"""A model that reads images, from its contract to what it answers to clients and what is watched of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ci.demo.server import call, serving
from ci.main import main
from dagster_project.data.images import decode
from dagster_project.domain.contract import ImageForm
from dagster_project.domain.errors import MachineryError
from dagster_project.inference.frames import tensors
from dagster_project.monitoring import tables
from dagster_project.monitoring.champion import predictor_of
from dagster_project.monitoring.drift_rows import reference_of, window_of
from dagster_project.monitoring.reconcile import reconcile
from dagster_project.quality.properties import property_names
from tests.ci.workbench import MODEL, crown
from tests.modalities.pictures import READING, digits
from tests.monitoring.deployed import watching
from tests.serving.browser import Page, browsing, chromium
from tests.training.wide import pictures
from tests.trees import edited

DAY = timedelta(days=1)
LOGGED = edited(READING, ("task: multiclass\n", "task: multiclass\nserving: {log: {inputs: 1.0, flush: PT0.1S}}\n"))


def tensor(images: np.ndarray, shape: list[int], datatype: str = "UINT8") -> dict[str, Any]:
    return {"name": "picture", "shape": shape, "datatype": datatype, "data": images.reshape(-1).tolist()}


def look(url: str, folder: Path, file: bytes) -> None:
    """A person chooses a file on the page, asks, and is shown what each patch added."""
    path = chromium()
    if path is None:
        return  # the tests of the page itself say that no browser is installed
    (folder / "digit.png").write_bytes(file)
    with browsing(path, folder / "profile") as pipe:
        page = Page(pipe, url)
        page.until("document.querySelector('#form input[type=file]')")
        root = page.call("DOM.getDocument")["root"]["nodeId"]
        node = page.call("DOM.querySelector", nodeId=root, selector="#form input[type=file]")["nodeId"]
        page.call("DOM.setFileInputFiles", nodeId=node, files=[str(folder / "digit.png")])
        drawn = "document.querySelector('#form canvas').getContext('2d').getImageData(0, 0, 8, 8).data"
        due = decode(file, ImageForm(width=8, height=8, channels=1)).reshape(-1).tolist()
        page.until(f"[...{drawn}].filter((_, place) => place % 4 === 0).join() === '{','.join(map(str, due))}'")
        page.click("#form button.main")
        page.until("document.querySelector('#form .big')")
        page.click("#form button.main + button")
        page.until("document.querySelectorAll('.patches i').length === 49")
        assert page.complaints() == []


@pytest.mark.slow
def test_an_image_is_judged_served_and_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tritonclient.http as triton

    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    repo = crown(digits(tmp_path / "repo", spec=""), LOGGED)
    assert "| `picture` | 100.0 % |" in (repo / f"models/{MODEL}/card.md").read_text()
    table = pictures(rows=1200).tail(20)
    images = np.stack([decode(data, ImageForm(width=8, height=8, channels=1)) for data in table["picture"]])
    with serving(repo) as url:
        assert main(["deploy", "--repo", str(repo)]) == 0
        place = f"{url}/v2/models/{MODEL}"
        (given,) = call(place)["inputs"]
        assert given["shape"] == [-1, 8, 8, 1] and given["parameters"]["modality"] == "image"
        flat, whole = (
            call(f"{place}/infer", {"inputs": [tensor(images, [20, *shape])]})["outputs"][0]["data"]
            for shape in ([64], [8, 8, 1])
        )
        assert flat == whole and np.mean(np.array(flat) == table["target"].to_numpy()) > 0.8
        client = triton.InferenceServerClient(url.removeprefix("http://"))
        sent = triton.InferInput("picture", [20, 8, 8, 1], "UINT8")
        sent.set_data_from_numpy(images)
        assert client.infer(MODEL, [sent]).as_numpy("label").reshape(-1).tolist() == flat
        client.close()
        explained = call(f"{place}/explain", {"inputs": [tensor(images[:1], [1, 64])]})
        patches = explained["parameters"]["patches"]["picture"]
        answers = next(each["data"] for each in explained["outputs"] if each["name"] == "answers")
        assert patches["shape"] == [7, 7] and len(patches["attributions"]) == 49
        summed = np.array(patches["base"]) + np.sum(patches["attributions"], axis=0)
        assert summed == pytest.approx(answers, abs=1e-5)
        assert "patches" not in call(f"{place}/explain", {"inputs": [tensor(images, [20, 64])]})["parameters"]
        look(url, tmp_path, table["picture"][0])
        for wrong, said in (
            (tensor(images, [20, 4, 16, 1]), r"its shape is \[20, 4, 16, 1\]; send \[rows, 64\] or \[rows, 8, 8, 1\]"),
            (tensor(images.astype(int) + 99, [20, 64], "INT32"), "above the maximum 255"),
        ):
            with pytest.raises(MachineryError, match=said):
                call(f"{place}/infer", {"inputs": [wrong]})
    assert main(["ingest", "--repo", str(repo)]) == 0
    here, now = watching(repo), datetime.now(UTC)
    assert reconcile(here, now).answers in (60, 61), "the page asked once"
    logged = tables.with_inputs(tables.answers(here), here).collect().sort("at", "row_id")
    again = tensors(
        logged.select(pl.col(tables.input_column("picture")).alias("picture")), predictor_of(here).manifest.inputs
    )
    assert (again["picture"][:20] == images.reshape(20, -1)).all(), "the log has the pixels as they were sent"
    window, reference = window_of(here, now.date() - DAY, now.date() + DAY), reference_of(here)
    assert reference is not None and len(window) in (60, 61)
    assert window.inputs == reference.inputs == tuple(property_names(here.contract.column("picture")))
    brightness = [side.columns["picture: brightness"].mean() for side in (window, reference)]
    assert brightness[0] == pytest.approx(brightness[1], rel=0.1)


def test_pictures_that_are_none_are_put_aside(tmp_path: Path) -> None:
    from dagster_project.data.datasets import materialise, read, read_quarantine
    from tests.pipeline.small import opened

    repo = digits(tmp_path / "repo", spec="")
    file = next((repo / "landing/digits").iterdir())
    table = pl.read_parquet(file)
    images = table["picture"].to_list()
    images[3], images[5], images[7] = images[3][:60], b"no image", pictures(3)["picture"][0]
    table.with_columns(pl.Series("picture", images)).write_parquet(file)
    head, workspace = opened(repo)
    made = materialise(head.contracts["digits"], {}, workspace)
    found = {finding.name: finding for finding in made.findings}["picture.form"]
    assert found.value == "3" and "in quarantine" in found.summary
    assert [sample["picture"] for sample in found.details["samples"]] == [
        "PNG 8 x 8 L, 60 bytes", "8 bytes that are no image", f"PNG 8 x 8 RGB, {len(images[7])} bytes",
    ]  # fmt: skip
    assert made.snapshot is not None and read(made.snapshot).collect().height == 1197
    aside = read_quarantine(made.snapshot)
    assert aside is not None and aside.collect()["digit"].to_list() == ["d3", "d5", "d7"]


def test_pictures_may_be_files_that_rows_name(tmp_path: Path) -> None:
    from dagster_project.data.datasets import materialise, read
    from tests.pipeline.small import opened

    repo = digits(tmp_path / "repo", spec="")
    landing = repo / "landing/digits"
    table = pl.read_parquet(landing / "digits.parquet")
    (landing / "digits.parquet").unlink()
    (landing / "png").mkdir()
    for name, data in table.select("digit", "picture").rows():
        (landing / "png" / f"{name}.png").write_bytes(data)
    named = table.with_columns(pl.concat_str(pl.lit("png/"), "digit", pl.lit(".png")).alias("picture"))
    named.write_csv(landing / "digits.csv")
    contract = repo / "data_contracts/digits.yaml"
    contract.write_text(edited(contract.read_text(), ("*.parquet", "*.csv"), ("format: parquet", "format: csv")))
    head, workspace = opened(repo)
    made = materialise(head.contracts["digits"], {}, workspace)
    assert made.snapshot is not None
    kept = read(made.snapshot).collect().sort("digit")
    assert kept["picture"].to_list() == table.sort("digit")["picture"].to_list()

    (repo / "landing/secret.png").write_bytes(table["picture"][0])
    named.with_columns(pl.col("picture").str.replace("png/d7.png", "../secret.png", literal=True)).write_csv(
        landing / "more.csv"
    )
    again = materialise(head.contracts["digits"], {}, workspace)
    (fault,) = [finding for finding in again.findings if finding.name == "picture.type"]
    assert again.snapshot is None and "1 other values, such as `../secret.png`" in fault.summary
