"""Rows of the tables as what metrics are computed on: answers by class, and the truth."""

from typing import TYPE_CHECKING

from dagster_project.domain.families import CLASSIFICATION
from dagster_project.domain.prediction import label_text
from dagster_project.inference.predictor import Answers, encode
from dagster_project.monitoring.champion import manifest_of, positive_text
from dagster_project.monitoring.watched import Watched

if TYPE_CHECKING:
    import numpy as np
    import polars as pl


class Judge:
    """Knows the model's classes, as the log writes them, in the order of its probabilities."""

    def __init__(self, watched: Watched) -> None:
        self.task = watched.spec.task
        self.classes = tuple(label_text(label) for label in manifest_of(watched).classes)
        self.positive = positive_text(watched) if self.task == "binary" else None

    def knows(self, rows: "pl.DataFrame") -> bool:
        """Whether ``rows`` are answers in these classes: a former champion may have had others."""
        import polars as pl

        if self.task != "multiclass":
            return True
        return bool(rows.select((pl.col("probabilities").list.len() == len(self.classes)).all()).item())

    def answers(self, rows: "pl.DataFrame") -> Answers:
        """The answers of ``rows`` (n): columns ``label``, ``probabilities``, ``score``, ``value``."""
        import numpy as np

        if self.task not in CLASSIFICATION:
            return Answers(values=rows["value"].to_numpy())
        codes = encode(rows["label"].to_numpy().astype(object), self.classes)
        if self.task == "multiclass":
            scores = np.array(rows["probabilities"].to_list(), float).reshape(rows.height, len(self.classes))
        else:
            scores = np.repeat(1 - rows["score"].to_numpy()[:, None], 2, axis=1)
            scores[:, self.classes.index(str(self.positive))] = rows["score"].to_numpy()
        return Answers(classes=self.classes, codes=codes, scores=scores)

    def truth(self, rows: "pl.DataFrame") -> "np.ndarray":
        """What is true of ``rows`` (n,): columns ``truth``, ``true_value``."""
        import numpy as np

        if self.task in CLASSIFICATION:
            return rows["truth"].to_numpy().astype(object)
        return np.asarray(rows["true_value"].to_numpy(), float)
