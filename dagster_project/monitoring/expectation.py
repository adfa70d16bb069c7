"""What is expected of answers whose label is not known, calibrated on the rows that the champion was validated on."""

from typing import TYPE_CHECKING

from dagster_project.domain.prediction import label_text
from dagster_project.evaluation.cbpe import Calibration, Estimate, estimate
from dagster_project.monitoring.champion import asked_again, positive_scores, positive_text, rows_of_champion
from dagster_project.monitoring.watched import Watched

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

LEAST_ROWS = 200


class Expectation:
    """Estimates of two-class metrics; of other tasks, and where the champion's snapshot is not here, there are none.

    Labels of production are no substitute: calibrated on them, an estimate agrees with what it is held against.
    """

    def __init__(self, watched: Watched) -> None:
        self._positive = positive_text(watched) if watched.spec.task == "binary" else None
        self._calibration = None
        found = _validation(watched) if self._positive is not None else None
        if found is not None:
            scores, hits = found
            if len(scores) >= LEAST_ROWS and 0 < hits.sum() < len(hits):
                self._calibration = Calibration(scores, hits)

    def of(self, metric: str, rows: "pl.DataFrame") -> Estimate | None:
        """``metric`` of answers (n) with ``score`` and ``label``."""
        if self._calibration is None or not rows.height:
            return None
        scores = rows["score"].to_numpy()
        return estimate(metric, scores, self._calibration.chances(scores), (rows["label"] == self._positive).to_numpy())


def _validation(watched: Watched) -> "tuple[np.ndarray, np.ndarray] | None":
    """Scores and hits of the champion's validation rows; None where they are not here."""
    rows = rows_of_champion(watched, "validation")
    answers = None if rows is None else asked_again(watched, rows)
    if rows is None or answers is None:
        return None
    import numpy as np

    positive = positive_text(watched)
    hits = np.array([label_text(label) == positive for label in rows[watched.spec.target].to_list()])
    return positive_scores(watched, answers), hits
