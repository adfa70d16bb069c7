"""What is refused before anything is spent: each guard with a case that it stops, and the line it names."""

import pytest

from tests.trees import FLOOR, SPEC, TRIPS, TRIPS_SQL, edited, problems, tree

INCLUDE = "include: [miles, carrier, seats]"
TASK = ("task: binary\ntarget: late", "task: {}\ntarget: {}")
FOREST = "  - family: random_forest\n"
BOUND = "    minimum: 0.6\n"
TIME = "  by: time\n  validation: P30D\n  gap: P1D\n  holdout:\n    size: P31D\n"


def include(*names: str) -> tuple[str, str]:
    return INCLUDE, f"include: [miles, carrier, seats, {', '.join(names)}]"


def forest(search: str) -> tuple[str, str]:
    return FOREST, f"{FOREST}    search: {search}\n"


def bound(words: str) -> tuple[str, str]:
    return BOUND, f"    {words}\n"


def watch(words: str) -> tuple[str, str]:
    return "task: binary\n", f"task: binary\nmonitoring:\n  {words}\n"


def experiment(words: str) -> tuple[str, str]:
    return "target: late\n", f"target: late\nexperiment: {{on: true, {words}}}\n"


CASES = {
    # contract
    "unknown contract": ([("name: trips", "name: trip")], "unknown-contract", "Did you mean trips?"),
    "version outside the range": ([('">=1.0,<2"', '">=2"')], "contract-range", "at version 1.2.0, outside >=2"),
    "no range at all": ([('">=1.0,<2"', "newest")], "version-range", "Write one such as >=1.2.0"),
    # target
    "unknown target": ([("target: late", "target: lat")], "unknown-column", "Did you mean late?"),
    "target that is no label": ([("target: late", "target: carrier")], "target-not-a-label", "delay"),
    "number for a class": ([("target: late", "target: delay")], "target-type", "boolean or string or integer"),
    "positive of a boolean": ([("target: late", "target: late\npositive: yes")], "positive", "is no value of late"),
    "no positive label": ([("target: late", "target: grade")], "positive", "Add positive:"),
    "positive outside the enum": (
        [("target: late", "target: grade\npositive: great")], "positive", "good, fair, bad",
    ),
    "positive in a regression": (
        [("task: binary\ntarget: late", "task: regression\ntarget: delay\npositive: 1")], "positive", "Remove it.",
    ),
    # features
    "unknown feature": ([include("mile")], "unknown-column", "Did you mean miles?"),
    "feature twice": ([include("miles")], "duplicate", "Remove one."),
    "the id": ([include("ride")], "feature-role", "role id"),
    "the event time": ([include("started")], "feature-role", "derive hour"),
    "the weight": ([include("worth")], "feature-role", "role weight"),
    "the target": ([include("late")], "leak", "is the target itself"),
    "a stand-in for the label": ([include("delay")], "leak", "stand-in for late"),
    "known too late": ([include("air_time")], "leak", "PT6H from the event time, after the prediction at PT0S"),
    "known nobody knows when": ([include("rumour")], "availability", "threeacts.available_at"),
    "known too late for an early prediction": (
        [("prediction_time: PT0S", "prediction_time: -PT1H")], "leak", "seats becomes known",
    ),
    "a date": ([include("booked")], "feature-type", "Derive numbers"),
    "excluding what is not there": ([(INCLUDE, f"{INCLUDE}\n  exclude: [mile]")], "exclude", "Did you mean miles?"),
    "excluding everything": (
        [(INCLUDE, f"{INCLUDE}\n  exclude: [miles, carrier, seats]")], "no-features", "at least one",
    ),
    "transform of no feature": ([(INCLUDE, f"{INCLUDE}\n  transforms: {{mile: robust}}")], "transform", "miles"),
    "transform of another type": (
        [(INCLUDE, f"{INCLUDE}\n  transforms: {{carrier: robust}}")], "transform", "one_hot or ordinal",
    ),
    "terms of a category": (
        [(INCLUDE, f"{INCLUDE}\n  transforms: {{carrier: words}}")], "transform", "one_hot or ordinal",
    ),
    "keep without a method": ([(INCLUDE, f"{INCLUDE}\n  selection: {{keep: [0.5]}}")], "selection", "univariate"),
    # split
    "group column that is none": (
        [(TIME, "  by: group\n  column: carrier\n  validation: 0.2\n  holdout: {size: 0.2}\n")], "split", "role: group",
    ),
    "unknown group column": (
        [(TIME, "  by: group\n  column: lines\n  validation: 0.2\n  holdout: {size: 0.2}\n")],
        "unknown-column", "Did you mean line?",
    ),
    "group column as a feature": (
        [(TIME, "  by: group\n  column: line\n  validation: 0.2\n  holdout: {size: 0.2}\n"), include("line")],
        "split", "never seen in training",
    ),
    "a duration without time": (
        [(TIME, "  by: stratified\n  validation: 0.2\n  holdout: {size: P30D}\n")], "split", "0.2",
    ),
    "strata of a regression": (
        [
            (TIME, "  by: stratified\n  validation: 0.2\n  holdout: {size: 0.2}\n"),
            ("task: binary\ntarget: late", "task: regression\ntarget: delay"),
        ],
        "split", "needs classes",
    ),
    "nothing left to train on": (
        [("validation: P30D", "validation: 0.45"), ("size: P31D", "size: 0.45")], "split", "too little to train on",
    ),
    # candidates and search
    "unknown family": ([("family: random_forest", "family: random_forrest")], "unknown-family", "random_forest?"),
    "a family for another task": ([("family: random_forest", "family: ridge")], "family-task", "extra_trees"),
    "a family twice": ([(FOREST, FOREST * 2)], "duplicate", "both search spaces"),
    "unknown hyperparameter": ([forest("{max_dept: 8}")], "unknown-hyperparameter", "Did you mean max_depth?"),
    "value outside the space": ([forest("{max_depth: 60}")], "out-of-range", "integer: [6, 16]"),
    "a fraction for a whole number": ([forest("{max_depth: 8.5}")], "out-of-range", "integer: [6, 16]"),
    "true for a whole number": ([forest("{max_depth: true}")], "out-of-range", "integer: [6, 16]"),
    "text for a number": ([forest("{max_depth: deep}")], "out-of-range", "integer: [6, 16]"),
    "a choice that is none": ([forest("{max_features: log2}")], "out-of-range", "choice: [sqrt, "),
    "a distribution of no kind": ([forest("{max_depth: {}}")], "distribution", "this has none"),
    "a distribution of two kinds": (
        [forest("{max_depth: {integer: [6, 8], choice: [6]}}")], "distribution", "choice and integer",
    ),
    "low above high": ([forest("{max_depth: {integer: [9, 7]}}")], "distribution", "not below the upper end"),
    "low equals high": ([forest("{max_depth: {integer: [9, 9]}}")], "distribution", "not below the upper end"),
    "logarithm of zero": ([("log_uniform: [0.01, 10.0]", "log_uniform: [0.0, 10.0]")], "distribution", "above 0"),
    "range outside the space": ([forest("{max_depth: {integer: [6, 40]}}")], "out-of-range", "40 lies outside"),
    "real numbers for whole ones": (
        [forest("{max_depth: {uniform: [7.0, 9.0]}}")], "out-of-range", "integer: [6, 16]",
    ),
    "whole numbers for real ones": (
        [("log_uniform: [0.01, 10.0]", "integer: [1, 10]")], "distribution", "log_uniform",
    ),
    "unknown metric": ([("metric: roc_auc\n  trials", "metric: roc_auk\n  trials")], "unknown-metric", "roc_auc?"),
    "metric of another task": ([("metric: roc_auc\n  trials", "metric: r2\n  trials")], "metric-task", "average_prec"),
    "asha with nothing to stop": ([("seed: 7", "scheduler: asha")], "scheduler", "mlp"),
    "fewer trials than families": ([("trials: 6", "trials: 1")], "trials", "at least 2"),
    # gates
    "gate on another task's metric": ([("    metric: roc_auc\n    minimum", "    metric: mae\n    minimum")],
                                      "metric-task", "does not fit the task binary"),
    "bound without a bound": ([bound("confidence: 0.9")], "gate-cannot-fail", "Add one."),
    "minimum at the worst": ([bound("minimum: 0.0")], "gate-cannot-fail", "never below 0"),
    "minimum at the best": ([bound("minimum: 1.0")], "gate-impossible", "never exceeds 1"),
    "maximum at the worst": (
        [("    metric: roc_auc\n    minimum: 0.6", "    metric: brier\n    maximum: 2.0")],
        "gate-cannot-fail", "exceeds 2",
    ),
    "maximum at the best": (
        [("    metric: roc_auc\n    minimum: 0.6", "    metric: log_loss\n    maximum: 0.0")],
        "gate-impossible", "below 0",
    ),
    "minimum above maximum": ([bound("minimum: 0.8\n    maximum: 0.7")], "gate-impossible", "No model can pass"),
    "gate twice": ([(BOUND, f"{BOUND}  - kind: bound\n    metric: roc_auc\n    minimum: 0.7\n")], "duplicate", "twice"),
    "margin as wide as the metric": (
        [("  - kind: champion\n    metric: roc_auc\n", "  - kind: champion\n    metric: roc_auc\n    margin: 1.0\n")],
        "gate-impossible", "differ by at most 1",
    ),
    "non-inferiority with any loss": (
        [("  - kind: champion\n    metric: roc_auc\n",
          "  - kind: champion\n    metric: roc_auc\n    test: non_inferiority\n    margin: 1.0\n")],
        "gate-cannot-fail", "can't fail",
    ),
    "non-inferiority without a margin": (
        [("  - kind: champion\n    metric: roc_auc\n",
          "  - kind: champion\n    metric: roc_auc\n    test: non_inferiority\n")],
        "gate-impossible", "needs a margin",
    ),
    "slices by no column": ([("by: [carrier]", "by: [carriers]")], "unknown-column", "Did you mean carrier?"),
    "slices by the id": ([("by: [carrier]", "by: [ride]")], "slice", "role id"),
    "slices by a real number": ([("by: [carrier]", "by: [miles]")], "slice", "few values"),
    "a drop as wide as the metric": ([("maximum_drop: 0.1", "maximum_drop: 1.0")], "gate-cannot-fail", "Lower it."),
    "an unknown check": ([("[WeakSegmentsPerformance]", "[WeakSegments]")], "unknown-check", "WeakSegmentsPerf"),
    "a check of another suite": ([("[WeakSegmentsPerformance]", "[FeatureDrift]")], "unknown-check", "no check"),
    "calibration of a regression": (
        [(BOUND, f"{BOUND}  - kind: calibration\n    maximum: 0.1\n"),
         ("task: binary\ntarget: late", "task: regression\ntarget: delay")],
        "gate-task", "needs probabilities",
    ),
    # monitoring and experiments
    "watching with another task's metric": ([watch("performance: {metrics: [rmse]}")], "metric-task", "binary"),
    "a bound without a side": (
        [watch("performance: {bounds: [{metric: roc_auc}]}")], "gate-cannot-fail", "a bound without minimum",
    ),
    "a bound that can't be crossed": (
        [watch("performance: {bounds: [{metric: roc_auc, minimum: 0.0}]}")], "gate-cannot-fail", "never below 0",
    ),
    "watching no column": ([watch("drift: {columns: [seat]}")], "unknown-column", "Did you mean seats?"),
    "watching what is not logged": ([watch("performance: {slices: [delay]}")], "not-logged", "no feature of tardy"),
    "waiting for drift that nobody looks for": ([experiment("drift: true")], "cause-cannot-arise", "drift is off"),
    "waiting for a bound that is not there": (
        [experiment("performance: true"), watch("performance: {on: true}")], "cause-cannot-arise", "a crossed bound",
    ),
    "experiments without a cause": ([experiment("pause: P1D")], "cause-cannot-arise", "nothing starts one"),
}  # fmt: skip


@pytest.mark.parametrize(("edits", "code", "words"), CASES.values(), ids=CASES.keys())
def test_a_guard_says_what_is_wrong_where_and_what_to_do(edits: list[tuple[str, str]], code: str, words: str) -> None:
    found = [p for p in problems(tree(spec=edited(SPEC, *edits))) if p.code == code]
    assert any(words in f"{p.message} {p.hint}" for p in found), found
    assert all(p.file == "models/tardy/spec.yaml" and p.line and p.where for p in found)


def test_the_line_is_the_features_own() -> None:
    text = edited(SPEC, (INCLUDE, "include:\n    - miles\n    - carrier\n    - air_time"))
    (problem,) = problems(tree(spec=text))
    assert problem.line is not None
    assert "air_time" in text.splitlines()[problem.line - 1]
    contract_line = int(problem.hint.rsplit(":", 1)[1].rstrip(")."))
    assert "air_time" in TRIPS.splitlines()[contract_line - 1]


def test_a_feature_may_not_be_called_as_an_output_is() -> None:
    trips, sql = (
        edited(TRIPS, ("- name: seats", "- name: probabilities")),
        edited(TRIPS_SQL, ("seats", "probabilities")),
    )
    text = edited(SPEC, (INCLUDE, "include: [miles, carrier, probabilities]"))
    (problem,) = problems(tree(trips=trips, sql=sql, spec=text))
    assert problem.code == "feature-name" and "an output" in problem.message


def test_a_later_prediction_may_use_what_is_known_later() -> None:
    text = edited(SPEC, include("air_time"), ("prediction_time: PT0S", "prediction_time: PT6H"))
    assert problems(tree(spec=text)) == []


def test_a_narrowed_search_is_accepted() -> None:
    search = "{max_depth: {integer: [8, 10]}, n_estimators: 60, max_features: {choice: [sqrt]}}"
    assert problems(tree(spec=edited(SPEC, forest(search)))) == []


def test_stratified_and_group_splits_are_accepted() -> None:
    for split in (
        "  by: stratified\n  validation: 0.2\n  holdout: {size: 0.2}\n",
        "  by: group\n  column: line\n  validation: 0.2\n  holdout: {size: 0.2}\n",
    ):
        assert problems(tree(spec=edited(SPEC, (TIME, split)))) == []


def test_a_time_split_needs_the_event_time() -> None:
    trips = edited(
        TRIPS,
        (
            "          - {property: threeacts.role, value: event_time}",
            "          - {property: threeacts.unit, value: s}",
        ),
    )
    assert [p.where for p in problems(tree(trips=trips)) if p.code == "split"] == ["split.by"]


def test_the_floor_is_guarded_too() -> None:
    floor = edited(
        FLOOR, ("maximum_mb: 100", "maximum_mb: 100\n  - kind: bound\n    metric: roc_auc\n    minimum: 0.6")
    )
    assert any("below tasks: binary" in p.hint for p in problems(tree(floor=floor)))
    floor = edited(FLOOR, ("minimum: 0.55", "minimum: 0.0"))
    assert [p.code for p in problems(tree(floor=floor))] == ["gate-cannot-fail"]


def test_rows_that_judge_have_an_id() -> None:
    role = "        customProperties:\n          - {property: threeacts.role, value: id}\n"
    nameless = edited(TRIPS, ("        unique: true\n" + role, ""))
    (problem,) = problems(tree(trips=nameless))
    assert problem.code == "split" and "judged by their id, and no column of trips has that role" in problem.message
