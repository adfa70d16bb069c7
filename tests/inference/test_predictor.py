"""Answers of a model, and what cannot be one."""

import numpy as np
import onnx
import onnx_files as files
import polars as pl
import pytest
from onnx import helper

from dagster_project.domain import bundle
from dagster_project.domain.bundle import Input
from dagster_project.domain.errors import RefusedError
from dagster_project.inference.frames import tensors
from dagster_project.inference.importances import permutation_importances
from dagster_project.inference.predictor import OnnxPredictor, encode


def test_answers_are_the_graphs() -> None:
    answers = OnnxPredictor(files.good(), files.manifest()).predict(files.COLUMNS)
    logit = np.array([3.0, 0.0, -5.0, 1.0])
    expected = 1 / (1 + np.exp(-logit))
    np.testing.assert_allclose(answers.scores[:, 1], expected, atol=1e-6)
    assert answers.labels.tolist() == [True, False, False, True]
    assert answers.labels.dtype == bool
    assert len(answers) == 4


def test_answers_do_not_depend_on_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = OnnxPredictor(files.good(), files.manifest())
    whole = predictor.predict(files.COLUMNS)
    monkeypatch.setitem(bundle.ROWS_A_RUN, "tabular", 3)
    cut = predictor.predict(files.COLUMNS)
    assert whole.scores.tolist() == cut.scores.tolist()
    assert whole.codes.tolist() == cut.codes.tolist()


def test_regression_and_no_rows() -> None:
    predictor = OnnxPredictor(files.good("regression"), files.manifest("regression"))
    assert predictor.predict(files.COLUMNS).values.tolist() == [3.0, 0.0, -5.0, 1.0]
    nothing = {name: column[:0] for name, column in files.COLUMNS.items()}
    assert len(predictor.predict(nothing)) == 0
    assert OnnxPredictor(files.good(), files.manifest()).predict(nothing).scores.shape == (0, 2)


def _with(change: str) -> onnx.ModelProto:
    model = files.model()
    if change == "probabilities that do not sum to one":
        model.graph.node[6].input[0] = "late"
    elif change == "label outside the classes":
        model.graph.node.pop()
        model.graph.initializer.append(files.weight("seven", [7], np.int64))
        model.graph.node.append(helper.make_node("ArgMax", ["probabilities"], ["top"], axis=1, keepdims=0))
        model.graph.node.append(helper.make_node("Add", ["top", "seven"], ["label"]))
    elif change == "no number":
        model.graph.node[1].input[0], model.graph.node[1].input[1] = "gone", "distance"
    return model


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("probabilities that do not sum to one", "do not sum to one"),
        ("label outside the classes", "not in the manifest's classes"),
        ("no number", "not a finite number"),
    ],
)
def test_what_is_no_answer_is_refused(change: str, words: str) -> None:
    predictor = OnnxPredictor(_with(change).SerializeToString(), files.manifest())
    with pytest.raises(RefusedError, match=words):
        predictor.predict(files.COLUMNS)


def test_a_graph_that_cannot_run_is_refused() -> None:
    model = files.model()
    model.graph.node[0].op_type = "NoSuchOperator"
    with pytest.raises(RefusedError, match="onnxruntime cannot load"):
        OnnxPredictor(model.SerializeToString(), files.manifest())


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"distance": files.COLUMNS["distance"]}, "'carrier' is missing"),
        ({**files.COLUMNS, "distance": np.array(["a"] * 4)}, "must hold numbers"),
        ({**files.COLUMNS, "carrier": np.arange(4)}, "must hold text"),
        ({**files.COLUMNS, "distance": np.zeros((4, 2))}, "has shape"),
        ({**files.COLUMNS, "distance": np.zeros(3)}, "different lengths"),
    ],
)
def test_columns_that_do_not_fit_are_refused(columns: dict[str, np.ndarray], words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        OnnxPredictor(files.good(), files.manifest()).predict(columns)


@pytest.mark.parametrize("classes", [(False, True), (3, 7), ("no", "yes")])
def test_labels_become_positions_of_the_classes(classes: tuple[bool | int | str, ...]) -> None:
    labels = np.array([classes[1], classes[0], classes[1]])
    assert encode(labels, classes).tolist() == [1, 0, 1]
    assert encode(labels.astype(object), classes).tolist() == [1, 0, 1]
    assert encode(np.array(["zebra"]), classes).tolist() == [-1]


def test_frames_become_tensors() -> None:
    frame = pl.DataFrame(
        {"distance": [1, None], "carrier": ["é", None], "weekend": [True, None], "seats": [1.5, 1e300]}
    )
    inputs = [Input(name="carrier", dtype="string"), Input(name="weekend", dtype="string")]
    inputs += [Input(name=name, dtype="float32") for name in ("distance", "seats", "weekend")]
    text, numbers = tensors(frame, inputs[:2]), tensors(frame, inputs[2:])
    assert text["carrier"].tolist() == [["é"], [""]]
    assert text["weekend"].tolist() == [["true"], [""]]
    assert numbers["weekend"][0, 0] == 1.0
    assert np.isnan(numbers["weekend"][1, 0])
    assert numbers["distance"].dtype == np.float32
    assert numbers["seats"].tolist() == [[1.5], [np.inf]]


def test_every_column_that_makes_no_tensor_is_named() -> None:
    frame = pl.DataFrame({"when": [0]}).select(pl.col("when").cast(pl.Date))
    with pytest.raises(RefusedError) as refused:
        tensors(frame, [Input(name="when", dtype="float32"), Input(name="gone", dtype="string")])
    assert "'when' is Date" in str(refused.value)
    assert "'gone'" in str(refused.value)


def test_importances_are_shares_of_what_matters() -> None:
    generator = np.random.default_rng(0)
    columns = {
        "distance": generator.normal(0, 0.1, 3000),
        "carrier": generator.choice(["UA", "AA"], 3000).astype(object),
    }
    labels = generator.random(3000) < np.where(columns["carrier"] == "UA", 0.95, 0.5)
    predictor = OnnxPredictor(files.good(), files.manifest())
    shares = permutation_importances(predictor, columns, labels, rows=1000, seed=1)
    assert sum(shares.values()) == pytest.approx(1.0)
    assert shares["carrier"] > 0.9
    assert shares == permutation_importances(predictor, columns, labels, rows=1000, seed=1)


def test_importances_of_a_model_that_reads_nothing_are_nothing() -> None:
    model = files.model("regression")
    model.graph.node[3].op_type = "Mul"
    model.graph.node[3].input[:] = ["known", "zero"]
    predictor = OnnxPredictor(model.SerializeToString(), files.manifest("regression"))
    labels = np.ones(4)
    assert permutation_importances(predictor, files.COLUMNS, labels) == {"distance": 0.0, "carrier": 0.0}
