"""Numbers as people read them, the same in every rendering."""

import math

from dagster_project.domain.text import percent
from dagster_project.domain.verdict import Comparison, Measurement

NOTHING = "–"


def number(value: float | None, digits: int = 4) -> str:
    """Four significant digits; whole numbers in full, grouped by thousands."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 10**digits:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def share(value: float | None) -> str:
    """A share between 0 and 1 as percent."""
    return NOTHING if value is None or not math.isfinite(value) else percent(value)


def interval(measurement: Measurement) -> str:
    """``0.7312 (0.7250 to 0.7374)``: the value and its confidence limits."""
    if measurement.low is None or measurement.high is None:
        return number(measurement.value)
    decimals = _decimals(measurement.high - measurement.low)
    value, low, high = (f"{x:,.{decimals}f}" for x in (measurement.value, measurement.low, measurement.high))
    return f"{value} ({low} to {high})"


def _decimals(width: float) -> int:
    """So many that half the interval's width keeps two significant digits."""
    if not math.isfinite(width) or width <= 0:
        return 4
    return min(8, max(0, 1 - math.floor(math.log10(width / 2))))


def one_digit(value: float) -> float:
    """Rounded to one significant digit; 0 stays 0."""
    return float(f"{value:.1g}")


def rounded(comparison: Comparison) -> tuple[float, float]:
    """Gain rounded to a multiple of its standard error, and that error to one digit. Rounding twice changes nothing."""
    step = one_digit(comparison.standard_error)
    if step <= 0 or not math.isfinite(step):
        return one_digit(comparison.gain), step
    return float(f"{round(comparison.gain / step) * step:.6g}"), step


def gain(comparison: Comparison) -> str:
    """``+0.012 ± 0.003``: a gain and its standard error, the holdout's rounded."""
    holdout = comparison.rows == "holdout"
    value, error = rounded(comparison) if holdout else (comparison.gain, comparison.standard_error)
    if not math.isfinite(error) or error <= 0:
        return f"{value:+.4g}".replace("-", "−")
    decimals = min(8, max(0, (0 if holdout else 1) - math.floor(math.log10(error) + 1e-9)))
    return f"{value:+,.{decimals}f} ± {error:.{decimals}f}".replace("-", "−")


def seconds(value: float | None) -> str:
    """``4.2 s``, ``3 min 12 s``, ``1 h 5 min``."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def money(amount: float, currency: str) -> str:
    """An amount with its currency's code."""
    return f"{amount:,.2f} {currency}"


def short(digest: str | None) -> str:
    """The first twelve digits of a digest or commit."""
    return NOTHING if not digest else digest.removeprefix("sha256:")[:12]
