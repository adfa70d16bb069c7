"""Tables of which is known what more rows, a source or cleaner labels would give; and their fits, one after another."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from dagster_project.domain.bundle import Trial
from dagster_project.domain.headroom_report import HeadroomReport
from dagster_project.training.headroom.asked import Asked
from dagster_project.training.headroom.examine import examine
from dagster_project.training.headroom.fits import Fitted, Job, fitted_on
from dagster_project.training.rows import load_data
from dagster_project.training.space import propose
from tests.training.conftest import make_request

FAMILY = {"family": "logistic_regression", "search": {"C": 1.0}}
BOOSTING = {
    "family": "hist_gradient_boosting",
    "search": {
        "max_iter": 40,
        "learning_rate": 0.1,
        "max_leaf_nodes": 15,
        "min_samples_leaf": 20,
        "l2_regularization": 1.0,
    },
}


def numbers(rows: int, columns: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, columns))


def table(matrix: np.ndarray, target: np.ndarray, prefix: str = "x") -> pl.DataFrame:
    columns = {f"{prefix}{place}": matrix[:, place] for place in range(matrix.shape[1])}
    return pl.DataFrame({"row": [f"r{place:05}" for place in range(len(target))], **columns, "target": target})


def coin(chance: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random(len(chance)) < chance


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def asked_of(
    folder: Path, frame: pl.DataFrame, task: str = "binary", *, family: dict[str, Any] = FAMILY, **headroom: Any
) -> Asked:
    """The examination of a family's first proposal. The table's ``row`` names its rows and is no feature."""
    changes = {key: headroom.pop(key) for key in ("sources_by_name", "identifiers", "split") if key in headroom}
    request = make_request(folder, frame, task, candidates=[family], categorical=(), features={"exclude": ["row"]})
    spec = request.spec.model_dump(mode="json") | {"headroom": {"on": True, **headroom}}
    spec |= {"split": changes["split"]} if "split" in changes else {}
    asked: dict[str, Any] = {
        "spec": type(request.spec).model_validate(spec),
        "sources": changes.get("sources_by_name", {}),
        "identifiers": changes.get("identifiers", ("row",)),
    }
    request = request.model_copy(update=asked)
    proposal = propose(request.spec)[0]
    best = Trial(
        number=0, family=proposal.family, parameters=proposal.parameters, status="completed", value=0.5, seconds=1.0
    )
    return Asked(request, load_data(request), best)


def one_by_one(asked: Asked) -> Any:
    def fit_all(jobs: Sequence[Job]) -> Mapping[str, Fitted]:
        return {job.name: fitted_on(asked.request, asked.data, asked.best, job) for job in jobs}

    return fit_all


def examined(asked: Asked) -> HeadroomReport:
    return examine(asked.request, asked.data, asked.best, one_by_one(asked))
