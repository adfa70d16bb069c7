"""A signature is what the deployed contract and the bundle's manifest say."""

import pytest

from dagster_project.domain.bundle import BundleManifest
from dagster_project.domain.deployment import DesiredModel, ServedInput
from dagster_project.domain.serving import Serving
from dagster_project.serving.signature import Expected, OutputSpec, Signature

INPUTS = (ServedInput(name="a", dtype="float32", required=True), ServedInput(name="b", dtype="string"))


def _of(task: str, outputs: tuple[str, ...], classes: tuple[str | int | bool, ...]) -> Signature:
    model = DesiredModel.model_construct(inputs=INPUTS, id_column="id", serving=Serving(request_rows=7))
    return Signature.of(model, BundleManifest.model_construct(task=task, outputs=outputs, classes=classes))


@pytest.mark.parametrize(
    ("classes", "datatype"),
    [((False, True), "BOOL"), ((0, 1, 2), "INT64"), (("a", "b"), "BYTES")],
)
def test_a_classifier_answers_label_and_probabilities(classes: tuple[str | int | bool, ...], datatype: str) -> None:
    found = _of("multiclass", ("label", "probabilities"), classes)
    assert found.outputs == (OutputSpec("label", datatype, 1), OutputSpec("probabilities", "FP32", len(classes)))
    assert [output.shape for output in found.outputs] == [[-1], [-1, len(classes)]]
    assert (found.inputs, found.id_column, found.request_rows) == (INPUTS, "id", 7)
    assert found.required == {"a"}


def test_a_regression_answers_a_value() -> None:
    assert _of("regression", ("value",), ()).outputs == (OutputSpec("value", "FP32", 1),)


def test_bounds_beyond_float32_do_not_let_infinity_in() -> None:
    expected = Expected(ServedInput(name="a", dtype="float32", minimum=-1e300, maximum=1e300))
    assert expected.high < float("inf") and expected.low > float("-inf")


def test_categories_are_written_as_the_pipeline_writes_them() -> None:
    text = Expected(ServedInput(name="a", dtype="string", enum=(True, 2, "x")))
    assert text.accepted == {"true", "2", "x", ""}
    number = Expected(ServedInput(name="a", dtype="float32", enum=(0.5, 2, True)))
    assert number.accepted == {0.5, 2.0, 1.0}
