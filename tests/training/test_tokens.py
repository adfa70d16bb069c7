"""Text as words of a hashed vocabulary: the graph finds the place of every word as training did, whatever it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.bundle import Input
from dagster_project.domain.families import Task
from dagster_project.domain.spec import Features
from dagster_project.training.export import convert
from dagster_project.training.preparation import make_preparation
from dagster_project.training.rows import frame_of
from dagster_project.training.tokens import BUCKETS, LENGTH, bucket
from tests.training.conftest import Make
from tests.training.test_terms import TEXTS
from tests.training.test_wide_families import held

INPUTS = (Input(name="body", dtype="string", modality="text"), Input(name="size", dtype="float32"))
pytestmark = pytest.mark.filterwarnings("ignore:.*Expected an int, got a boolean:DeprecationWarning")


def columns(texts: list[str]) -> dict[str, np.ndarray]:
    return {"body": np.array(texts, object).reshape(-1, 1), "size": np.ones((len(texts), 1), np.float32)}


@pytest.fixture(scope="module")
def sides():
    """The preparation, and the graph made of it."""
    import onnxruntime
    from sklearn.pipeline import Pipeline

    features, frame = Features(include=("body", "size")), frame_of(columns(["a b", "c"]), INPUTS)
    preparation = make_preparation(features, INPUTS, frame, "tensors").fit(frame)
    model = convert(Pipeline([("prepare", preparation)]), INPUTS)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names = [item.name for item in session.get_inputs()]

    def graph(given: dict[str, np.ndarray]) -> np.ndarray:
        found: np.ndarray = session.run(None, dict(zip(names, given.values(), strict=True)))[0]
        return found

    return preparation, graph


@settings(max_examples=300, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=6))
def test_any_text(sides, texts: list[str]) -> None:
    preparation, graph = sides
    given = columns([text.replace("\0", "") for text in texts])
    assert (graph(given) == preparation.transform(frame_of(given, INPUTS))).all()


def test_places_are_in_order_and_what_is_too_long_is_cut(sides) -> None:
    preparation, graph = sides
    given = columns(["One, two one", " ".join(map(str, range(LENGTH + 9))), ""])
    places = graph(given)[:, :LENGTH]
    assert places[0, :4].tolist() == [bucket("one"), bucket("two"), bucket("one"), 0]
    assert places[1, -1] == bucket(str(LENGTH - 1)) and not places[2].any() and places.max() <= BUCKETS
    assert graph(columns([])).shape == (0, LENGTH + 1)
    assert (graph(given) == preparation.transform(frame_of(given, INPUTS))).all()


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_network_embeds_a_text(request_for: Make, task: Task) -> None:
    import polars as pl

    rows = 400
    said = ["it came late", "right on time", "never came at all"]
    table = pl.DataFrame(
        {
            "note": [f"{said[row % 3]}, {'abcdefg'[row % 7]} {row}" for row in range(rows)],
            "size": [float(row % 5) for row in range(rows)],
            "target": [row % 3 == 0 if task == "binary" else row % 3 if task == "multiclass" else float(row % 3)
                       for row in range(rows)],
        }
    )  # fmt: skip
    quick = {"family": "embedding_bag", "search": {"epochs": 5, "width": 16, "batch_size": 32, "learning_rate": 0.01}}
    of = {"table": table, "categorical": ("note",), "modalities": {"note": "text"}, "candidates": [quick]}
    _, _, candidate = held(request_for, task, "embedding_bag", **of)
    assert candidate.value > 0.99 if task == "binary" else candidate.value < 0.4
