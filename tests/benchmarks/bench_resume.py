"""A training worker that is killed amid an epoch: what is trained again, and whether the result is the same.

The real training program, for one process (a trial in Tune) and for two (Ray Train, gloo, on CPUs): once left alone,
once with kill -9 of a worker amid an epoch.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from tests.training.conftest import table_of
from tests.training.losing import Told, slow_request, train

KILLED_AFTER = 2
AT_MOST = 1


def run() -> dict[str, Any]:
    """Four trainings; minutes on two cores."""
    figures = {f"{processes} processes": compare(processes) for processes in (1, 2)}
    repeated = max(each["epochs repeated"] for each in figures.values())
    return {
        "what": f"kill -9 of a worker amid epoch {KILLED_AFTER + 1} of 5, one process and two",
        "figures": figures,
        "ratio": repeated,
        "goal": f"at most {AT_MOST} epoch repeated, the result that an undisturbed training has",
        "holds": repeated <= AT_MOST and all(each["same bytes"] for each in figures.values()),
    }


def compare(processes: int) -> dict[str, Any]:
    """One training left alone, one with a kill."""
    with tempfile.TemporaryDirectory(prefix="acts-bench-") as name:
        folder = Path(name)
        alone, killed = (_train(folder / kind, processes, after) for kind, after in _KINDS.items())
    assert alone.result is not None and killed.result is not None
    return {
        # the killed epoch was begun and not finished; before it, those since the last state that was found
        "epochs repeated": sum(KILLED_AFTER - found + 1 for found in killed.found),
        "went on after epoch": list(killed.found),
        "same bytes": alone.result.onnx == killed.result.onnx,
        "value": {"alone": alone.result.value, "killed": killed.result.value},
        "seconds": {"alone": round(alone.seconds, 1), "killed": round(killed.seconds, 1)},
    }


_KINDS = {"alone": None, "killed": KILLED_AFTER}


def _train(folder: Path, processes: int, kill_after: int | None) -> Told:
    folder.mkdir()
    request = slow_request(folder, table_of("binary"), processes)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "TUNE_", "ACTS_"))}
    told = train(request, {**kept, "HOME": str(folder), "CI": "true"}, processes, kill_after)
    if told.code:
        raise RuntimeError(f"the training program ended with {told.code}:\n{told.lines}")
    return told
