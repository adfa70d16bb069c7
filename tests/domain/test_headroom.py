"""The section ``headroom``: what it asks, what it costs a build's key, and the words of its report."""

import pytest
from pydantic import ValidationError

from dagster_project.domain.fingerprint import HEADROOM, build_key, installed_source, model_code
from dagster_project.domain.headroom import Headroom
from dagster_project.domain.headroom_report import (
    HeadroomReport,
    Interval,
    LabelNoise,
    LearningCurve,
    SourceLoss,
    SourceLosses,
)
from dagster_project.domain.headroom_words import headroom_words, next_gain
from dagster_project.domain.lineage import columns_by_source
from dagster_project.domain.projection import project
from dagster_project.domain.spec import ModelSpec
from dagster_project.domain.spec_changes import compare_specs
from dagster_project.domain.specs import load_spec
from tests.trees import SPEC, SPEC_FILE, TRIPS, edited, problems, repository, tree

GATES = "gates:\n"


def spec(words: str = "") -> ModelSpec:
    return load_spec(asked(words), SPEC_FILE)


def asked(words: str) -> str:
    return edited(SPEC, (GATES, f"headroom: {words}\n{GATES}")) if words else SPEC


def key(words: str = "") -> str:
    return build_key(spec(words), "snapshot", "code", "environment")


def test_shares_are_sorted_and_end_with_all_rows() -> None:
    assert Headroom(rows=(0.5, 0.1, 0.5)).rows == (0.1, 0.5, 1.0)
    assert Headroom(rows=()).rows == ()
    with pytest.raises(ValidationError):
        Headroom(rows=(0.0,))


def test_a_build_key_moves_with_what_is_asked_and_not_otherwise() -> None:
    off = key()
    assert key("{on: false, rows: [0.5], label_noise: false, time_budget: PT1M}") == off
    on = key("{on: true}")
    assert key("{on: true, rows: [1.0, 0.7, 0.4, 0.2, 0.1]}") == on
    others = [key("{on: true, rows: [0.5]}"), key("{on: true, sources: false}"), key("{on: true, label_noise: false}")]
    others += [key("{on: true, groups: {a: [miles]}}"), key("{on: true, time_budget: PT1M}")]
    assert len({off, on, *others}) == 7


def test_its_code_is_part_of_a_build_that_asks_and_of_no_other() -> None:
    def touched(path: str) -> bytes | None:
        data = installed_source(path)
        return data if data is None or "headroom" not in path else data + b"\n# touched\n"

    assert installed_source(HEADROOM) is not None
    assert model_code(spec(), touched) == model_code(spec())
    assert model_code(spec("{on: true}"), touched) != model_code(spec("{on: true}"))
    assert model_code(spec("{on: true}")) != model_code(spec())


def test_what_a_change_of_it_costs() -> None:
    def effects(before: str, after: str) -> set[str]:
        return {change.effect for change in compare_specs(spec(before), spec(after))}

    assert effects("", "{on: true}") == {"rebuild"}
    assert effects("{on: true}", "{on: true, sources: false}") == {"rebuild"}
    assert effects("", "{time_budget: PT1M, label_noise: false}") == {"none"}


@pytest.mark.parametrize(
    ("groups", "code", "said"),
    [
        ("{a: [mile]}", "no-feature", "Did you mean miles?"),
        ("{a: [miles, carrier, seats]}", "group", "every feature"),
        ("{a: []}", "group", "no column"),
    ],
)
def test_groups_that_would_say_nothing_are_refused(groups: str, code: str, said: str) -> None:
    found = problems(tree(spec=asked(f"{{on: true, groups: {groups}}}")))
    assert [problem.code for problem in found] == [code]
    assert said in f"{found[0].message} {found[0].hint}"


JOINED = """\
WITH worn AS (SELECT p.plane, p.year AS built FROM planes AS p)
SELECT f.ride, f.started, f.delay > 15 AS late, f.delay, 'good' AS grade, f.miles * w.rain AS miles,
    upper(w.sky) AS carrier, seats, CAST(f.started AS DATE) AS booked, f.delay AS air_time, f.delay AS rumour,
    1.0 AS worth, f.year - worn.built AS line
FROM rides AS f JOIN weather AS w ON w.hour = f.hour LEFT JOIN worn ON worn.plane = f.plane
"""


def test_columns_go_to_every_source_that_they_are_made_of() -> None:
    found = repository(tree()).contracts["trips"]
    assert found.derivation is not None
    derivation = found.derivation.model_copy(update={"sql": JOINED, "inputs": ("rides", "weather", "planes")})
    joined = found.model_copy(update={"derivation": derivation})
    assert columns_by_source(joined, ["miles", "carrier", "seats", "line"]) == {
        "rides": ("miles", "line"),
        "weather": ("miles", "carrier"),
        "planes": ("line",),
    }
    broken = found.model_copy(update={"derivation": derivation.model_copy(update={"sql": "SELECT ("})})
    assert columns_by_source(broken, ["miles"]) == {"rides": (), "weather": (), "planes": ()}
    assert columns_by_source(repository(tree()).contracts["rides"], ["miles"]) == {}


def test_the_projection_has_sources_and_ids_only_where_they_are_asked_for() -> None:
    contract = repository(tree()).contracts["trips"]
    assert project(spec(), contract).sources == {}
    assert project(spec(), contract).identifiers == ()
    found = project(spec("{on: true}"), contract)
    assert found.sources == {"rides": ("miles",)}
    assert found.identifiers == ("ride",)
    declared = project(spec("{on: true, groups: {road: [miles, seats]}}"), contract)
    assert declared.sources == {"road": ("miles", "seats")}


@pytest.mark.parametrize("column", ["ride", "late"])
def test_restricted_ids_and_targets_name_no_row(column: str) -> None:
    name = f"      - name: {column}\n"
    text = edited(TRIPS, (name, f"{name}        classification: restricted\n"))
    contract = repository(tree(trips=text)).contracts["trips"]
    assert project(spec("{on: true}"), contract).identifiers == ()


def interval(value: float, half: float) -> Interval:
    return Interval(value=value, low=value - half, high=value + half)


FLAT, RISING, UNSURE = interval(0.0002, 0.0004), interval(0.004, 0.003), interval(0.002, 0.01)
WEATHER = SourceLoss(name="weather", columns=("rain", "wind"), loss=interval(0.03, 0.007))
PLANES = SourceLoss(name="planes", columns=("seats",), loss=interval(0.0008, 0.002))


def report(doubled: Interval | None, wrong: float = 0.0, **changes: object) -> HeadroomReport:
    noise = LabelNoise(
        rows=1000,
        folds=5,
        disagreement=0.06,
        joint_share=0.05,
        expected_share=0.01,
        share=Interval(value=wrong, low=wrong / 2, high=wrong + 0.01),
        suspected=wrong > 0,
    )
    return HeadroomReport(
        task="binary",
        family="ridge",
        metric="roc_auc",
        rows=1000,
        validation=500,
        curve=LearningCurve(taken="drawn", points=(), doubled=doubled, negligible=0.003),
        sources=SourceLosses(sources=(WEATHER, PLANES)),
        noise=noise,
    ).model_copy(update=changes)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (report(RISING), "The next gain is probably in more rows (twice as many: about 0.004 roc_auc)."),
        (
            report(RISING, wrong=0.05),
            "The next gain is probably in the labels, of which about 5.0 % look wrong, then in more rows "
            "(twice as many: about 0.004 roc_auc).",
        ),
        (
            report(FLAT),
            "The next gain is probably in columns that say something new, such as weather has brought, or in another "
            "family: more rows like these would give next to nothing.",
        ),
        (
            report(UNSURE),
            "Whether more rows would help can't be told from these; no wrong labels stand out; of the sources, weather "
            "is worth most.",
        ),
        (report(UNSURE, sources=None, noise=None), "Whether more rows would help can't be told from these."),
        (report(None), "Where the next gain is, nothing here tells."),
        (report(None, wrong=0.004), "Where the next gain is, nothing here tells."),
    ],
)
def test_the_closing_sentence(found: HeadroomReport, said: str) -> None:
    assert next_gain(found) == headroom_words(found)[0] == said


@pytest.mark.parametrize(
    ("gain", "taken", "said"),
    [
        (RISING, "drawn", "Twice the rows (2,000 instead of 1,000 train rows) would gain about 0.004 (0.001 to 0.007)"),
        (FLAT, "most recent", "The learning curve is flat: a history twice as long would change roc_auc by -0.0002 to"),
        (UNSURE, "drawn", "The learning curve can't tell: twice the rows would change roc_auc by -0.008 to +0.012."),
        (
            interval(-0.01, 0.002),
            "most recent",
            "A history twice as long (2,000 instead of 1,000 train rows) would lose",
        ),
    ],
)
def test_the_curve_in_words(gain: Interval, taken: str, said: str) -> None:
    curve = LearningCurve.model_validate(
        {"taken": taken, "points": (), "doubled": gain.model_dump(), "negligible": 0.003}
    )
    assert headroom_words(report(gain, curve=curve))[1].startswith(said)


def test_sources_and_labels_in_words() -> None:
    words = headroom_words(report(FLAT, wrong=0.05))
    assert "Without weather (2 columns) 0.030 (0.023 to 0.037) roc_auc would be lost." in words
    assert "Without planes (1 column) no loss can be seen: -0.001 to +0.003 roc_auc." in words
    assert words[-1].startswith("About 5.0 % (2.5 % to 6.0 %) of the labels look wrong")
    assert words[-1].endswith("only people can tell.")
    absent = HeadroomReport(
        task="binary",
        family="mlp",
        metric="roc_auc",
        rows=10,
        validation=5,
        curve=LearningCurve(taken="drawn", points=(), absent="Why."),
        sources=SourceLosses(absent="Why."),
        noise=LabelNoise(absent="Why."),
    )
    assert headroom_words(absent)[1:] == [
        f"{n}: not available. Why." for n in ("Learning curve", "Sources", "Label noise")
    ]
