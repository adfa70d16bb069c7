"""Reports to render: one pull request as it usually goes, and variations of it."""

import math
from datetime import UTC, datetime

import pytest

from ci.report.model import Links, Node, Proposal, Report
from dagster_project.domain.build import BuildResult
from dagster_project.domain.bundle import Trial
from dagster_project.domain.facts import (
    ColumnDifference,
    Cost,
    Curve,
    DatasetDifference,
    Facts,
    Importances,
    ReliabilityBin,
)
from dagster_project.domain.headroom_report import (
    CurvePoint,
    HeadroomReport,
    Interval,
    LabelNoise,
    LearningCurve,
    SourceLoss,
    SourceLosses,
    SuspectRow,
)
from dagster_project.domain.plan import Change, Plan, PlanStep
from dagster_project.domain.verdict import (
    Comparison,
    Finding,
    HoldoutUse,
    Measurement,
    Outcome,
    Subject,
    Verdict,
)

MODEL, DATASET = "late_departures", "departures"


def curve(name: str, power: float) -> Curve:
    grid = [index / 50 for index in range(51)]
    return Curve(name=name, points=tuple((x, x**power) for x in grid))


def trials() -> tuple[Trial, ...]:
    families = ("hist_gradient_boosting", "random_forest", "mlp", "logistic_regression")
    values = [0.701, 0.688, None, 0.672, 0.713, 0.706, 0.719, 0.674, 0.728, 0.716, 0.722, 0.675]
    return tuple(
        Trial(
            number=number,
            family=families[number % 4],
            parameters={"learning_rate": 0.01 * (number + 1), "max_iter": 50 + 10 * number},
            status="failed" if value is None else "completed",
            value=value,
            seconds=4.0 + number,
            error="the loss became NaN in epoch 3" if value is None else None,
        )
        for number, value in enumerate(values)
    )


def headroom() -> HeadroomReport:
    """Rising over rows, one source needed, some labels that look wrong."""
    values = ((21_000, 0.70), (53_000, 0.71), (107_000, 0.72), (214_112, 0.7284))
    points = tuple(
        CurvePoint(rows=rows, metric=Interval(value=value, low=value - 0.005, high=value + 0.005), seconds=3.2)
        for rows, value in values
    )
    late = CurvePoint(rows=10_000, absent="The time budget ended before it was fitted: raise headroom.time_budget.")
    doubled = Interval(value=0.006, low=0.002, high=0.011)
    weather = SourceLoss(name="weather", columns=("temp", "precip"), loss=Interval(value=0.03, low=0.023, high=0.037))
    suspect = SuspectRow(id={"departure_id": "20130528-DL181-LGA-0900"}, given=True, expected=False, margin=-0.867)
    return HeadroomReport(
        task="binary",
        family="hist_gradient_boosting",
        metric="roc_auc",
        rows=214_112,
        validation=41_870,
        curve=LearningCurve(taken="most recent", points=(late, *points), doubled=doubled, negligible=0.0027),
        sources=SourceLosses(sources=(weather,), untold=("seats",)),
        noise=LabelNoise(
            rows=214_112,
            folds=3,
            disagreement=0.06,
            thresholds={"False": 0.9, "True": 0.8},
            joint=((160_000, 4_000), (3_000, 40_000)),
            joint_share=0.05,
            expected_share=0.01,
            share=Interval(value=0.05, low=0.04, high=0.06),
            suspected=True,
            suspects=(suspect,),
        ),
    )


def model_facts() -> Facts:
    return Facts(
        task="binary",
        family="hist_gradient_boosting",
        parameters={"learning_rate": 0.0712, "max_iter": 240, "max_leaf_nodes": 31},
        champion_family="logistic_regression",
        champion=(
            Measurement(metric="roc_auc", rows="validation", value=0.6834, low=0.6781, high=0.6887, confidence=0.95),
            Measurement(metric="brier", rows="validation", value=0.1571, low=0.1554, high=0.1588, confidence=0.95),
        ),
        rows={"train": 214_112, "validation": 41_870},
        search_metric="roc_auc",
        trials=trials(),
        roc=(curve("challenger", 0.37), curve("champion", 0.46)),
        reliability=tuple(
            ReliabilityBin(predicted=0.05 + 0.09 * i, observed=0.06 + 0.085 * i + 0.01 * math.sin(i), count=4187)
            for i in range(10)
        ),
        importances=Importances(
            challenger={"hour": 0.31, "carrier": 0.17, "month": 0.12, "origin": 0.09, "precip": 0.08, "dest": 0.07},
            champion={"hour": 0.35, "carrier": 0.12, "month": 0.2, "origin": 0.1, "precip": 0.02, "dest": 0.05},
        ),
        headroom=headroom(),
        timings={"holdout": 6.2, "deepchecks": 21.5, "importances": 9.8},
        cost=Cost(amount=0.42, what="1 GPU node, 9 minutes"),
    )


def slices() -> tuple[Measurement, ...]:
    return tuple(
        Measurement(
            metric="roc_auc",
            rows="validation",
            value=value,
            low=value - 0.01,
            high=value + 0.01,
            count=9000 + 700 * index,
            slice=f"origin = {origin}",
        )
        for index, (origin, value) in enumerate((("EWR", 0.731), ("JFK", 0.722), ("LGA", 0.714)))
    )


def model_findings() -> tuple[Finding, ...]:
    gate = "roc_auc against the champion on holdout (superiority)"
    secret = {"auc": 0.734567}
    return (
        Finding(
            name=gate,
            source="gate",
            outcome=Outcome.PASSED,
            summary="0.734567 against 0.690123",
            rows="holdout",
            value="0.734567",
            bound="> 0",
            details=secret,
        ),
        Finding(
            name="calibration",
            source="gate",
            outcome=Outcome.PASSED,
            summary="expected calibration error",
            rows="validation",
            value="0.011",
            bound="at most 0.03",
        ),
        Finding(
            name="latency of 1 row",
            source="gate",
            outcome=Outcome.WARNED,
            summary="slower than it should be",
            value="1.9 ms",
            bound="at most 1.5 ms",
        ),
        Finding(
            name="FeatureDrift",
            source="deepchecks",
            suite="train_test_validation",
            outcome=Outcome.WARNED,
            summary="month drifts between train and validation (score 0.41, bound 0.2)",
            hint="A split by time moves the season; look at the other columns.",
        ),
        Finding(
            name="SimpleModelComparison",
            source="deepchecks",
            suite="model_evaluation",
            outcome=Outcome.PASSED,
            summary="far better than the constant model",
        ),
        Finding(
            name="MultiModelPerformanceReport",
            source="deepchecks",
            suite="model_evaluation",
            outcome=Outcome.NOT_APPLICABLE,
            summary="one model only",
        ),
    )


def model_verdict(**changes: object) -> Verdict:
    verdict = Verdict(
        subject=Subject(kind="model", name=MODEL),
        outcome="passed",
        promotable=True,
        findings=model_findings(),
        measurements=(
            Measurement(metric="roc_auc", rows="validation", value=0.7284, low=0.7233, high=0.7335, confidence=0.95),
            Measurement(metric="brier", rows="validation", value=0.1488, low=0.1471, high=0.1505, confidence=0.95),
            Measurement(metric="roc_auc", rows="holdout", value=0.734567),
            *slices(),
        ),
        comparisons=(
            Comparison(
                metric="roc_auc",
                rows="validation",
                gain=0.04503,
                standard_error=0.00213,
                low=0.041,
                significance=0.05,
                count=41_870,
                method="delong",
            ),
            Comparison(
                metric="roc_auc",
                rows="holdout",
                gain=0.044444,
                standard_error=0.00271828,
                low=0.0361,
                significance=0.0025,
                count=30_000,
                method="delong",
            ),
        ),
        holdout=HoldoutUse(
            holdout="sha256:" + "a" * 64, rows=30_000, judgements=20, used=17, counted=True, significance=0.0025
        ),
        challenger="sha256:" + "b" * 64,
        challenger_onnx="sha256:" + "c" * 64,
        champion="sha256:" + "d" * 64,
        snapshot="sha256:" + "e" * 64,
        base="0123456789abcdef0123456789abcdef01234567",
        head="fedcba9876543210fedcba9876543210fedcba98",
        facts=model_facts().model_dump(mode="json"),
    )
    return verdict.model_copy(update=changes)


def contract_verdict(**changes: object) -> Verdict:
    difference = DatasetDifference(
        rows_before=303_100,
        rows_after=336_776,
        added=33_676,
        removed=0,
        quarantined_before=12,
        quarantined_after=31,
        columns=(
            ColumnDifference(name="gust", what="type integer -> number", nulls_before=0.75, nulls_after=0.76),
            ColumnDifference(name="carrier", what="2 new categories", new_categories=("OO", "HA")),
        ),
    )
    verdict = Verdict(
        subject=Subject(kind="dataset", name=DATASET),
        outcome="passed",
        findings=(
            Finding(name="row count", source="contract", outcome=Outcome.PASSED, summary="336,776 rows"),
            Finding(
                name="MixedNulls",
                source="deepchecks",
                suite="data_integrity",
                outcome=Outcome.PASSED,
                summary="one kind of null",
            ),
        ),
        facts=Facts(difference=difference, timings={"rules": 1.2}).model_dump(mode="json"),
    )
    return verdict.model_copy(update=changes)


def plan() -> Plan:
    return Plan(
        base="0123456789abcdef0123456789abcdef01234567",
        head="fedcba9876543210fedcba9876543210fedcba98",
        changes=(
            Change(
                file="models/late_departures/spec.yaml",
                line=31,
                subject=MODEL,
                kind="spec",
                what="candidates: hist_gradient_boosting added",
                effect="rebuild",
            ),
            Change(
                file="data_contracts/departures.yaml",
                line=120,
                subject=DATASET,
                kind="contract",
                what="column gust: integer became number",
                consumer="breaking",
                producer="safe",
                bump="major",
                effect="rebuild",
            ),
        ),
        steps=(
            PlanStep(action="build", kind="dataset", name=DATASET, reasons=("its contract changed",), seconds=8.0),
            PlanStep(action="judge", kind="dataset", name=DATASET, reasons=("it was built",)),
            PlanStep(
                action="build",
                kind="model",
                name=MODEL,
                reasons=("its spec's training part changed", "departures, which it reads, changed"),
                seconds=240.0,
            ),
            PlanStep(action="judge", kind="model", name=MODEL, reasons=("it was built",)),
        ),
        findings=(
            Finding(
                name="version of departures",
                source="compatibility",
                outcome=Outcome.PASSED,
                summary="1.4.0 -> 2.0.0 is at least the major bump that the change asks for",
            ),
        ),
        reached={DATASET: (MODEL,)},
    )


LOCK_DIFF = """--- a/models/late_departures/champion.lock.yaml
+++ b/models/late_departures/champion.lock.yaml
@@ -1,6 +1,6 @@
-family: logistic_regression
+family: hist_gradient_boosting
 metrics:
   roc_auc:
-    value: 0.6834
+    value: 0.7284
"""


def full_report(**changes: object) -> Report:
    values: dict[str, object] = {
        "created": datetime(2026, 3, 4, 5, 6, tzinfo=UTC),
        "repository": "acme/flights",
        "base": "0123456789abcdef0123456789abcdef01234567",
        "head": "fedcba9876543210fedcba9876543210fedcba98",
        "plan": plan(),
        "builds": (
            BuildResult(kind="dataset", name=DATASET, outcome="built", seconds=9.1, stages={"read": 2.0, "rules": 1.1}),
            BuildResult(
                kind="model",
                name=MODEL,
                outcome="built",
                seconds=201.0,
                stages={"split": 2.1, "search": 171.0, "export": 3.3},
            ),
        ),
        "verdicts": (contract_verdict(), model_verdict()),
        "proposals": (Proposal(model=MODEL, file="models/late_departures/champion.lock.yaml", diff=LOCK_DIFF),),
        "lineage": (
            Node(name="flights", kind="dataset"),
            Node(name="weather", kind="dataset"),
            Node(name="planes", kind="dataset"),
            Node(name=DATASET, kind="dataset", reads=("flights", "weather", "planes")),
            Node(name=MODEL, kind="model", reads=(DATASET,)),
            Node(name="arrival_delay", kind="model", reads=(DATASET,)),
        ),
        "timings": {"plan": 0.8, "build": 210.1, "judge": 41.0},
        "cost": Cost(amount=0.42),
        "links": Links(suites={f"model {MODEL}": {"model_evaluation": "suites/model_evaluation.html"}}),
    }
    return Report(**(values | changes))


@pytest.fixture
def report() -> Report:
    """A pull request that changes a contract and a spec, and passes."""
    return full_report()
