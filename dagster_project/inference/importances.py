"""Permutation importance of raw columns, measured on the ONNX file (Breiman 2001; Fisher, Rudin, Dominici 2019)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .losses import losses
from .predictor import Answers, OnnxPredictor

if TYPE_CHECKING:
    import numpy as np


def permutation_importances(
    predictor: OnnxPredictor,
    columns: "Mapping[str, np.ndarray]",
    labels: "np.ndarray",
    rows: int = 2000,
    repeats: int = 3,
    seed: int = 0,
) -> dict[str, float]:
    """Share of each raw column in the loss that shuffling it adds, on at most ``rows`` of the given rows.

    The loss is the log loss, or the squared error of a regression. A column whose shuffling does not hurt has share 0;
    when none hurts, every share is 0. Shares sum to 1 otherwise. The same seed gives the same shares.
    """
    import numpy as np

    generator = np.random.default_rng(seed)
    chosen = np.sort(generator.permutation(len(labels))[:rows])
    sample = {entry.name: np.asarray(columns[entry.name])[chosen] for entry in predictor.manifest.inputs}
    truth = np.asarray(labels)[chosen]
    orders = [generator.permutation(len(chosen)) for _ in range(repeats)]
    base = _loss(predictor.predict(sample), truth)
    added = {}
    for name, column in sample.items():
        shuffled = {key: np.concatenate([value] * repeats) for key, value in sample.items()}
        shuffled[name] = np.concatenate([column[order] for order in orders])
        added[name] = max(0.0, _loss(predictor.predict(shuffled), np.concatenate([truth] * repeats)) - base)
    total = sum(added.values())
    return {name: value / total if total > 0 else 0.0 for name, value in added.items()}


def _loss(answers: Answers, labels: "np.ndarray") -> float:
    return float(losses(answers, labels).mean())
