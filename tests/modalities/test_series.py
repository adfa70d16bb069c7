"""A model that forecasts a series, from two contracts to what it answers and what is watched of it."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ci.demo.server import call, serving
from ci.demo.temperatures import TEMPERATURES
from ci.main import main
from dagster_project.data.datasets import read
from dagster_project.data.records import current_snapshot
from dagster_project.domain.errors import MachineryError
from dagster_project.domain.workspace import Workspace
from dagster_project.monitoring.drift_rows import reference_of, window_of
from dagster_project.monitoring.reconcile import reconcile
from dagster_project.quality.properties import property_names
from tests.ci.workbench import MODEL, SPEC, crown, git, judged, save
from tests.monitoring.deployed import watching
from tests.trees import edited

DAY = timedelta(days=1)
SOURCE = TEMPERATURES.source
WHOLE = (SOURCE / "models/temperature/spec.yaml").read_text()
FAMILIES = WHOLE[WHOLE.index("  - family: seasonal_naive") : WHOLE.index("\nsearch:")]
FORECAST = edited(
    WHOLE,
    ("name: temperature\n", f"name: {MODEL}\n"),
    ("task: regression\n", "task: regression\nserving: {log: {inputs: 1.0, flush: PT0.1S}}\n"),
    (FAMILIES, "  - family: ridge\n    search: {alpha: 10.0}\n"),
    ("trials: 12", "trials: 1"),
)  # fmt: skip


def weather(folder: Path) -> Path:
    """A repository of the demo's contracts and our floor, on main."""
    shutil.copytree(SOURCE / "data_contracts", folder / "data_contracts")
    (folder / "models").mkdir()
    shutil.copy(Path(__file__).parents[2] / "models/floor.yaml", folder / "models/floor.yaml")
    (folder / ".gitignore").write_text(".acts/\n")
    git(folder, "init", "-q", "-b", "main")
    save(folder, "main")
    (folder / SPEC).parent.mkdir()
    return folder


def by_triton(url: str, rows: pl.DataFrame, windows: list[list[float | None]]) -> list[float]:
    """What tritonclient hears, in bytes; a missing step is NaN."""
    import tritonclient.http as triton

    columns = {name: rows[name].to_numpy().reshape(-1, 1) for name in ("airport", "clock", "pressure", "rise")}
    sent = {
        "airport": columns["airport"].astype(object), "clock": columns["clock"].astype(np.int32),
        "pressure": columns["pressure"].astype(np.float32), "rise": columns["rise"].astype(np.float32),
        "temperatures": np.array(windows, np.float32),
    }  # fmt: skip
    kinds = {"O": "BYTES", "i": "INT32", "f": "FP32"}
    tensors = []
    for name, values in sent.items():
        tensors.append(triton.InferInput(name, values.shape, kinds[values.dtype.kind]))
        tensors[-1].set_data_from_numpy(values)
    with triton.InferenceServerClient(url.removeprefix("http://")) as client:
        said: list[float] = client.infer(MODEL, tensors).as_numpy("value").reshape(-1).tolist()
    return said


@pytest.mark.slow
def test_a_series_is_judged_served_and_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    repo = crown(weather(tmp_path / "repo"), FORECAST)
    found = {finding.name: finding for finding in judged(repo).verdict.findings}
    assert "less than a season ago" in found["baseline"].summary
    assert "1 of 1 tests hold" in found["behaviour"].summary
    assert "rmse" in found["rmse under missing_steps, jitter"].summary
    snapshot = current_snapshot("forecasts", Workspace(repo=repo))
    assert snapshot is not None
    rows = read(snapshot).filter(pl.col("tomorrow").is_not_null()).sort("made", "airport").tail(9).collect()
    windows = rows["temperatures"].to_list()

    def asked(steps: list[Any], shape: list[int]) -> dict[str, Any]:
        kinds = (("airport", "BYTES"), ("clock", "INT32"), ("pressure", "FP32"), ("rise", "FP32"))
        beside = [
            {"name": name, "shape": [shape[0], 1], "datatype": kind, "data": rows[name].to_list()[: shape[0]]}
            for name, kind in kinds
        ]
        return {"inputs": [*beside, {"name": "temperatures", "shape": shape, "datatype": "FP32", "data": steps}]}

    with serving(repo) as url:
        assert main(["deploy", "--repo", str(repo)]) == 0
        place = f"{url}/v2/models/{MODEL}"
        (given,) = [each for each in call(place)["inputs"] if each["name"] == "temperatures"]
        assert given["shape"] == [-1, 72] and given["parameters"]["modality"] == "series"
        (value,) = call(f"{place}/infer", asked([s for w in windows for s in w], [9, 72]))["outputs"]
        assert max(abs(said - true) for said, true in zip(value["data"], rows["tomorrow"], strict=True)) < 25
        assert by_triton(url, rows, windows) == pytest.approx(value["data"], abs=1e-3)
        call(f"{place}/infer", asked([None] * 36 + windows[0][36:], [1, 72]))
        explained = call(f"{place}/explain", asked(windows[0], [1, 72]))
        stretches = explained["parameters"]["stretches"]["temperatures"]
        assert stretches["first"][:3] == [0, 3, 6] and len(stretches["attributions"]) == 24
        summed = stretches["base"][0] + sum(each[0] for each in stretches["attributions"])
        assert summed == pytest.approx(explained["outputs"][3]["data"][0], abs=1e-3)
        with pytest.raises(MachineryError, match=r"its shape is \[1, 71\]; send \[rows, 72\]"):
            call(f"{place}/infer", asked(windows[0][1:], [1, 71]))
    assert main(["ingest", "--repo", str(repo)]) == 0
    here, now = watching(repo), datetime.now(UTC)
    assert reconcile(here, now).answers == 19
    window, reference = window_of(here, now.date() - DAY, now.date() + DAY), reference_of(here)
    assert reference is not None and len(window) == 19
    told = property_names(here.contract.column("temperatures"))
    assert set(told) <= set(window.inputs) == set(reference.inputs)
    assert window.columns["temperatures: share missing"].max() == 0.5
