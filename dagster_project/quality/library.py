"""deepchecks 0.19, imported so that it runs on numpy 2, talks to nobody and warns of nothing that we know.

deepchecks is AGPL-3.0. It runs in CI and in pipelines, never in the serving process.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

TELEMETRY_SWITCH = "DISABLE_DEEPCHECKS_ANONYMOUS_TELEMETRY"

# numpy 2 removed these names; deepchecks still uses them.
_REMOVED_FROM_NUMPY = {"Inf": float("inf"), "NaN": float("nan"), "NINF": float("-inf")}

# (beginning of the message, category): what deepchecks and what it stands on say about themselves, not about the data.
_KNOWN_WARNINGS: tuple[tuple[str, type[Warning]], ...] = (
    ("pkg_resources is deprecated as an API", UserWarning),
    ("ChainedAssignmentError", FutureWarning),
    ("Deprecated call to `pkg_resources.declare_namespace", DeprecationWarning),
    ("Ability to import base tabular functionality", DeprecationWarning),
    ("the `interpolation=` argument to quantile was renamed", DeprecationWarning),
    (
        "The following error was raised: '(MyModelWrapper|PerfectModel|_DummyModel|RandomModel)' object",
        DeprecationWarning,
    ),
    ("Downcasting object dtype arrays on .fillna", FutureWarning),
    ("DataFrame.applymap has been deprecated", FutureWarning),
    ("Mean of empty slice", RuntimeWarning),  # a column of one category in FeatureFeatureCorrelation
    ("invalid value encountered in scalar divide", RuntimeWarning),
)


@cache
def load() -> Any:
    """``deepchecks.tabular``, imported once per process (2 to 6 s)."""
    import numpy

    os.environ[TELEMETRY_SWITCH] = "True"
    for name, value in _REMOVED_FROM_NUMPY.items():
        if not hasattr(numpy, name):
            setattr(numpy, name, value)
    with quiet():
        import deepchecks
        import deepchecks.tabular.checks
        import deepchecks.tabular.suites

    _mend()
    deepchecks.set_verbosity(40)  # logging.ERROR: its remarks reach the report as findings
    return deepchecks.tabular


def _mend() -> None:
    """Three places where deepchecks asks scikit-learn 1.7 for what it no longer has.

    ``mean_squared_error(squared=...)`` is gone, a regressor must answer by a method called ``predict``, and a metric
    with a positive label checks that it is one of the classes, also where it is not used (one value per class).
    """
    from deepchecks.tabular import context
    from deepchecks.tabular.checks.model_evaluation import regression_error_distribution, regression_systematic_error
    from deepchecks.tabular.metric_utils import scorers
    from sklearn.metrics import mean_squared_error, root_mean_squared_error

    def either(truth: Any, values: Any, squared: bool = True) -> Any:
        return (mean_squared_error if squared else root_mean_squared_error)(truth, values)

    for module in (regression_error_distribution, regression_systematic_error):
        module.mean_squared_error = either
    for name in ("mean_squared_error", "mse", "root_mean_squared_error", "rmse"):
        scorers.regression_scorers_lower_is_better_dict[name]._score_func = either
    context._DummyModel._predict.__name__ = "predict"
    for name in ("precision_per_class", "recall_per_class", "f1_per_class", "jaccard_per_class"):
        scorers.multiclass_scorers_dict[name]._kwargs["pos_label"] = None


@contextmanager
def quiet() -> Iterator[None]:
    """Ignore the known warnings, and only these."""
    with warnings.catch_warnings():
        for message, category in _KNOWN_WARNINGS:
            warnings.filterwarnings("ignore", message=message, category=category)
        yield
