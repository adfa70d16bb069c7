"""How wrong each answer was."""

from typing import TYPE_CHECKING

from .predictor import Answers, encode

if TYPE_CHECKING:
    import numpy as np


def losses(answers: Answers, truth: "np.ndarray") -> "np.ndarray":
    """Log loss of each row (n,), or the squared error of a regression. A class that the model has not is as wrong as
    can be."""
    import numpy as np

    if answers.scores is None:
        squared: np.ndarray = (np.asarray(answers.values) - truth.astype(float)) ** 2
        return squared
    codes = encode(truth, answers.classes)
    chance = np.where(codes >= 0, answers.scores[np.arange(len(codes)), codes], 0.0)
    found: np.ndarray = -np.log(np.clip(chance, np.finfo(np.float32).eps, 1.0))
    return found
