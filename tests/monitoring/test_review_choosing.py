"""Which rows people are asked about."""

import polars as pl
import pytest

from dagster_project.domain.monitoring import Review
from dagster_project.monitoring.choosing import Heard, choose, wanted

ROWS = 4000
CANDIDATES = pl.DataFrame({"row_id": [f"row-{n}" for n in range(ROWS)], "margin": [n / ROWS for n in range(ROWS)]})
REVIEW = Review(budget=50, audit=0.2, twice=0.0)


def margin(row_id: str) -> float:
    return int(row_id.removeprefix("row-")) / ROWS


def test_the_least_certain_and_a_share_whatever_the_score() -> None:
    chosen = choose(CANDIDATES, Heard(), REVIEW, "Monday")
    assert len({row.row_id for row in chosen}) == 50 and sum(row.audit for row in chosen) == 10
    assert max(margin(row.row_id) for row in chosen if not row.audit) <= 51 / ROWS
    audits = [
        margin(row.row_id) for day in range(60) for row in choose(CANDIDATES, Heard(), REVIEW, f"{day}") if row.audit
    ]
    assert sum(audits) / len(audits) == pytest.approx(0.5, abs=0.04)  # 3.4 standard errors
    assert sum(part < 0.1 for part in audits) / len(audits) == pytest.approx(0.1, abs=0.04)


def test_a_day_draws_the_same_and_another_one_others() -> None:
    audits = [{row.row_id for row in choose(CANDIDATES, Heard(), REVIEW, day) if row.audit} for day in ("a", "a", "b")]
    assert audits[0] == audits[1] and audits[0] != audits[2]
    shuffled = choose(CANDIDATES.sample(fraction=1, shuffle=True, seed=1), Heard(), REVIEW, "a")
    assert {row.row_id for row in shuffled if row.audit} == audits[0]


def test_without_a_margin_all_are_drawn_at_random() -> None:
    nothing = CANDIDATES.with_columns(pl.lit(None, pl.Float64()).alias("margin"))
    chosen = choose(nothing, Heard(), REVIEW, "Monday")
    assert len(chosen) == 50 and all(row.audit for row in chosen)
    assert choose(CANDIDATES.clear(), Heard(), REVIEW, "Monday") == []


def test_what_was_labelled_or_skipped_by_two_is_not_asked_again() -> None:
    both = {"ann": "skip", "bob": "skip"}
    labelled = Heard({"row-0": {"ann": "yes"}}, {"row-1": {"bob": "label"}, "row-2": both, "row-3": {"ann": "skip"}})
    asked = {row.row_id for row in choose(CANDIDATES, labelled, REVIEW, "Monday")}
    assert not asked & {"row-0", "row-1", "row-2"} and {"row-3", "row-4"} <= asked
    changed_mind = Heard(done={"row-2": both | {"bob": "label"}})
    assert "row-2" not in {row.row_id for row in choose(CANDIDATES, changed_mind, REVIEW, "Monday")}


def test_a_share_is_asked_of_two_people_and_who_disagree_of_a_third() -> None:
    share = sum(wanted(f"row-{n}", {}, 0.1) == 2 for n in range(ROWS)) / ROWS
    assert share == pytest.approx(0.1, abs=0.015)
    every = REVIEW.model_copy(update={"twice": 1.0})
    heard = Heard(
        said={
            "row-10": {"ann": "yes"}, "row-11": {"ann": "yes", "bob": "yes"}, "row-12": {"ann": "yes", "bob": "no"},
            "row-13": {"ann": "yes", "bob": "no", "cy": "no"}, "gone": {"ann": "yes"},
        },
        audits=frozenset({"row-12"}),
    )  # fmt: skip
    begun = {row.row_id: row for row in choose(CANDIDATES, heard, every, "Monday") if row.people}
    assert {name: (row.wanted, row.people, row.audit) for name, row in begun.items()} == {
        "row-10": (2, ("ann",), False), "row-12": (3, ("ann", "bob"), True),
    }  # fmt: skip
