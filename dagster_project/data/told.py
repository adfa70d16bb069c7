"""A value in a few words, as reports and pages tell it."""

from typing import Any

from dagster_project.data.images import in_words
from dagster_project.domain.contract import Column


def told(value: Any, column: Column) -> str:
    """Numbers in six digits; of an image what it is, of a window where it begins and ends."""
    if value is None or value == "":
        return "missing"
    if isinstance(value, bytes):
        return in_words(value)
    if column.image:
        return f"{column.image.width} x {column.image.height} pixels"
    if column.series:
        return _window([step for step in value if step is not None], len(value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _window(there: list[float], steps: int) -> str:
    if not there:
        return f"{steps} steps, all missing"
    lost = f", {steps - len(there)} missing" if len(there) < steps else ""
    return f"{steps} steps, {min(there):.6g} to {max(there):.6g}, the last {there[-1]:.6g}{lost}"
