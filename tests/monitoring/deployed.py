"""A champion that was really built and promoted, and days on which it is asked, answered and told the truth."""

import json
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from ci.main import main
from dagster_project.domain.loading import load_repository
from dagster_project.domain.monitoring import Monitoring
from dagster_project.domain.repository import FolderTree
from dagster_project.domain.workspace import Workspace
from dagster_project.monitoring.champion import lock_of, predictor_of
from dagster_project.monitoring.watched import Watched
from tests.ci.workbench import COARSE_SQL, GOOD, MODEL, SPEC, change, git, judged, quick_build, save, settled
from tests.monitoring.logged import log, tell
from tests.monitoring.reviewed import row_id

FIRST = date(2026, 1, 5)
"""A Monday."""


def crown(folder: Path, spec: str = GOOD, sql: str = COARSE_SQL) -> Path:
    """A repository whose main has a champion: will a ride be late, by miles, carrier and seats?"""
    repo = settled(folder / "repo", spec="", sql=sql)
    git(repo, "switch", "-q", "-c", "first")
    change(repo, SPEC, spec)
    save(repo, "first model")
    quick_build(repo)
    assert judged(repo).verdict.promotable
    assert main(["promote", MODEL, "--repo", str(repo)]) == 0
    save(repo, "promote")
    return repo


def watching(repo: Path, **monitoring: Any) -> Watched:
    """The champion with these sections of ``monitoring:``; labels are sent and mature within a day."""
    known = load_repository(FolderTree(repo))
    spec = known.specs[MODEL]
    sections = {"labels": {"contract": False, "maturity": "P1D"}, **monitoring}
    asked = spec.model_copy(update={"monitoring": Monitoring.model_validate(sections)})
    return Watched(asked, known.contracts[spec.contract.name], known.locks[MODEL], Workspace(repo=repo))


def at(day: int, hour: int = 12) -> datetime:
    """Noon of a day after the first Monday."""
    return datetime.combine(FIRST, datetime.min.time(), UTC) + timedelta(days=day, hours=hour)


def play(
    here: Watched, days: range, rides: int = 100, *, seed: int = 0, miles: tuple[float, float] = (1, 30),
    noise: float = 6.0, told: float = 1.0, flip: float = 0.0, first: int = 0, onnx: str = "",
    place: str = "live",
) -> dict[int, bool]:  # fmt: skip
    """Ask the champion about ``rides`` a day, and tell a share of what happened a day later; the truth by number."""
    chance, truth, labels = random.Random(seed), {}, []
    number = first + days.start * rides
    for day in days:
        far = np.array([chance.uniform(*miles) for _ in range(rides)])
        seats = np.rint(far / 10)
        columns = {"miles": far, "seats": seats, "carrier": np.full(rides, "A", object)}
        answers = predictor_of(here).predict(columns)
        logged = []
        for row in range(rides):
            late = bool(far[row] + chance.gauss(0, noise) > 15) != (chance.random() < flip)
            truth[number] = late
            scores = answers.scores[row].tolist()  # type: ignore[index]
            inputs = {"miles": float(far[row]), "seats": float(seats[row]), "carrier": "A"}
            logged.append(
                {
                    "row_id": row_id(number), "at": at(day), "time": at(day), "model": here.spec.name,
                    "onnx": onnx or lock_of(here).onnx, "place": place, "server": "s", "id": f"p{number}",
                    "label": str(bool(answers.labels[row])).lower(), "inputs": json.dumps(inputs), "seconds": 0.001,
                    "value": None, "probabilities": scores, "dropped": None, "day": at(day).date(),
                }
            )  # fmt: skip
            if chance.random() < told:
                labels.append(said(here, number, late, at(day + 1)))
            number += 1
        log(here, *logged)
    if labels:
        tell(here, *labels)
    return truth


def said(here: Watched, number: int, late: bool, known: datetime, **more: Any) -> dict[str, Any]:
    """A label of one ride."""
    return {
        "event": f"{number} {late} {known} {sorted(more.items())}", "model": here.spec.name, "row_id": row_id(number),
        "id": None, "label": str(late).lower(), "value": None, "kind": "natural", "source": "client", "who": None,
        "audit": None, "known": known, "received": known, "day": known.date(), **more,
    }  # fmt: skip
