"""Conversions that go wrong without a word: each model here is built wrong on purpose, and parity refuses it.

The four are those that facts were gathered on (sklearn-onnx issues 1051, 1151, 1253 and the tokenizer's regex).
"""

from collections.abc import Callable

import numpy as np
import pytest

from dagster_project.domain.errors import RefusedError
from dagster_project.training.parity import Answer, check_parity

pytestmark = pytest.mark.filterwarnings(
    # protobuf 6 deprecates the booleans that skl2onnx hands it
    "ignore:.*Expected an int, got a boolean:DeprecationWarning"
)


def converted(model, types, classifier: bool = True) -> bytes:
    from skl2onnx import convert_sklearn

    options = {id(model): {"zipmap": False}} if classifier else None
    return convert_sklearn(model, initial_types=types, target_opset={"": 20, "ai.onnx.ml": 3}, options=options)


def wide(columns: int):
    from skl2onnx.common.data_types import FloatTensorType

    return [("rows", FloatTensorType([None, columns]))]


def classifier(model) -> Callable[[dict[str, np.ndarray]], Answer]:
    return lambda rows: Answer(model.predict(rows["rows"]), model.predict_proba(rows["rows"]))


def regressor(model) -> Callable[[dict[str, np.ndarray]], Answer]:
    return lambda rows: Answer(None, model.predict(rows["rows"]).reshape(-1, 1))


def numbers(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)


def test_isotonic_calibration_is_refused():
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.ensemble import RandomForestClassifier

    matrix = numbers(4000, 6)
    target = (matrix[:, 0] + matrix[:, 1] + numbers(4000, 1, 1)[:, 0] > 0).astype(int)
    forest = RandomForestClassifier(20, max_depth=5, random_state=0)
    model = CalibratedClassifierCV(forest, method="isotonic", cv=3).fit(matrix[:2000], target[:2000])
    graph = converted(model, wide(6)).SerializeToString()
    with pytest.raises(RefusedError, match="isotonic: the ONNX graph is not the estimator"):
        check_parity("isotonic", graph, classifier(model), {"rows": matrix[2000:]}, {})


def test_native_categories_are_refused():
    from sklearn.ensemble import HistGradientBoostingClassifier

    generator = np.random.default_rng(0)
    codes = generator.integers(0, 12, 3000)
    matrix = np.column_stack([codes, generator.normal(size=3000)]).astype(np.float32)
    target = np.isin(codes, [1, 4, 7, 10]).astype(int)
    model = HistGradientBoostingClassifier(max_iter=20, categorical_features=[0], random_state=0).fit(matrix, target)
    graph = converted(model, wide(2)).SerializeToString()
    with pytest.raises(RefusedError, match="the ONNX graph is not the estimator"):
        check_parity("native categories", graph, classifier(model), {"rows": matrix}, {})


def test_a_forest_trained_with_missing_values_is_refused():
    from sklearn.ensemble import RandomForestRegressor

    matrix = numbers(2000, 4)
    target = matrix[:, 0] * 3 + matrix[:, 1]
    holes = matrix.copy()
    holes[np.random.default_rng(1).random(holes.shape) < 0.3] = np.nan
    model = RandomForestRegressor(20, max_depth=6, random_state=0).fit(holes, target)
    graph = converted(model, wide(4), classifier=False).SerializeToString()
    check_parity("whole rows", graph, regressor(model), {"rows": matrix}, {})  # nothing shows without missing values
    with pytest.raises(RefusedError, match="On missing rows"):
        check_parity("forest", graph, regressor(model), {"rows": matrix}, {"missing": {"rows": holes}})


def test_default_tokens_are_refused():
    import onnx
    from skl2onnx.common.data_types import StringTensorType
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    plain = ["late departure again", "on time departure", "late arrival", "early arrival on time"] * 20
    accents = ["départ très tardif", "à l'heure prévue", "arrivée tardive à Orly", "l'été, arrivée à l'heure"] * 20
    words = np.array(plain + accents, dtype=object)
    target = np.array(([1, 0, 1, 0] * 20) * 2)
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(words, target)
    graph = converted(model, [("rows", StringTensorType([None, 1]))])
    for node in graph.graph.node:
        if node.op_type == "StringNormalizer":  # slim systems have no en_US, its default
            node.attribute.append(onnx.helper.make_attribute("locale", "C"))

    def reference(rows: dict[str, np.ndarray]) -> Answer:
        return Answer(model.predict(rows["rows"][:, 0]), model.predict_proba(rows["rows"][:, 0]))

    column = words.reshape(-1, 1)
    with pytest.raises(RefusedError, match="the ONNX graph is not the estimator"):
        check_parity("tokens", graph.SerializeToString(), reference, {"rows": column}, {})


def test_stock_boosting_thresholds_fail_on_planted_rows(request_for):
    """The converter rounds thresholds to the nearest float32; ours are the next below. Only planted rows tell."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    from dagster_project.training.export import exact_thresholds
    from dagster_project.training.planted import neighbours

    low = np.float32(1.0)
    high = np.nextafter(low, np.float32(2.0))
    higher = np.nextafter(high, np.float32(2.0))
    matrix = np.array([[high], [higher]] * 50, dtype=np.float32)
    model = HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=5, early_stopping=False).fit(
        matrix, np.array([0.0, 1.0] * 50)
    )
    planted = {"threshold": {"rows": neighbours(np.array([low, high, higher])).reshape(-1, 1)}}
    rows = {"rows": np.array([[0.0], [3.0]], dtype=np.float32)}
    stock = converted(model, wide(1), classifier=False).SerializeToString()
    exact = converted(exact_thresholds(model), wide(1), classifier=False).SerializeToString()
    assert check_parity("exact", exact, regressor(model), rows, planted).maximum_difference <= 1e-5
    with pytest.raises(RefusedError, match="On threshold rows"):
        check_parity("stock", stock, regressor(model), rows, planted)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 0.3])
def test_an_answer_that_is_no_number_or_far_is_refused(wrong):
    from sklearn.linear_model import Ridge

    matrix = numbers(100, 2)
    model = Ridge().fit(matrix, matrix[:, 0])
    graph = converted(model, wide(2), classifier=False).SerializeToString()

    def reference(rows: dict[str, np.ndarray]) -> Answer:
        answers = model.predict(rows["rows"]).reshape(-1, 1)
        if len(answers) > 7:
            answers[7] += wrong
        return Answer(None, answers)

    with pytest.raises(RefusedError, match="row 7"):
        check_parity("ridge", graph, reference, {"rows": matrix}, {})
