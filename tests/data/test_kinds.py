"""Rules of texts and series: language, encoding, gaps, lengths; and digests of what has no single value."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.data.datasets import materialise, read
from dagster_project.data.digests import hash_rows, rows_sum
from dagster_project.data.rules import check_rows
from dagster_project.domain.contract import Column, DataContract, ImageForm, LogicalType, Role, Rule, SeriesForm
from dagster_project.domain.verdict import Outcome
from tests.pipeline.small import opened

TEXT = Column(name="said", logical_type=LogicalType.STRING, modality="text", language="en")
TIME = Column(name="hour", logical_type=LogicalType.TIMESTAMP, role=Role.EVENT_TIME)
PLACE = Column(name="place", logical_type=LogicalType.STRING, role=Role.GROUP)
ENGLISH = "The weather is going to be better than it was for most of this week"
GERMAN = "Das Wetter wird besser als es in den letzten Wochen meistens gewesen ist"


def contract(*columns: Column, rules: tuple[Rule, ...] = ()) -> DataContract:
    return DataContract(
        name="t", id="t", version="1.0.0", status="active", columns=columns, rules=rules, file="data_contracts/t.yaml"
    )


def outcome(frame: pl.DataFrame, made: DataContract, name: str) -> Outcome:
    return {finding.name: finding.outcome for finding in check_rows(frame.lazy(), made).findings}[name]


@pytest.mark.parametrize(
    ("foreign", "expected"), [(0, Outcome.PASSED), (4, Outcome.PASSED), (6, Outcome.FAILED), (50, Outcome.FAILED)]
)
def test_most_texts_are_in_the_language_that_the_contract_says(foreign: int, expected: Outcome) -> None:
    rule = Rule(
        name="said.language", kind="language", scope="dataset", columns=("said",), operator="mustBeLessThan", value=10,
        unit="percent", arguments={"language": "en"},
    )  # fmt: skip
    texts = [GERMAN] * foreign + [ENGLISH] * (48 - foreign) + ["ja", None]
    assert outcome(pl.DataFrame({"said": texts[:50]}), contract(TEXT, rules=(rule,)), "said.language") is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Über die Brücke – “quoted”, naïve café, 日本語 🛫\n\ttab", Outcome.PASSED),
        ("Ã¼ber die BrÃ¼cke", Outcome.FAILED),
        ("it isâ€™s", Outcome.FAILED),
        ("a broken \ufffd", Outcome.FAILED),
        ("bell \x07", Outcome.FAILED),
        (None, Outcome.PASSED),
    ],
)
def test_a_text_with_what_no_text_means_to_have_is_put_aside(text: str | None, expected: Outcome) -> None:
    rule = Rule(name="said.encoding", kind="encoding", scope="row", columns=("said",))
    frame = pl.DataFrame({"said": [text]}, schema={"said": pl.String})
    assert outcome(frame, contract(TEXT, rules=(rule,)), "said.encoding") is expected


HOURS = """\
apiVersion: v3.2.0
kind: DataContract
id: hours-1
name: hours
version: 1.0.0
status: active
description: {purpose: Readings.}
team: {name: t}
servers:
  - {server: files, type: local, path: landing/hours/*.csv, format: csv}
customProperties:
  - {property: threeacts.frequency, value: PT1H}
schema:
  - name: hours
    properties:
      - name: place
        logicalType: string
        customProperties:
          - {property: threeacts.role, value: group}
      - name: hour
        logicalType: timestamp
        customProperties:
          - {property: threeacts.role, value: event_time}
      - {name: value, logicalType: number}
"""


def built(folder: Path, hours: dict[str, list[int]]) -> dict[str, Any]:
    (folder / "data_contracts").mkdir(parents=True)
    (folder / "data_contracts/hours.yaml").write_text(HOURS)
    (folder / "landing/hours").mkdir(parents=True)
    begin = datetime(2024, 3, 31)
    lines = [f"{place},{begin + timedelta(hours=h):%Y-%m-%dT%H:%M:%S},1" for place in hours for h in hours[place]]
    (folder / "landing/hours/a.csv").write_text("\n".join(["place,hour,value", *lines]) + "\n")
    head, workspace = opened(folder)
    made = materialise(head.contracts["hours"], {}, workspace)
    return {finding.name: finding for finding in made.findings}


@pytest.mark.parametrize(
    ("hours", "failed", "words"),
    [
        ({"A": [0, 1, 2, 3], "B": [5, 6]}, set(), ""),
        ({"A": [0, 1, 4, 5], "B": [5, 6]}, {"gaps"}, "2, allowed: none"),
        ({"A": [0, 1, 2], "B": [0, 9]}, {"gaps"}, "8, allowed: none"),
        ({"A": [0, 1, 1, 2], "B": [5]}, {"moments_unique"}, "1, allowed: none"),
    ],
)
def test_no_moment_is_left_out_or_there_twice(
    tmp_path: Path, hours: dict[str, list[int]], failed: set[str], words: str
) -> None:
    found = built(tmp_path, hours)
    assert {name for name, finding in found.items() if finding.outcome is Outcome.FAILED} == failed
    assert all(words in found[name].summary for name in failed)
    if "gaps" in failed:
        assert found["gaps"].details["samples"][0]["place"] in hours


def test_a_window_of_another_length_breaks_its_form() -> None:
    form = SeriesForm(steps=3, frequency=timedelta(hours=1))
    column = Column(name="past", logical_type=LogicalType.ARRAY, modality="series", series=form)
    rule = Rule(name="past.form", kind="form", scope="row", columns=("past",), value=[3])
    right = pl.DataFrame({"past": [[1.0, None, 3.0], None]}, schema={"past": pl.List(pl.Float64)})
    wrong = pl.DataFrame({"past": [[1.0, 2.0], [1.0, 2.0, 3.0]]})
    assert outcome(right, contract(column, rules=(rule,)), "past.form") is Outcome.PASSED
    assert outcome(wrong, contract(column, rules=(rule,)), "past.form") is Outcome.FAILED


def test_digests_see_every_byte_and_step() -> None:
    lists = pl.List(pl.Float64)
    frame = pl.DataFrame(
        {"file": [b"ab", b"", None, b"ab"], "past": [[1.0, None], [], None, [-0.0]]},
        schema={"file": pl.Binary, "past": lists},
    )
    assert rows_sum(frame) == rows_sum(frame[::-1]) and len(set(hash_rows(frame).tolist())) == 4
    for name, other in (("file", [b"a", b"b", None, b"ab"]), ("past", [[1.0], [None], None, [0.0]])):
        changed = frame.with_columns(pl.Series(name, other, dtype=frame.schema[name]))
        assert (hash_rows(changed) == hash_rows(frame)).tolist()[2:] == [True, True]
        assert rows_sum(changed) != rows_sum(frame)


def test_windows_in_csv_are_as_json_writes_them(tmp_path: Path) -> None:
    folder = tmp_path
    (folder / "data_contracts").mkdir()
    window = HOURS.split("customProperties:\n  - {property: threeacts.frequency")[0] + (
        "schema:\n  - name: hours\n    properties:\n      - name: past\n        logicalType: array\n"
        "        customProperties:\n          - {property: threeacts.modality, value: series}\n"
        "          - {property: threeacts.series, value: {steps: 2, frequency: PT1H}}\n"
    )
    (folder / "data_contracts/hours.yaml").write_text(window)
    (folder / "landing/hours").mkdir(parents=True)
    (folder / "landing/hours/a.csv").write_text('past\n"[1, 2.5]"\n"[3,null]"\n"[1, 2, 3]"\n')
    head, workspace = opened(folder)
    made = materialise(head.contracts["hours"], {}, workspace)
    assert made.snapshot is not None
    assert sorted(read(made.snapshot).collect()["past"].to_list(), key=str) == [[1.0, 2.5], [3.0, None]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a", Outcome.PASSED), ("", Outcome.FAILED), (" \n\t", Outcome.FAILED), (None, Outcome.FAILED)],
)
def test_a_required_text_says_something(text: str | None, expected: Outcome) -> None:
    frame = pl.DataFrame({"said": [text]}, schema={"said": pl.String})
    needed = TEXT.model_copy(update={"required": True})
    assert outcome(frame, contract(needed), "said.required") is expected
    category = needed.model_copy(update={"modality": None})
    assert outcome(frame, contract(category), "said.required") is (Outcome.FAILED if text is None else Outcome.PASSED)


def test_a_picture_that_must_be_unique_is_found_twice() -> None:
    form = ImageForm(width=2, height=2, channels=1)
    picture = Column(name="it", logical_type=LogicalType.STRING, modality="image", image=form, unique=True)
    files = [b"one", b"another", b"one", None, None]
    frame = pl.DataFrame({"it": files}, schema={"it": pl.Binary})
    assert outcome(frame, contract(picture), "it.unique") is Outcome.FAILED
    assert outcome(frame[1:], contract(picture), "it.unique") is Outcome.PASSED
