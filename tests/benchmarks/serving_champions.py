"""The champions that are measured: flights (20 columns, strings among them) and a network (one tensor of 30).

The flights models are the repository's spec, fitted once on a part of the flights with what its builds use.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from dagster_project.domain.contract import DataContract
from dagster_project.domain.deployment import DesiredModel, ServedInput, desired_model
from dagster_project.domain.fingerprint import ROOT
from dagster_project.domain.loading import load_repository
from dagster_project.domain.repository import FolderTree
from dagster_project.domain.spec import ModelSpec
from dagster_project.inference.predictor import OnnxPredictor
from dagster_project.storage.bundles import load_manifest
from dagster_project.storage.store import ArtifactStore
from dagster_project.training.candidate import Candidate
from dagster_project.training.export import export
from dagster_project.training.parity import check_parity, take
from dagster_project.training.problem import Problem, pose
from dagster_project.training.reference import make_reference
from dagster_project.training.rows import Data, Rows
from dagster_project.training.space import Proposal
from tests.benchmarks.plain_script import MODEL, arrays, candidate_of, departures, last_fit, manifest, parts
from tests.serving.served import champion, keep
from tests.serving.wide import network, rows, wide_champion

ROWS = {"train": 60_000, "validation": 5_000}
FOREST: dict[str, Any] = {"keep": 1.0, "max_depth": 12, "min_samples_leaf": 20, "n_estimators": 100}
PROPOSALS = {
    "forest": Proposal(0, "random_forest", FOREST),
    "logistic": Proposal(1, "logistic_regression", {"keep": 1.0, "C": 1.0}),
}


@dataclass(frozen=True)
class Served:
    """A champion, its ONNX file, and rows to ask it: (rows, width) arrays of float32 or text by input."""

    desired: DesiredModel
    onnx: bytes
    rows: dict[str, np.ndarray]

    @property
    def first(self) -> dict[str, np.ndarray]:
        """One row."""
        return {name: column[:1] for name, column in self.rows.items()}


def flights(store: ArtifactStore) -> dict[str, Served]:
    """The largest forest that the spec's search may propose, and the logistic regression; in the store."""
    spec, contract, data = _flights()
    problem = pose(spec, data)
    complete = _complete(data.validation)
    return {
        name: _flights_champion(store, f"{MODEL}_{name}", (spec, contract), problem, data, proposal, complete)
        for name, proposal in PROPOSALS.items()
    }


def wide(store: ArtifactStore) -> Served:
    """One tensor of 30 columns into a network; in the store."""
    return Served(wide_champion(store), network(), {"x": rows(100, seed=5)})


def _flights() -> tuple[ModelSpec, DataContract, Data]:
    repository = load_repository(FolderTree(ROOT))
    spec = repository.specs[MODEL]
    contract = repository.contracts[spec.contract.name]
    frames = parts(spec, departures(ROOT), contract)
    some = {part: _spread(frames[part], count) for part, count in ROWS.items()}
    return spec, contract, arrays(spec, contract, some)


def _spread(frame: pl.DataFrame, count: int) -> pl.DataFrame:
    """That many rows at most, evenly over the time."""
    return frame.gather_every(max(1, -(-len(frame) // count)))


def _complete(given: Rows) -> dict[str, np.ndarray]:
    """The first row that lacks nothing: other servers take missing values in other ways."""
    lacks = [(column == "") if column.dtype == object else np.isnan(column) for column in given.columns.values()]
    place = int(np.flatnonzero(~np.hstack(lacks).any(axis=1))[0])
    return dict(take(given.columns, slice(place, place + 1)))


def _flights_champion(
    store: ArtifactStore, name: str, about: tuple[ModelSpec, DataContract], problem: Problem, data: Data,
    proposal: Proposal, row: dict[str, np.ndarray],
) -> Served:  # fmt: skip
    spec = about[0].model_copy(update={"name": name})
    candidate = candidate_of(problem, data, proposal, last_fit(problem, proposal))
    model = export(candidate)
    bundle = _bundle(store, spec, about[1], data, candidate, model)
    lock = champion(store, name, model, bundle, ()).lock
    return Served(desired_model(spec, about[1], lock, load_manifest(store, bundle)), model, row)


def _bundle(
    store: ArtifactStore, spec: ModelSpec, contract: DataContract, data: Data, candidate: Candidate, model: bytes
) -> str:
    """The candidate with its answers to validation rows, as a build leaves it."""
    parity = check_parity(candidate.family, model, candidate.answer, data.validation.columns, {})
    known = manifest(spec, data, candidate, parity, model)
    restricted = tuple(column.name for column in contract.columns if not column.public)
    reference = make_reference(OnnxPredictor(model, known, threads=1), data, restricted)
    kept = {
        "model": spec.name, "task": spec.task, "target": spec.target, "family": candidate.family,
        "parameters": candidate.parameters, "classes": data.classes, "parity": parity, "importances": {},
    }  # fmt: skip
    inputs = tuple(ServedInput(name=entry.name, dtype=entry.dtype) for entry in data.inputs)
    return keep(store, model, reference, inputs, **kept)
