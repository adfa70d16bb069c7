"""A challenger's worst errors on the validation rows, with what led to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci.judging.models import JudgedModel
from dagster_project.domain.contract import DataContract, Role
from dagster_project.domain.explanation import ExplainedError
from dagster_project.domain.prediction import label_text
from dagster_project.domain.spec import ModelSpec

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from dagster_project.inference.predictor import Answers

BACKGROUND = 100
HIDDEN = "(not public)"


def worst_errors(
    spec: ModelSpec,
    contract: DataContract,
    model: JudgedModel,
    rows: pl.DataFrame,
    labels: np.ndarray,
    answers: Answers,
) -> tuple[ExplainedError, ...]:
    """Of ``rows`` (n), against a sample of them; only public columns' values are told."""
    from dagster_project.data.told import told as told_value
    from dagster_project.inference.attributions import answer_of
    from dagster_project.inference.explained_errors import Told, explained_errors, worst
    from dagster_project.inference.frames import tensors
    from dagster_project.inference.losses import losses

    names = _names(contract, rows)
    far = losses(answers, labels)
    places = worst(far, names)
    said, truth = answers.labels.tolist(), labels.tolist()
    told = [Told(names[place], _text(said[place]), _text(truth[place]), float(far[place])) for place in places]
    chosen = rows[places]

    def shown(name: str, place: int) -> str:
        column = contract.column(name)
        if not column.public:
            return HIDDEN
        value = chosen[name][place]
        return told_value(value.to_list() if column.shape and hasattr(value, "to_list") else value, column)

    inputs = model.manifest.inputs
    background = tensors(rows.sample(min(BACKGROUND, rows.height), seed=spec.search.seed), inputs)
    return explained_errors(answer_of(model.predictor, spec.positive), tensors(chosen, inputs), background, told, shown)


def _names(contract: DataContract, rows: pl.DataFrame) -> list[str]:
    """What each row is called: by the contract's id, where everybody may read it."""
    ids = [column.name for column in contract.with_role(Role.ID) if column.public and column.name in rows.columns]
    if not ids:
        return [f"row {number}" for number in range(rows.height)]
    return ["/".join(map(str, row)) for row in rows.select(ids).iter_rows()]


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else label_text(value)
