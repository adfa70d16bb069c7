"""Names of the checks in each deepchecks suite (deepchecks 0.19.1), as data: the library itself stays unimported.

BoostingOverfit is left out: it needs the trained object, and we judge the ONNX file.
"""

from .gates import Suite

CHECKS: dict[Suite, tuple[str, ...]] = {
    "data_integrity": (
        "ConflictingLabels",
        "DataDuplicates",
        "FeatureFeatureCorrelation",
        "FeatureLabelCorrelation",
        "IdentifierLabelCorrelation",
        "IsSingleValue",
        "MixedDataTypes",
        "MixedNulls",
        "OutlierSampleDetection",
        "SpecialCharacters",
        "StringLengthOutOfBounds",
        "StringMismatch",
    ),
    "train_test_validation": (
        "DatasetsSizeComparison",
        "DateTrainTestLeakageDuplicates",
        "DateTrainTestLeakageOverlap",
        "FeatureDrift",
        "FeatureLabelCorrelationChange",
        "IndexTrainTestLeakage",
        "LabelDrift",
        "MultivariateDrift",
        "NewCategoryTrainTest",
        "NewLabelTrainTest",
        "StringMismatchComparison",
        "TrainTestSamplesMix",
    ),
    "model_evaluation": (
        "CalibrationScore",
        "ConfusionMatrixReport",
        "ModelInferenceTime",
        "PredictionDrift",
        "RegressionErrorDistribution",
        "RocReport",
        "SimpleModelComparison",
        "TrainTestPerformance",
        "UnusedFeatures",
        "WeakSegmentsPerformance",
    ),
}
