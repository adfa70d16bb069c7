"""How warm will it be tomorrow? A series, from its contract to a served model."""

from pathlib import Path
from typing import Any

from ci.demo.kind import Client, Kind

_BARS = "▁▂▃▄▅▆▇█"
SINCE, APART = 4320, 1441
"""What is asked: of the last sixty days at three airports, three moments at another one each."""


def _ask(repo: Path, client: Client) -> list[str]:
    import polars as pl

    from dagster_project.data.datasets import read
    from dagster_project.data.records import current_snapshot
    from dagster_project.domain.workspace import Workspace

    snapshot = current_snapshot("forecasts", Workspace(repo=repo))
    assert snapshot is not None, "the demo has built it"
    known = pl.col("tomorrow").is_not_null()
    rows = read(snapshot).filter(known).sort("made", "airport").tail(SINCE).collect().gather_every(APART)
    tensors: list[dict[str, Any]] = [
        {"name": name, "shape": [3, 1], "datatype": kind, "data": rows[name].to_list()}
        for name, kind in (("airport", "BYTES"), ("clock", "INT32"), ("pressure", "FP32"), ("rise", "FP32"))
    ]
    windows = rows["temperatures"].to_list()
    flat = [value for window in windows for value in window]
    tensors.append({"name": "temperatures", "shape": [3, len(windows[0])], "datatype": "FP32", "data": flat})
    said = zip(rows.rows(named=True), windows, client(tensors)["value"], strict=True)
    return [
        line
        for row, window, value in said
        for line in (_bars(window), f"{row['forecast']}: {value:.1f} °F in 24 hours (it was: {row['tomorrow']:.1f})")
    ]


def _bars(window: list[float | None]) -> str:
    there = [value for value in window if value is not None]
    low, high = min(there), max(there)
    scale = (len(_BARS) - 1) / max(high - low, 1e-9)
    return "".join(" " if value is None else _BARS[round((value - low) * scale)] for value in window)


def _land(repo: Path, packages: Path) -> None:
    """The rows are in a package that is installed already."""


TEMPERATURES = Kind(
    model="temperature",
    source=Path(__file__).parent,
    title="How warm will it be at the airport in 24 hours?",
    moral="It passed, the lock was reviewed: the ONNX file takes the last three days as they were read.",
    land=_land,
    ask=_ask,
)
