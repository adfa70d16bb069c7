"""A snapshot's digest is that of its rows as a multiset."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.data.digests import MODULUS, hash_rows, rows_sum, table_digest
from dagster_project.domain.contract import Column, LogicalType

SCHEMA = {"n": pl.Int64, "x": pl.Float64, "a": pl.String, "b": pl.String, "t": pl.Datetime("us"), "f": pl.Boolean}
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.floats(),
        st.none() | st.text(max_size=5),
        st.none() | st.text(max_size=5),
        st.none() | st.datetimes(),
        st.none() | st.booleans(),
    ),
    max_size=20,
)


def frame(rows: list[tuple]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@settings(max_examples=60, deadline=None)
@given(ROWS, st.randoms(use_true_random=False), st.integers(0, 20))
def test_order_and_layout_do_not_matter(rows, random, cut) -> None:
    shuffled = random.sample(rows, len(rows))
    parts = (rows_sum(frame(shuffled[:cut])) + rows_sum(frame(shuffled[cut:]))) % MODULUS
    assert parts == rows_sum(frame(rows))
    columns = random.sample(list(SCHEMA), len(SCHEMA))
    assert rows_sum(frame(rows).select(columns)) == rows_sum(frame(rows))


@settings(max_examples=60, deadline=None)
@given(ROWS.filter(len), st.data())
def test_a_changed_value_changes_the_sum(rows, data) -> None:
    place = data.draw(st.integers(0, len(rows) - 1))
    number = rows[place][0]
    changed = list(rows)
    changed[place] = (1 if number is None else None, *rows[place][1:])
    assert rows_sum(frame(changed)) != rows_sum(frame(rows))


def test_zeros_and_nans_are_one_value_each() -> None:
    quiet, negative = float("nan"), -float("nan")
    assert rows_sum(pl.DataFrame({"x": [0.0, quiet]})) == rows_sum(pl.DataFrame({"x": [-0.0, negative]}))


def test_null_differs_from_nothing_and_text_does_not_run_together() -> None:
    def one(a, b) -> int:
        return rows_sum(pl.DataFrame({"a": [a], "b": [b]}, schema={"a": pl.String, "b": pl.String}))

    assert len({one("ab", "c"), one("a", "bc"), one("abc", ""), one("abc", None), one(None, "abc")}) == 5


def test_repeated_rows_count() -> None:
    once, twice = pl.DataFrame({"n": [1]}), pl.DataFrame({"n": [1, 1]})
    assert rows_sum(twice) == 2 * rows_sum(once) % MODULUS
    assert len(set(hash_rows(twice).tolist())) == 1


def test_the_encoding_stays_what_it_is() -> None:
    """A library's new version, or a change here, may not move the digest of rows that did not change."""
    rows = frame([(1, 2.5, "é", None, None, True), (None, None, "", "x", None, None)])
    columns = [Column(name="n", logical_type=LogicalType.INTEGER)]
    known = "sha256:2031358e5140a6f8ca917a819c9d3649153584295ad109b5f9e4b17ded3c55b1"
    assert table_digest(columns, 2, rows_sum(rows)) == known
