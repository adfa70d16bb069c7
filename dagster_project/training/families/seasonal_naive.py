"""What was seen a season ago (Hyndman and Athanasopoulos 2021, section 5.2): who forecasts has to beat it."""

from typing import TYPE_CHECKING, Any

from sklearn.linear_model import LinearRegression

from dagster_project.domain.families import Task
from dagster_project.domain.seasons import season_lag
from dagster_project.training.layout import Layout

if TYPE_CHECKING:
    import numpy as np


def make(parameters: dict[str, Any], task: Task, seed: int, layout: Layout) -> "SeasonalNaive":
    """There is nothing to choose: the contract says what a season is."""
    part = layout.the("series")
    return SeasonalNaive(part.start + season_lag(part.shape[0], layout.season, layout.horizon))


class SeasonalNaive(LinearRegression):  # type: ignore[misc]
    """A linear regression that has nothing to learn: column ``column`` is the answer, so that it is exported as one."""

    def __init__(self, column: int = 0) -> None:
        super().__init__()
        self.column = column

    def fit(self, matrix: "np.ndarray", target: "np.ndarray") -> "SeasonalNaive":
        """Look at how many columns there are."""
        import numpy as np

        self.coef_, self.intercept_ = np.zeros(matrix.shape[1], np.float32), np.float32(0.0)
        self.coef_[self.column] = 1.0
        self.n_features_in_ = matrix.shape[1]
        return self
