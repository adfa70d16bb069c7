"""What deepchecks is shown of a text: numbers, and the text itself where rows are compared."""

import polars as pl
import pytest

from dagster_project.domain.contract import Column, LogicalType
from dagster_project.domain.loading import load_repository
from dagster_project.quality.properties import properties, property_names
from dagster_project.quality.rows import dataset, layout_of
from dagster_project.quality.suites import run_data_suites
from tests.modalities.notes import CONTRACT, SQL
from tests.trees import MemoryTree, tree

NOTE = Column(name="note", logical_type=LogicalType.STRING, modality="text")


def test_properties_are_numbers_of_the_text() -> None:
    found = properties(pl.DataFrame({"note": ["Über 25°!", "", None]}), [NOTE])
    assert found.columns == property_names(NOTE) and set(found.dtypes) == {pl.Float64}
    assert found.row(0) == pytest.approx((9, 3, 1 / 9, 2 / 9, 2 / 9))
    assert found.row(1) == (0, 0, 0, 0, 0) and found.row(2) == (None,) * 5


def test_a_text_is_looked_at_by_its_properties_and_compared_as_it_is() -> None:
    contract = load_repository(MemoryTree(tree(trips=CONTRACT, sql=SQL))).contracts["trips"]
    rows = 300
    frame = pl.DataFrame(
        {
            "ride": [f"r{n}" for n in range(rows)],
            "late": [n % 2 == 0 for n in range(rows)],
            "note": [f"note {'abc'[n % 3]}{'xyz'[n // 3 % 3]}{n:03d}" for n in range(rows)],
            "carrier": ["A"] * rows,
        }
    )
    layout = layout_of(contract, ["note", "carrier"], "late", "binary")
    assert (layout.features, layout.read) == (("carrier",), ("carrier", "note"))
    seen = dataset(frame, layout.__class__(**{**layout.__dict__, "event_time": None}), 0, "x")
    assert list(seen.features) == ["carrier", *property_names(NOTE)] and seen.cat_features == ["carrier"]
    found = {each.name: each for each in run_data_suites(contract, frame.drop("ride")).findings}
    assert "0%" in found["DataDuplicates"].summary, "alike in their properties, and no two the same"
