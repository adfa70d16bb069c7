"""Residuals in units of what is usual where the answer lies."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

GROUPS = 20
NORMAL = 1.4826  # a normal distribution's standard deviation over its median absolute deviation


def standardised(values: "np.ndarray", given: "np.ndarray") -> "np.ndarray":
    """(n,) label less answer, from its group's median, over its group's robust deviation.

    Groups are of rows with like answers: errors that grow with the answer are not strange. Where half of a group has no
    error at all, the deviation of all rows stands in.
    """
    import numpy as np

    residual = given - values
    usual = _deviation(residual) or float(np.abs(residual).mean()) or 1.0
    found = np.empty(len(given))
    many = max(1, min(GROUPS, len(given) // 50))
    for group in np.array_split(np.argsort(values, kind="stable"), many):
        own = residual[group]
        found[group] = (own - np.median(own)) / (_deviation(own) or usual)
    return found


def _deviation(residual: "np.ndarray") -> float:
    import numpy as np

    return NORMAL * float(np.median(np.abs(residual - np.median(residual))))
