"""Spans of time as contracts write them: ISO 8601, nothing else."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator


def _iso_duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not re.match(r"[-+]?P[0-9T]", value):
        raise ValueError("not an ISO 8601 duration such as PT6H, P1D or -P1D")
    return value


Duration = Annotated[timedelta, BeforeValidator(_iso_duration)]
