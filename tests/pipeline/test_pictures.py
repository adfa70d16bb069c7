"""Pictures and tables in metadata."""

import base64
from itertools import pairwise

import numpy as np

from dagster_project.domain.bundle import Trial
from dagster_project.domain.verdict import Finding, Outcome
from dagster_project.factories.answers import reliability, roc_points
from dagster_project.factories.checks import findings_table, table
from dagster_project.factories.plots import bars, columns, course, over_time, unit_square


def area(points: list[tuple[float, float]]) -> float:
    return sum((x2 - x1) * (y1 + y2) / 2 for (x1, y1), (x2, y2) in pairwise(points))


def test_the_roc_curve_encloses_the_area_under_it() -> None:
    from sklearn.metrics import roc_auc_score

    chance = np.random.default_rng(0)
    scores, hit = chance.random(5000).round(1), chance.random(5000) < 0.3
    points = roc_points(scores, hit)
    assert points[0] == (0.0, 0.0) and points[-1] == (1.0, 1.0)
    assert abs(area(list(points)) - roc_auc_score(hit, scores)) < 1e-9  # eleven scores: nothing is thinned


def test_reliability_of_exact_probabilities_lies_on_the_diagonal() -> None:
    chance = np.random.default_rng(0)
    scores = chance.random(200_000)
    points = reliability(scores, chance.random(200_000) < scores)
    assert len(points) == 10
    assert max(abs(predicted - observed) for predicted, observed in points) < 0.02


def test_pictures_are_png_bytes_in_markdown() -> None:
    trials = [
        Trial(number=n, family="ridge", parameters={}, status=s, value=v, seconds=1.0)
        for n, s, v in ((0, "completed", 0.6), (1, "failed", None), (2, "completed", 0.7))
    ]
    told = {"family": "baseline", "parameters": {"answers": "the mean"}}
    trials.append(trials[0].model_copy(update={"number": 3, "value": 0.5, **told}))
    pictures = [
        bars({"a": 0.1}, "Missing", "share"),
        columns([0.0, 1.0, 2.0], [3, 4], "Residuals", "minutes"),
        over_time([1, 2, 3], [4, 5, 6], "Rows"),
        course(trials, "roc_auc", greater_is_better=True),
        unit_square({"late": [(0.0, 0.0), (1.0, 1.0)]}, "ROC", "false", "true"),
    ]
    for picture in pictures:
        data = base64.b64decode(picture.partition("base64,")[2].removesuffix(")"))
        assert data.startswith(b"\x89PNG") and len(data) < 60_000


def test_cells_can_not_break_out_of_a_table() -> None:
    assert table(("a", "b"), [("x|y", "1\n2")]).splitlines()[2] == "| x\\|y | 1 2 |"


def test_the_bad_findings_come_first() -> None:
    found = [Finding(name=outcome.value, source="contract", outcome=outcome, summary="") for outcome in Outcome]
    first = [line.split("|")[1].strip() for line in findings_table(found).splitlines()[2:]]
    assert first == ["broken", "failed", "warned", "passed", "not_applicable"]
