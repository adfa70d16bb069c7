"""A label's whole way: from what clients, a dataset and people say of a served champion's answers to the next model."""

import csv
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from ci.demo.server import call, serving
from ci.main import main
from dagster_project.domain.monitored import MonitoredParts
from dagster_project.domain.verdict import Measurement
from tests.ci.workbench import (
    COARSE_SQL,
    GOOD,
    MODEL,
    SPEC,
    SQL,
    change,
    crown,
    git,
    judged,
    quick_build,
    save,
    settled,
)
from tests.pipeline.small import START
from tests.trees import TRIPS, edited

OPEN_DAYS = range(255, 275)
"""What will be the validation rows; of half of their rides nobody knows what became of them."""
NOW = (START + timedelta(days=280)).date()
WATCHED = edited(
    GOOD,
    (
        "task: binary\n",
        "task: binary\nserving: {log: {inputs: 1.0, flush: PT0.1S}}\n"
        "monitoring: {labels: {maturity: P1D}, review: {budget: 150, audit: 0.4, age: P90D}}\n",
    ),
)
HUMAN = """\
apiVersion: v3.2.0
kind: DataContract
id: human-1
name: human_labels
version: 1.0.0
status: active
description: {purpose: What people said on the review page.}
team: {name: rides-team}
servers:
  - {server: files, type: local, path: landing/human_labels/*.parquet, format: parquet}
schema:
  - name: human_labels
    properties:
      - {name: ride, logicalType: string, required: true}
      - {name: label, logicalType: boolean}
      - {name: people, logicalType: integer}
      - {name: audit, logicalType: boolean}
      - {name: known, logicalType: timestamp, required: true}
"""
ORIGIN = """\
      - name: label_origin
        logicalType: string
        customProperties:
          - {property: threeacts.available_at, value: PT6H}
      - name: miles
"""
WITH_HUMAN = edited(
    COARSE_SQL,
    ("ride, started, delay > 15 AS late,", "rides.ride, started, COALESCE(delay > 15, h.label) AS late,\n"
     "    CASE WHEN delay IS NOT NULL THEN 'natural' WHEN h.label IS NOT NULL THEN 'human' END AS label_origin,"),
    ("FROM rides\n", "FROM rides\nLEFT JOIN (\n    SELECT ride, arg_max_null(label, known) AS label"
     " FROM human_labels GROUP BY ride\n) AS h ON h.ride = rides.ride\n"),
)  # fmt: skip
APART = edited(
    WATCHED,
    ("gates:\n", "gates:\n  - {kind: slices, metric: accuracy, by: [label_origin], maximum_drop: 0.5, minimum_rows: 30,"
     " severity: warning}\n"),
)  # fmt: skip
Ride = dict[str, str]


def rides(repo: Path) -> list[Ride]:
    with (repo / "landing/rides/rides.csv").open() as file:
        return list(csv.DictReader(file))


def forget(repo: Path) -> list[Ride]:
    """Every second ride of the open days loses its delay; those, as they were."""
    every, lost = rides(repo), []
    for place in range(OPEN_DAYS.start * 10, OPEN_DAYS.stop * 10, 2):
        lost.append(dict(every[place]))
        every[place]["delay"] = ""
    with (repo / "landing/rides/rides.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, every[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(every)
    return lost


def asked(url: str, some: list[Ride]) -> list[str]:
    """The champion is asked about rides; ids of the answered rows."""
    miles = [float(ride["miles"]) for ride in some]
    columns = {
        "miles": ("FP32", miles), "seats": ("FP32", [round(far / 10) for far in miles]),
        "carrier": ("BYTES", ["A"] * len(some)), "ride": ("BYTES", [ride["ride"] for ride in some]),
        "started": ("BYTES", [f"{ride['started'].replace(' ', 'T')}Z" for ride in some]),
    }  # fmt: skip
    tensors = [
        {"name": name, "shape": [len(some), 1], "datatype": kind, "data": data}
        for name, (kind, data) in columns.items()
    ]
    ids: list[str] = call(f"{url}/v2/models/{MODEL}/infer", {"inputs": tensors})["parameters"]["row_ids"]
    return ids


def acts(repo: Path, capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    capfd.readouterr()
    assert main([*arguments, "--repo", str(repo)]) == 0
    return capfd.readouterr().out


def looked(repo: Path, capfd: pytest.CaptureFixture[str], part: str, now: date = NOW) -> dict[str, Any]:
    said = acts(repo, capfd, "monitor", MODEL, "--part", part, "--now", f"{now}", "--json")
    return MonitoredParts.from_json(said.encode()).looks[0].document


@pytest.mark.slow
def test_labels_come_from_everywhere_and_enter_training_apart(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    repo = settled(tmp_path / "repo", spec="")
    lost = forget(repo)
    known = rides(repo)[OPEN_DAYS.start * 10 + 1 : OPEN_DAYS.stop * 10 : 2]
    save(repo, "some rides are open")
    crown(repo, WATCHED)
    with serving(repo) as url:
        acts(repo, capfd, "deploy")
        row_ids = asked(url, lost)
        asked(url, known)
        late = {row: float(ride["delay"]) > 15 for row, ride in zip(row_ids, lost, strict=True)}
        then = {"known": f"{NOW}T00:00:00Z"}
        sent = [{"row_id": row, "label": late[row], **then} for row in row_ids[:10]]
        call(f"{url}/v2/models/{MODEL}/labels", {"labels": sent})
        acts(repo, capfd, "ingest")
        found = looked(repo, capfd, "labels")
        assert (found["answers"], found["waiting"]) == (200, 0)
        assert sum(day["natural"] for day in found["days"]) == 110, "by row from a client, by id from the dataset"

        queue = looked(repo, capfd, "review")["rows"]
        assert len(queue) == 90 and any(row["audit"] for row in queue), "nobody knows these"
        (page,) = [call(f"{url}/v2/models/{MODEL}/review?who=ann")]
        assert {row["row_id"] for row in page["rows"]} <= set(row_ids[10:])
        people = [{"row_id": row["row_id"], "label": late[row["row_id"]], **then} for row in queue]
        call(f"{url}/v2/models/{MODEL}/labels", {"labels": people, "review": True, "who": "ann"})
        acts(repo, capfd, "ingest")
    found = looked(repo, capfd, "labels", NOW + timedelta(days=1))
    assert sum(day["human"] for day in found["days"]) == 90

    assert "90 labels" in acts(repo, capfd, "labels", MODEL, "--to", "landing/human_labels")
    git(repo, "switch", "-q", "-c", "with-people")
    change(repo, "data_contracts/human_labels.yaml", HUMAN)
    change(repo, SQL, WITH_HUMAN)
    change(
        repo, "data_contracts/trips.yaml",
        edited(TRIPS, ("version: 1.2.0", "version: 1.3.0"), ("value: [rides]", "value: [rides, human_labels]"),
               ("      - name: miles\n", ORIGIN)),
    )  # fmt: skip
    save(repo, "people's labels")
    git(repo, "switch", "-q", "main")
    git(repo, "merge", "-q", "--no-ff", "-m", "people's labels", "with-people")
    git(repo, "switch", "-q", "-c", "apart")
    change(repo, SPEC, APART)
    save(repo, "reported apart")
    quick_build(repo)
    verdict = judged(repo).verdict
    slices: dict[str, Measurement] = {str(m.slice): m for m in verdict.measurements if m.slice}
    assert slices["label_origin=human"].count == 90 and slices["label_origin=natural"].count > 100
    assert all(each.low is not None for name, each in slices.items() if name.startswith("label_origin"))
