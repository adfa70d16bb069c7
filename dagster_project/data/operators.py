"""The eight comparison operators of ODCS 3, as data."""

from collections.abc import Callable
from typing import Any

OPERATORS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "mustBe": ("exactly {}", lambda value, bound: value == bound),
    "mustNotBe": ("other than {}", lambda value, bound: value != bound),
    "mustBeGreaterThan": ("more than {}", lambda value, bound: value > bound),
    "mustBeGreaterOrEqualTo": ("at least {}", lambda value, bound: value >= bound),
    "mustBeLessThan": ("less than {}", lambda value, bound: value < bound),
    "mustBeLessOrEqualTo": ("at most {}", lambda value, bound: value <= bound),
    "mustBeBetween": ("between {} and {}", lambda value, bound: bound[0] <= value <= bound[1]),
    "mustNotBeBetween": ("outside {} to {}", lambda value, bound: not bound[0] <= value <= bound[1]),
}


def holds(value: Any, operator: str | None, bound: Any) -> bool:
    """Whether ``value`` is what the rule asks for; without an operator it has to be 0. Null never is."""
    if value is None:
        return False
    return OPERATORS[operator][1](value, bound) if operator else value == 0


def describe(operator: str | None, bound: Any, unit: str = "rows") -> str:
    """The bound in words."""
    if operator is None:
        return "none"
    pair = bound if isinstance(bound, list | tuple) else (bound,)
    return OPERATORS[operator][0].format(*pair) + (" percent" if unit == "percent" else "")
