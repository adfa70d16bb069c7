"""Checks of deepchecks with the same results in less time. Sample sizes are never touched."""

from functools import cache


@cache
def faster_checks() -> dict[str, type]:
    return {}
