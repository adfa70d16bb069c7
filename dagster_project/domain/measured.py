"""What measurements are called that are no metric of ``metrics.py``."""

LATENCY, SIZE = "latency_ms", "size_mb"
PARITY, FLIPPED_LABELS = "parity_difference", "parity_flipped_labels"
CALIBRATION = "calibration_error"
BASELINE = "gain_over_baseline"
NEAR_DUPLICATES = "near_duplicates"
BEHAVIOUR = "behaviour"


def batch_name(batch: int) -> str:
    """How a latency measurement names its batch, in ``Measurement.slice``."""
    return f"batch={batch}"


def loss_of(metric: str) -> str:
    """How much of a metric is lost where rows are disturbed."""
    return f"lost {metric}"
