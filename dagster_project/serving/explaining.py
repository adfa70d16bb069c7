"""``explain``: why the live model answers as it does, for a few rows at a time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from dagster_project.inference.attributions import attribute
from dagster_project.inference.part_attributions import PartAttributions, attribute_numbers, patches_of, stretches_of
from dagster_project.inference.walks import Answer
from dagster_project.inference.word_attributions import WordAttributions, attribute_words
from dagster_project.serving.http import HttpError
from dagster_project.serving.live import LiveModel, tensor
from dagster_project.serving.protocol import InferRequest
from dagster_project.serving.registry import Loaded

MOST_ROWS = 100
MOST_WAITING = 8
PAIRS = 25


class Explainer:
    """Explains on a thread of its own: answers must not wait for explanations."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="explains")
        self._waiting = 0

    async def explain(self, loaded: Loaded, request: InferRequest) -> dict[str, Any]:
        """The explanation, in the form of an inference response.

        Raises:
            HttpError: too many rows, or too many who wait.
        """
        if request.rows > MOST_ROWS:
            raise HttpError(400, f"{request.rows} rows; at most {MOST_ROWS} are explained at a time")
        if self._waiting >= MOST_WAITING:
            raise HttpError(429, "too many explanations are waiting; try again later", (b"retry-after", b"5"))
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, explanation, loaded.model, request)
        finally:
            self._waiting -= 1


def explanation(model: LiveModel, request: InferRequest) -> dict[str, Any]:
    """Attributions of each row's answer to the columns: base + their sum is the answer.

    Of a single row, what each word of its texts, patch of its images and stretch of its windows added is told too.
    """
    background = {e.name: tensor(model.reference.background[e.name], e) for e in model.signature.inputs}
    names, places = explained(model)

    def answer(columns: "dict[str, np.ndarray]") -> "np.ndarray":
        return _answers(model, columns, places)

    asked = request.columns.arrays()
    found = attribute(answer, asked, background, pairs=PAIRS)
    rows, columns, wide = found.values.shape
    return {
        "model_name": model.name,
        "model_version": model.version,
        **({"id": request.id} if request.id is not None else {}),
        "outputs": [
            _output("attributions", found.values, [rows, columns, wide]),
            _output("standard_errors", found.standard_errors, [rows, columns, wide]),
            _output("base", found.base, [wide]),
            _output("answers", found.answers, [rows, wide]),
        ],
        "parameters": {
            "columns": list(found.names),
            "explained": names,
            "additivity": found.additivity,
            "onnx": model.desired.onnx,
            **(_inside(model, answer, asked, background) if rows == 1 else {}),
        },
    }


def _inside(
    model: LiveModel, answer: Answer, row: "dict[str, np.ndarray]", background: "dict[str, np.ndarray]"
) -> dict[str, Any]:
    """``words``, ``patches``, ``stretches`` by column: their places, and what each added to every explained number."""
    told: dict[str, dict[str, Any]] = {"words": {}, "patches": {}, "stretches": {}}
    for entry in model.manifest.inputs:
        if entry.modality == "text":
            words = attribute_words(answer, row, entry.name, pairs=PAIRS)
            if words is not None:
                told["words"][entry.name] = {"pieces": list(words.pieces), **_added(words)}
        elif entry.shape:
            usual = np.nan_to_num(background[entry.name]).mean(axis=0)
            owners, sides = patches_of(entry.shape) if entry.modality == "image" else (stretches_of(entry.width), None)
            added = _added(attribute_numbers(answer, row, entry.name, owners, usual, pairs=PAIRS))
            where = {"shape": list(sides)} if sides else {"first": np.unique(owners, return_index=True)[1].tolist()}
            told["patches" if sides else "stretches"][entry.name] = {**where, **added}
    return {name: found for name, found in told.items() if found}


def _added(found: WordAttributions | PartAttributions) -> dict[str, Any]:
    return {"attributions": found.values.tolist(), "base": found.base.tolist()}


def explained(model: LiveModel) -> tuple[list[str], list[int]]:
    """What is explained, and where it stands: the positive of two classes, each of more, or the value."""
    classes: list[Any] = list(model.manifest.classes)
    positive = model.desired.positive
    if not classes:
        return ["value"], [0]
    places = list(range(len(classes)))
    if len(classes) == 2:
        places = [classes.index(positive) if positive in classes else 1]
    return [_text(classes[place]) for place in places], places


def _text(label: Any) -> str:
    return str(label).lower() if isinstance(label, bool) else str(label)


def _answers(model: LiveModel, columns: "dict[str, np.ndarray]", places: list[int]) -> "np.ndarray":
    answers = model.run(columns)
    chosen: np.ndarray = answers["probabilities" if model.manifest.classes else "value"][:, places]
    return chosen


def _output(name: str, values: "np.ndarray", shape: list[int]) -> dict[str, Any]:
    return {"name": name, "datatype": "FP64", "shape": shape, "data": values.astype(float).reshape(-1).tolist()}
