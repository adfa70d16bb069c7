"""How far two sets of rows are apart, column by column, as deepchecks' drift checks measure it.

Numbers: the Kolmogorov-Smirnov statistic. Categories: Cramer's V, corrected for bias (Bergsma 2013); categories of less
than 1 % are one. These are the scores of FeatureDrift, PredictionDrift and LabelDrift without their thresholds, which
know neither how many rows there are nor how many columns.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dagster_project.quality.library import load, quiet

if TYPE_CHECKING:
    import numpy as np

LEAST_ROWS = 10
"""deepchecks scores no column with fewer values."""
Columns = Mapping[str, "np.ndarray"]


def drift_scores(reference: Columns, window: Columns) -> dict[str, float]:
    """The score of each column (n,): floats with NaN, or objects with None for what is missing, which is left out.

    Columns with fewer than ten values on a side have none.
    """
    load()
    from deepchecks.utils.distribution.drift import calc_drift_and_plot

    found = {}
    with quiet():
        for name, column in reference.items():
            kind = "numerical" if column.dtype.kind == "f" else "categorical"
            sides = (_series(column), _series(window[name]))
            score, _, _ = calc_drift_and_plot(
                *sides, name, kind, numerical_drift_method="KS", categorical_drift_method="cramers_v",
                min_samples=LEAST_ROWS, with_display=False,
            )  # fmt: skip
            if not isinstance(score, str):
                found[name] = float(score)
    return found


def domain_score(reference: Columns, window: Columns, seed: int = 0) -> float:
    """Area under the curve of a model that tells the two apart: deepchecks' MultivariateDrift; 0.5 is not at all."""
    import pandas as pd

    library = load()
    categorical = [name for name, column in reference.items() if column.dtype.kind != "f"]
    with quiet():
        sides = [
            library.Dataset(pd.DataFrame(dict(columns)), cat_features=categorical) for columns in (reference, window)
        ]
        check = library.checks.MultivariateDrift(random_state=seed, n_samples=5000)
        found: Any = check.run(*sides, with_display=False)
    return float(found.value["domain_classifier_auc"])


def _series(column: "np.ndarray") -> Any:
    import pandas as pd

    return pd.Series(column)
