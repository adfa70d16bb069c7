"""What the three suites hold, and why a check may not apply: data, readable without deepchecks."""

import re
from collections.abc import Iterable

from dagster_project.domain.base import StrictModel

# deepchecks' own default suites, in its order (``tests/quality`` compares them with the installed library).
SUITES: dict[str, tuple[str, ...]] = {
    "data_integrity": (
        "IsSingleValue",
        "SpecialCharacters",
        "MixedNulls",
        "MixedDataTypes",
        "StringMismatch",
        "DataDuplicates",
        "StringLengthOutOfBounds",
        "ConflictingLabels",
        "OutlierSampleDetection",
        "FeatureLabelCorrelation",
        "FeatureFeatureCorrelation",
        "IdentifierLabelCorrelation",
    ),
    "train_test_validation": (
        "DatasetsSizeComparison",
        "NewLabelTrainTest",
        "NewCategoryTrainTest",
        "StringMismatchComparison",
        "DateTrainTestLeakageDuplicates",
        "DateTrainTestLeakageOverlap",
        "IndexTrainTestLeakage",
        "TrainTestSamplesMix",
        "FeatureLabelCorrelationChange",
        "FeatureDrift",
        "LabelDrift",
        "MultivariateDrift",
    ),
    "model_evaluation": (
        "TrainTestPerformance",
        "RocReport",
        "ConfusionMatrixReport",
        "PredictionDrift",
        "SimpleModelComparison",
        "WeakSegmentsPerformance",
        "CalibrationScore",
        "RegressionErrorDistribution",
        "UnusedFeatures",
        "BoostingOverfit",
        "ModelInferenceTime",
    ),
}

# Never run: what it needs is never handed to a judge.
LEFT_OUT = {
    "BoostingOverfit": "it needs the trained object, stage by stage; models are judged by their ONNX file alone",
}

# Not run between two versions of one dataset, unless the contract declares a condition for it.
NOT_BETWEEN_VERSIONS = dict.fromkeys(
    ("DateTrainTestLeakageDuplicates", "DateTrainTestLeakageOverlap", "IndexTrainTestLeakage", "TrainTestSamplesMix"),
    "two versions of one dataset share rows by design",
)

# Rough seconds on 78,000 rows: the longest start first, so that two processes end together.
COSTS = {
    "WeakSegmentsPerformance": 6.0,
    "OutlierSampleDetection": 2.5,
    "FeatureLabelCorrelationChange": 1.1,
    "MultivariateDrift": 1.0,
    "FeatureLabelCorrelation": 0.6,
    "TrainTestSamplesMix": 0.5,
    "ConflictingLabels": 0.5,
    "MixedDataTypes": 0.3,
}

# Its clock must not be disturbed by checks that run beside it.
ALONE = frozenset({"ModelInferenceTime"})

# They ask which rows are the same, so they see texts themselves. The others see a text's properties.
SAME_ROWS = frozenset({"DataDuplicates", "ConflictingLabels", "TrainTestSamplesMix"})


class Excuse(StrictModel):
    """A check that did not run is not applicable when its name and the library's message stand here together."""

    checks: frozenset[str]
    message: str
    reason: str

    def covers(self, check: str, message: str) -> bool:
        """Whether this is the reason that the library gave."""
        return (not self.checks or check in self.checks) and re.search(self.message, message) is not None


def _excuse(message: str, reason: str, checks: Iterable[str] = ()) -> Excuse:
    return Excuse(checks=frozenset(checks), message=message, reason=reason)


_FOR_CLASSES = (
    "RocReport",
    "ConfusionMatrixReport",
    "CalibrationScore",
    "ConflictingLabels",
    "NewLabelTrainTest",
    "ClassImbalance",
)
_BY_LABEL = (
    "ConflictingLabels",
    "FeatureLabelCorrelation",
    "IdentifierLabelCorrelation",
    "NewLabelTrainTest",
    "FeatureLabelCorrelationChange",
    "LabelDrift",
    "ClassImbalance",
)

NOT_APPLICABLE: tuple[Excuse, ...] = (
    _excuse("Check is irrelevant for regression tasks", "regression has no classes", _FOR_CLASSES),
    _excuse(
        "Check is irrelevant for classification tasks",
        "only regression has an error distribution",
        ("RegressionErrorDistribution",),
    ),
    _excuse(
        "Dataset does not contain a datetime",
        "the contract names no event time",
        ("DateTrainTestLeakageDuplicates", "DateTrainTestLeakageOverlap"),
    ),
    _excuse("Dataset does not contain an index$", "the contract names no id column", ("IndexTrainTestLeakage",)),
    _excuse(
        "Dataset does not contain an index or a datetime",
        "the contract names neither an id column nor an event time",
        ("IdentifierLabelCorrelation",),
    ),
    _excuse("Dataset does not contain a label column", "the contract names no label", _BY_LABEL),
    _excuse(
        "There are not enough samples to run this check",
        "too few rows for a neighbourhood",
        ("OutlierSampleDetection",),
    ),
    _excuse(
        "Not enough samples to calculate drift score",
        "too few rows for a drift score",
        ("FeatureDrift", "LabelDrift", "PredictionDrift"),
    ),
    _excuse(
        "requires data to have at least two features", "a segment needs two features", ("WeakSegmentsPerformance",)
    ),
    _excuse(
        "was unable to train an error model to find weak segments",
        "no segment of the rows has errors of its own",
        ("WeakSegmentsPerformance",),
    ),
)


def reason_for(check: str, message: str) -> str | None:
    """Why a check that did not run does not apply here; None when it is broken."""
    return next((excuse.reason for excuse in NOT_APPLICABLE if excuse.covers(check, message)), None)
