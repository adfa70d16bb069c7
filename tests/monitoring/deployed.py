"""A champion that was really built and promoted, and days on which it is asked, answered and told the truth."""

import json
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from dagster_project.domain.loading import load_repository
from dagster_project.domain.monitoring import Monitoring
from dagster_project.domain.prediction import label_text
from dagster_project.domain.repository import FolderTree
from dagster_project.domain.workspace import Workspace
from dagster_project.inference.predictor import Answers
from dagster_project.monitoring.champion import lock_of, predictor_of
from dagster_project.monitoring.watched import Watched
from tests.ci.workbench import MODEL
from tests.monitoring.logged import log, tell
from tests.monitoring.reviewed import row_id

FIRST = date(2026, 1, 5)
"""A Monday."""
Truth = Callable[[float], bool | str | float]
"""What becomes of a ride with this delay."""


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


def is_late(delay: float) -> bool:
    """What the model of two classes is asked."""
    return delay > 15


def play(
    here: Watched, days: range, rides: int = 100, *, truth: Truth = is_late, seed: int = 0,
    miles: tuple[float, float] = (1, 30), noise: float = 6.0, told: float = 1.0, flip: float = 0.0, first: int = 0,
    **answered: Any,
) -> dict[int, Any]:  # fmt: skip
    """Ask the champion about ``rides`` a day, and tell a share of what happened a day later; the truth by number.

    ``flip``: a share of the days' truths of two classes is turned round; ``answered`` goes into the log's rows.
    """
    chance, found, labels = random.Random(seed), {}, []
    number = first + days.start * rides
    for day in days:
        far = np.array([chance.uniform(*miles) for _ in range(rides)])
        columns = {"miles": far, "seats": np.rint(far / 10), "carrier": np.full(rides, "A", object)}
        answers, logged = predictor_of(here).predict(columns), []
        for row in range(rides):
            came = truth(float(far[row] + chance.gauss(0, noise)))
            found[number] = came != (chance.random() < flip) if isinstance(came, bool) else came
            inputs = {"miles": float(far[row]), "seats": float(columns["seats"][row]), "carrier": "A"}
            logged.append(
                {
                    "row_id": row_id(number), "at": at(day), "time": at(day), "model": here.spec.name,
                    "onnx": lock_of(here).onnx, "place": "live", "server": "s", "id": f"p{number}",
                    "inputs": json.dumps(inputs), "seconds": 0.001, "dropped": None, "day": at(day).date(),
                    **said_by(answers, row), **answered,
                }
            )  # fmt: skip
            if chance.random() < told:
                labels.append(said(here, number, found[number], at(day + 1)))
            number += 1
        log(here, *logged)
    if labels:
        tell(here, *labels)
    return found


def said_by(answers: Answers, row: int) -> dict[str, Any]:
    """The champion's answer to a row, as the log has it."""
    if answers.scores is None:
        return {"label": None, "probabilities": None, "value": float(np.asarray(answers.values)[row])}
    label = label_text(answers.labels[row].item())
    return {"label": label, "probabilities": answers.scores[row].tolist(), "value": None}


def said(here: Watched, number: int, truth: bool | str | float, known: datetime, **more: Any) -> dict[str, Any]:
    """A label of one ride."""
    numbers = isinstance(truth, float)
    return {
        "event": f"{number} {truth} {known} {sorted(more.items())}", "model": here.spec.name, "row_id": row_id(number),
        "id": None, "label": None if numbers else label_text(truth), "value": truth if numbers else None,
        "kind": "natural", "source": "client", "who": None, "audit": None, "known": known, "received": known,
        "day": known.date(), **more,
    }  # fmt: skip
