"""Every family, kind of column and task: what fits is accepted, what does not is refused with what would."""

from itertools import product

import pytest

from dagster_project.domain.families import FAMILIES, Modality, Task, families_for
from tests.modalities.notes import CONTRACT as NOTES
from tests.trees import SPEC, TRIPS, edited, problems, tree

TASKS: dict[Task, tuple[tuple[str, str], ...]] = {
    "binary": (),
    "multiclass": (
        ("task: binary\ntarget: late", "task: multiclass\ntarget: grade"),
        ("metric: roc_auc", "metric: log_loss"),
    ),
    "regression": (
        ("task: binary\ntarget: late", "task: regression\ntarget: delay"),
        ("metric: roc_auc", "metric: rmse"),
    ),
}
INCLUDE = "include: [miles, carrier, seats]"
COLUMNS: dict[Modality, str] = {
    "tabular": INCLUDE,
    "text": "include: [note, carrier]",
    "image": "include: [photo, carrier]",
    "series": "include: [speeds, carrier]",
}
NAMES = {"text": "note", "image": "photo", "series": "speeds"}
WIDE = """\
      - name: photo
        logicalType: string
        customProperties:
          - {property: threeacts.modality, value: image}
          - {property: threeacts.image, value: {width: 4, height: 3, channels: 3}}
          - {property: threeacts.available_at, value: PT0S}
      - name: speeds
        logicalType: array
        customProperties:
          - {property: threeacts.modality, value: series}
          - {property: threeacts.series, value: {steps: 24, frequency: PT1H}}
          - {property: threeacts.available_at, value: PT0S}
      - name: miles
"""
LABEL = "          - {property: threeacts.role, value: label}\n"
CONTRACT = NOTES.replace("      - name: miles\n", WIDE).replace(
    LABEL, f"{LABEL}          - {{property: threeacts.horizon, value: P1D}}\n"
)
OWN = {"models/tardy/architecture.py": "def network(layout, outputs, parameters): ...\n"}
SQL = (
    "SELECT ride, started, delay > 15 AS late, delay, 'good' AS grade, '' AS note, NULL AS photo, NULL AS speeds,\n"
    " miles, 'A' AS carrier, 3 AS seats,\n"
    " CAST(started AS DATE) AS booked, delay AS air_time, delay AS rumour, 1.0 AS worth, 'L1' AS line FROM rides\n"
)


def spec(family: str, task: Task, kind: Modality) -> str:
    head, tail = (
        SPEC.split("candidates:\n")[0],
        "search: {metric: roc_auc, trials: 1, seed: 7}\ngates: [{kind: parity}]\n",
    )
    return edited(f"{head}candidates:\n  - family: {family}\n{tail}", (INCLUDE, COLUMNS[kind]), *TASKS[task])


@pytest.mark.parametrize(("family", "task", "kind"), list(product(FAMILIES, TASKS, COLUMNS)))
def test_a_fit_is_accepted_and_a_misfit_refused_with_what_would_fit(family: str, task: Task, kind: Modality) -> None:
    more = OWN if family == "architecture" else {}
    found = problems(tree(spec=spec(family, task, kind), trips=CONTRACT, sql=SQL, **more))
    fits = families_for(task, [kind, "tabular"])
    if family in fits:
        assert found == []
        return
    (problem,) = found
    assert problem.code == ("family-task" if task not in FAMILIES[family].tasks else "family-modality")
    assert problem.where.startswith("candidates") and problem.line
    if problem.code == "family-modality":
        needed = FAMILIES[family].needs
        misread = kind not in FAMILIES[family].modalities
        said = (
            f"does not read {kind}, and {NAMES.get(kind)} is {kind}"
            if misread
            else f"needs a column of the modality {needed}"
        )
        assert said in problem.message
        assert all(name in (problem.hint or "") for name in fits)


def test_selection_does_not_go_with_text() -> None:
    chosen = edited(
        spec("ridge", "regression", "text"), ("carrier]", "carrier]\n  selection: {method: univariate, keep: [0.5]}")
    )
    (problem,) = problems(tree(spec=chosen, trips=CONTRACT, sql=SQL))
    assert problem.code == "selection" and "note is text" in problem.message


@pytest.mark.parametrize(
    ("kind", "more", "words"),
    [
        ("number", "", "is of the type string, not number"),
        ("string", "        enum: [{value: a}]\n", "holds categories, not text"),
    ],
)
def test_text_is_a_string_without_an_enum(kind: str, more: str, words: str) -> None:
    note = f"      - name: note\n        logicalType: {kind}\n{more}        customProperties:\n"
    note += "          - {property: threeacts.modality, value: text}\n      - name: miles\n"
    found = problems(tree(trips=edited(TRIPS, ("      - name: miles\n", note)), sql=SQL))
    assert [problem for problem in found if words in problem.message]


IMAGE, SERIES = (
    "threeacts.image, value: {width: 4, height: 3, channels: 3}",
    "threeacts.series, value: {steps: 24, frequency: PT1H}",
)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (f"          - {{property: {IMAGE}}}\n", "", "nothing says what the column's images are like"),
        ("channels: 3}", "channels: 2}", "Input should be 1 or 3"),
        ("{width: 4,", "{width: 0,", "greater than or equal to 1"),
        ("{width: 4, height: 3,", "{width: 300, height: 300,", "270,000 numbers an image, and at most 200,000"),
        ("value: image}", "value: text}", "threeacts.image is for columns of that modality"),
        (
            "name: photo\n        logicalType: string",
            "name: photo\n        logicalType: number",
            "of the type string, not number",
        ),
        (f"          - {{property: {SERIES}}}\n", "", "nothing says what the column's windows are like"),
        ("frequency: PT1H}", "frequency: 1 hour}", "not an ISO 8601 duration"),
        ("value: series}", "value: tabular}", "an array is read as a series alone"),
        (
            "logicalType: array",
            "logicalType: array\n        logicalTypeOptions: {minItems: 3}",
            "not enforced of windows",
        ),
        ("value: P1D}", "value: 1}", "not an ISO 8601 duration"),
        (
            "      - name: photo\n",
            "      - name: photo2\n        logicalType: array\n      - name: photo\n",
            "array is read as a series",
        ),
        ("value: series}", "value: serie}", "Modalities are tabular, text, image, series"),
    ],
)
def test_what_a_contract_says_of_images_and_windows(old: str, new: str, words: str) -> None:
    found = problems(tree(trips=CONTRACT.replace(old, new), sql=SQL))
    assert [problem for problem in found if words in f"{problem.message} {problem.hint}" and problem.line]


FORECAST = spec("seasonal_naive", "regression", "series")
BY_TIME = "by: time\n  validation: P30D\n  gap: P1D\n  holdout:\n    size: P31D"
BY_GROUP = "by: group\n  column: line\n  validation: 0.2\n  holdout:\n    size: 0.2"


@pytest.mark.parametrize(
    ("contract", "change", "code", "words"),
    [
        (NOTES.replace("      - name: miles\n", WIDE), (), "horizon", "nobody has declared how long after"),
        (CONTRACT, ("  gap: P1D\n", ""), "split", "labels lie among the validation rows"),
        (CONTRACT, (BY_TIME, BY_GROUP), "split", "a series is split by time"),
        (CONTRACT.replace("PT1H}", "PT1H, season: P2D}"), (), "season", "does not reach 48 steps before its target"),
        (CONTRACT.replace("value: P1D}", "value: PT90M}"), (), "horizon", "no whole number of steps"),
    ],
)  # fmt: skip
def test_whoever_forecasts_says_how_far_ahead(contract: str, change: tuple[str, ...], code: str, words: str) -> None:
    found = problems(tree(spec=edited(FORECAST, change) if change else FORECAST, trips=contract, sql=SQL))
    assert [problem.code for problem in found] == [code] and words in found[0].message


def test_a_network_reads_one_image() -> None:
    photo = WIDE.split("      - name: speeds")[0]
    two = CONTRACT.replace(photo, photo + photo.replace("photo", "photo2"))
    text = edited(spec("cnn", "binary", "image"), ("[photo, carrier]", "[photo, photo2]"))
    (problem,) = problems(tree(spec=text, trips=two, sql=SQL.replace("NULL AS photo", "NULL AS photo, NULL AS photo2")))
    assert "reads one image; photo and photo2 are" in problem.message


@pytest.mark.parametrize(
    ("family", "source", "words"),
    [
        ("ridge", OWN["models/tardy/architecture.py"], "no candidate of the spec is this network"),
        ("architecture", None, "there is no models/tardy/architecture.py"),
        ("architecture", "def network(:", "this is no Python"),
        ("architecture", "x = 1", "there is no function network"),
        ("architecture", "\n\ndef network(a): ...", "network has other arguments"),
        ("architecture", "#" * 100_001, "at most 100,000 are read"),
    ],
)
def test_a_network_of_its_own_goes_with_its_candidate(family: str, source: str | None, words: str) -> None:
    more = {} if source is None else {"models/tardy/architecture.py": source}
    found = problems(tree(spec=spec(family, "regression", "tabular"), trips=CONTRACT, sql=SQL, **more))
    assert words in found[0].message and found[0].file.startswith("models/tardy/")


def test_weights_are_for_networks() -> None:
    given = "  - family: ridge\n    weights: {digest: 'sha256:%s', licence: MIT}\n" % ("0" * 64)
    text = edited(spec("ridge", "regression", "tabular"), ("  - family: ridge\n", given))
    (problem,) = problems(tree(spec=text, trips=CONTRACT, sql=SQL))
    assert problem.code == "weights" and "mlp" in problem.hint


def test_a_network_is_no_key_of_a_spec() -> None:
    text = f"{spec('ridge', 'regression', 'tabular')}architecture: import os\n"
    (problem,) = problems(tree(spec=text, trips=CONTRACT, sql=SQL))
    assert "a network is no part of a spec" in problem.message and "architecture.py" in problem.hint


def test_checking_a_network_of_its_own_runs_nothing_of_it() -> None:
    harm = {"models/tardy/architecture.py": f"raise SystemExit('it ran')\n{OWN['models/tardy/architecture.py']}"}
    assert problems(tree(spec=spec("architecture", "regression", "tabular"), trips=CONTRACT, sql=SQL, **harm)) == []
