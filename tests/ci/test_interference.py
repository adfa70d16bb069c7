"""Whether SQL lets the holdout flow into what a build sees: what forgers write, and what honest people write."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from ci.judging.cut import Cut
from ci.judging.interference import Interference, Probe
from ci.judging.rows import judged_rows, seen_parts
from ci.judging.same import Change, change_between
from ci.judging.snapshots import current_sources
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.repository import Repository
from dagster_project.domain.trust import judging_rules
from dagster_project.domain.workspace import Workspace
from tests.ci.workbench import COARSE_SQL, DAYS, GOOD, MODEL, SPEC, SQL
from tests.pipeline.small import write_repository
from tests.trees import FILES, RIDES, TRIPS, edited, repository

COPIES_FILE = "data_contracts/copies.yaml"
RIDES_FILE, TRIPS_FILE = "data_contracts/rides.yaml", "data_contracts/trips.yaml"
HOLDOUT = "started >= TIMESTAMP '2024-10-07'"
BY_ID = edited(
    GOOD,
    ("  by: time\n  validation: P30D\n  gap: P1D", "  by: stratified\n  validation: 0.2"),
    ("size: P120D", "size: 0.2"),
)
BY_GROUP = edited(BY_ID, ("by: stratified", "by: group\n  column: line"))


def named(name: str, text: str = RIDES) -> str:
    """The contract of rides under another name."""
    return edited(
        text,
        ("id: rides-1", f"id: {name}-1"),
        ("name: rides\nversion", f"name: {name}\nversion"),
        ("schema:\n  - name: rides", f"schema:\n  - name: {name}"),
    )


EVENT_TIME = "        customProperties:\n          - {property: threeacts.role, value: event_time}\n"
STATIC = edited(RIDES, (EVENT_TIME, ""))
TEXT_TIME = edited(
    STATIC, ("name: started\n        logicalType: timestamp", "name: started\n        logicalType: string")
)
LINES = edited(
    RIDES,
    ("landing/rides", "landing/lined"),
    ("      - name: miles", "      - {name: line, logicalType: string}\n      - name: miles"),
)
KINDS = edited(named("kinds", RIDES[: RIDES.index("      - name: ride\n")]), ("landing/rides", "landing/kinds")) + (
    "      - {name: kind, logicalType: integer, required: true}\n      - {name: weight, logicalType: number}\n"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 days of rides on 40 lines and a static table; all snapshots lie beside each other by their contracts."""
    folder = write_repository(tmp_path_factory.mktemp("interference") / "repo", DAYS)
    rides = folder / "landing" / "rides" / "rides.csv"
    header, *rows = rides.read_text().splitlines()
    delivered = {
        "lined": [f"{header},line", *(f"{row},L{number % 40}" for number, row in enumerate(rows))],
        "fewer": [header, *rows[:-1]],
        "kinds": ["kind,weight", "0,1", "1,2", "2,3", "3,4"],
    }
    for name, content in delivered.items():
        (folder / "landing" / name).mkdir(exist_ok=True)
        (folder / "landing" / name / "all.csv").write_text("\n".join(content) + "\n")
    return folder


def files(sql: str = COARSE_SQL, spec: str = GOOD, **others: str) -> dict[str, str]:
    return {**FILES, SQL: sql, SPEC: spec, "data_contracts/kinds.yaml": KINDS, **others}


def reading(*inputs: str) -> str:
    """The contract of trips, with other inputs."""
    return edited(TRIPS, ("value: [rides]", f"value: [{', '.join(inputs)}]"))


def probe(place: Path, base: Repository, head: Repository) -> Probe:
    sources = current_sources("trips", base, head, Workspace(repo=place))
    rules, spec = judging_rules(MODEL, base, head), head.specs[MODEL]
    rows = judged_rows(rules, sources)
    return Probe(base, head, spec, rules, sources, seen_parts(spec, rules, sources, rows), rows["holdout"].champion)


def answer(place: Path, head: dict[str, str], base: dict[str, str] | None = None) -> Interference:
    """The answer where ``head`` is a change of ``base``; by default of the same spec with the plain SQL."""
    before = base or {**head, SQL: COARSE_SQL, TRIPS_FILE: TRIPS}
    found = probe(place, repository(before), repository(head))
    assert found.is_due
    return found.run()


def said(found: Interference) -> str:
    return " ".join(finding.summary for finding in found.findings)


def of_trips(*edits: tuple[str, str]) -> str:
    return edited(COARSE_SQL, *edits)


def copied(ride: str = "'x' || ride", miles: str = "miles", worth: str = "1.0") -> str:
    """The holdout's rows once more, 250 days earlier."""
    values = (
        f"delay > 15, delay, 'good', {miles}, 'A', CAST(miles / 10 AS INTEGER), CAST(started AS DATE), delay, delay"
    )
    row = f"{ride}, started - INTERVAL 250 DAY, {values}, {worth}, 'L1'"
    return f"{COARSE_SQL}UNION ALL SELECT {row} FROM rides WHERE {HOLDOUT}\n"


def overwritten() -> str:
    """A feature of the train rows is that of a row of the holdout with the same label: no row, id or label moves."""
    later = f"SELECT row_number() OVER (ORDER BY ride) AS n, * FROM rides WHERE {HOLDOUT}"
    pairs = "h.n = 1 + CAST(substr(r.ride, 2) AS INTEGER) % 1200 AND (h.delay > 15) = (r.delay > 15)"
    mixed = f"SELECT r.* REPLACE (coalesce(h.miles, r.miles) AS miles) FROM early AS r LEFT JOIN later AS h ON {pairs}"
    early = f"SELECT * FROM rides WHERE NOT {HOLDOUT}"
    tables = f"WITH later AS ({later}), early AS ({early}), mixed AS ({mixed} UNION ALL SELECT * EXCLUDE n FROM later)"
    return f"{tables}\n{of_trips(('FROM rides', 'FROM mixed'))}"


ANY_LATER = f"(SELECT count(*) FROM rides WHERE {HOLDOUT}) > 0"
FORGED = {
    "copies, a constant jittered": (copied(worth="1.0000001"), "1200 are gone"),
    "copies, a feature jittered": (copied(miles="miles + 0.001"), "1200 are gone"),
    "copies under ids of the usual form": (copied(ride="'r9' || substr(ride, 2)"), "1200 are gone"),
    "features overwritten": (overwritten(), "have another miles"),
    "target encoding": (
        of_trips(("delay AS rumour", "avg(delay) OVER (PARTITION BY CAST(miles AS INTEGER)) AS rumour")),
        "have another rumour",
    ),
    "rows chosen": (
        f"{COARSE_SQL}WHERE {HOLDOUT} OR miles > coalesce((SELECT avg(miles) FROM rides WHERE {HOLDOUT}), 0)\n",
        "are new",
    ),
    "a bit at the edge of float32": (
        of_trips(("1.0 AS worth", f"1 + 2.0 ** -24 + CASE WHEN {ANY_LATER} THEN 1e-12 ELSE -1e-12 END AS worth")),
        "have another worth",
    ),
    "a look beyond the gap": (
        of_trips(("delay AS rumour", "lead(delay, 20) OVER (ORDER BY started) AS rumour")),
        "10 have another rumour",
    ),
}


@pytest.mark.parametrize(("sql", "words"), FORGED.values(), ids=FORGED.keys())
def test_what_flows_from_the_holdout_is_refused(place: Path, sql: str, words: str) -> None:
    found = answer(place, files(sql))
    assert words in said(found) and "depend on the holdout" in said(found), found
    assert not found.untested
    assert all(finding.outcome == "failed" and finding.source == "trust" for finding in found.findings)


def test_sql_that_needs_the_holdout_is_refused(place: Path) -> None:
    found = answer(
        place, files(of_trips(("1.0 AS worth", f"CASE WHEN {ANY_LATER} THEN 1.5 ELSE error('no') END AS worth")))
    )
    assert "without the holdout's rows the SQL does not run" in said(found)


HONEST = {
    "another column of the row": of_trips(("delay AS rumour", "ln(miles) * 2 AS rumour")),
    "a mean over the past": of_trips(
        (
            "delay AS rumour",
            "avg(delay) OVER (ORDER BY started RANGE BETWEEN INTERVAL 30 DAY PRECEDING AND INTERVAL 1 DAY PRECEDING) "
            "AS rumour",
        )
    ),
    "a target encoding of the past": of_trips(
        (
            "delay AS rumour",
            "avg(delay) OVER (PARTITION BY CAST(miles AS INTEGER) ORDER BY started "
            "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS rumour",
        )
    ),
    "a label within the gap": of_trips(("delay AS rumour", "lead(delay, 9) OVER (ORDER BY started) AS rumour")),
    "new rows": f"{COARSE_SQL}UNION ALL {of_trips(('ride,', chr(39) + 'y' + chr(39) + ' || ride,'))}",
}


@pytest.mark.parametrize("sql", HONEST.values(), ids=HONEST.keys())
def test_what_looks_back_passes(place: Path, sql: str) -> None:
    assert answer(place, files(sql)) == Interference()


def test_a_static_table_may_be_joined(place: Path) -> None:
    sql = of_trips(
        ("delay AS rumour", "weight AS rumour"), ("rides\n", "rides JOIN kinds ON kind = CAST(miles / 10 AS INTEGER)\n")
    )
    assert answer(place, files(sql, **{TRIPS_FILE: reading("rides", "kinds")})) == Interference()


@pytest.mark.parametrize("leaks", [False, True])
def test_chains_are_made_again_from_their_sources(place: Path, leaks: bool) -> None:
    window = "" if leaks else "ORDER BY started ROWS BETWEEN 50 PRECEDING AND 1 PRECEDING"
    servers = RIDES[RIDES.index("servers:") : RIDES.index("schema:")]
    derived = "customProperties:\n  - {property: threeacts.derived_from, value: [rides]}\n"
    chain = {
        "data_contracts/legs.yaml": named("legs", edited(RIDES, (servers, derived))),
        "data_contracts/legs.sql": f"SELECT ride, started, miles, avg(delay) OVER ({window}) AS delay FROM rides",
        TRIPS_FILE: reading("rides", "legs"),
    }
    mean = "(SELECT delay FROM legs WHERE legs.ride = rides.ride) AS rumour"
    found = answer(place, files(of_trips(("delay AS rumour", mean)), **chain))
    assert ("have another rumour" in said(found)) == leaks and not found.untested


def with_line(sql: str) -> str:
    return edited(sql, ("'L1' AS line", "line"))


@pytest.mark.parametrize(
    ("spec", "rumour", "leaks"),
    [
        (BY_ID, "ln(miles)", False),
        (BY_ID, "avg(delay) OVER (ORDER BY started)", True),
        (BY_GROUP, "avg(delay) OVER (PARTITION BY line)", False),
        (BY_GROUP, "avg(delay) OVER (ORDER BY started)", True),
    ],
    ids=["of the row", "of the past, which the holdout is among", "of its group", "of all groups"],
)
def test_without_time_ids_or_groups_cut(place: Path, spec: str, rumour: str, leaks: bool) -> None:
    base = files(with_line(COARSE_SQL), spec, **{RIDES_FILE: LINES})
    found = answer(place, {**base, SQL: edited(base[SQL], ("delay AS rumour", f"{rumour} AS rumour"))}, base)
    assert ("have another rumour" in said(found)) == bool(found.findings) == leaks
    assert not found.untested


def test_rows_that_no_cut_takes_away_are_not_tested(place: Path) -> None:
    line = ("'L1' AS line", "'L' || CAST(miles AS INTEGER) AS line")
    base = files(of_trips(line), BY_GROUP)
    found = answer(place, {**base, SQL: of_trips(line, ("delay AS rumour", "1 AS rumour"))}, base)
    assert not found.findings
    (why,) = found.untested
    assert "come out of sources that neither a time nor ids cut" in why


FROM_COPY = of_trips(
    ("FROM rides", "FROM rides JOIN (SELECT avg(miles) AS mean FROM copies) ON true"),
    ("delay AS rumour", "mean AS rumour"),
)
FROM_TEXT = of_trips(
    ("ride, started", "ride, CAST(started AS TIMESTAMP) AS started"),
    ("CAST(started AS DATE)", "CAST(CAST(started AS TIMESTAMP) AS DATE)"),
    ("delay AS rumour", "1 AS rumour"),
)


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (
            {SQL: FROM_COPY, TRIPS_FILE: reading("rides", "copies"), COPIES_FILE: named("copies", STATIC)},
            "copies is a source that the base branch doesn't have",
        ),
        (
            {RIDES_FILE: edited(RIDES, ("landing/rides", "landing/fewer"))},
            "rides is read from another place than on the base branch",
        ),
        (
            {RIDES_FILE: TEXT_TIME, SQL: FROM_TEXT},
            "rides lacks the base branch's event time started",
        ),
    ],
    ids=["new source", "other server", "other event time"],
)  # fmt: skip
def test_sources_that_the_base_can_t_tell_are_not_tested(place: Path, head: dict[str, str], why: str) -> None:
    found = answer(place, {**files(), **head}, files())
    assert any(why in words for words in found.untested), found


def test_other_ids_of_all_rows_are_refused(place: Path) -> None:
    with pytest.raises(RefusedError, match="all rows of the train are gone: no ride is as before"):
        answer(place, files(of_trips(("ride, started", "'x' || ride AS ride, started"))))


def test_only_what_no_verdict_stands_on_is_tested(place: Path) -> None:
    base = repository(files())
    assert not probe(place, base, base).is_due
    assert probe(place, base, repository(files(copied()))).is_due
    new = base.model_copy(update={"specs": {}})
    assert probe(place, new, base).is_due and probe(place, new, base).run() == Interference()


def test_a_column_that_is_only_called_like_the_ids_cuts_nothing() -> None:
    cut = Cut(pl.DataFrame({"id": range(100)}), None)
    assert cut.kept(pl.LazyFrame({"id": range(49)}), None) is None
    assert cut.kept(pl.LazyFrame({"id": ["1"] * 100}), None) is None
    kept = cut.kept(pl.LazyFrame({"id": range(40, 120)}), None)
    assert kept is not None and kept.collect()["id"].to_list() == list(range(100, 120))


def test_dates_are_cut_from_the_holdout_s_first_day_on() -> None:
    day = repository().contracts["trips"].column("booked")
    cut = Cut(pl.DataFrame({"id": [1]}), int(datetime(2024, 5, 2, 12).replace(tzinfo=UTC).timestamp()) * 1_000_000)
    kept = cut.kept(pl.LazyFrame({"booked": [date(2024, 5, 2), date(2024, 5, 3), None]}), day)
    assert kept is not None and kept.collect()["booked"].to_list() == [date(2024, 5, 2)]


def test_rows_are_the_same_in_any_order_and_in_what_float32_can_tell() -> None:
    once = pl.DataFrame({"id": ["a", "b", "c"], "x": [0.1, float("nan"), None], "n": [1, 2, 3]})
    summed = once.with_columns(x=pl.col("x") + 1e-17).reverse()
    assert change_between(once, summed, ["id"]) == Change(0, 0, 0, ())
    other = pl.DataFrame({"id": ["a", "b", "d"], "x": [0.1, 0.0, None], "n": [1, 2, 3]})
    assert change_between(once, other, ["id"]) == Change(1, 1, 1, ("x",))
    twice = pl.concat([once, once.head(1)])
    assert change_between(once, twice, ["id"]).rows == 1, "a row that counts twice is another"
