"""Attributions against exact Shapley values, closed forms and real ONNX files."""

from collections.abc import Callable
from itertools import combinations
from math import factorial

import numpy as np
import onnx_files as files
import pytest
from onnx import TensorProto, helper

from dagster_project.domain.bundle import Input
from dagster_project.domain.errors import MachineryError, RefusedError
from dagster_project.inference.attributions import Attributions, answer_of, attribute, explained_output
from dagster_project.inference.predictor import Answers, OnnxPredictor
from dagster_project.inference.walks import Answer, Columns

CARRIERS = np.array(["UA", "AA", "B6", ""], dtype=object)


def table(rows: int, seed: int) -> Columns:
    """Numbers with holes, text, an embedding of width 2, and a column that no model here reads."""
    generator = np.random.default_rng(seed)
    distance = generator.normal(size=(rows, 1))
    distance[generator.random((rows, 1)) < 0.3] = np.nan
    return {
        "distance": distance,
        "carrier": CARRIERS[generator.integers(4, size=(rows, 1))],
        "hour": generator.integers(24, size=(rows, 1)),
        "words": generator.normal(size=(rows, 2)),
        "unread": generator.normal(size=(rows, 1)),
    }


def curved(columns: Columns) -> np.ndarray:
    """Interactions of three columns, missing values and text."""
    known = np.where(np.isnan(columns["distance"]), -2.0, columns["distance"])[:, 0]
    united = (columns["carrier"] == "UA")[:, 0]
    late = columns["hour"][:, 0] > 15
    return np.tanh(known * (1 + united) + late * known * united) + columns["words"].prod(axis=1) * (1 + late)


def three(columns: Columns) -> np.ndarray:
    logits = np.stack([curved(columns), columns["hour"][:, 0] / 12 - 1, np.zeros(len(columns["hour"]))], axis=1)
    powers = np.exp(logits)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def exact(answer: Answer, rows: Columns, background: Columns) -> np.ndarray:
    """Interventional Shapley values (rows, names, k) by enumeration of all coalitions (Shapley 1953)."""
    names, count, usual = list(rows), len(next(iter(rows.values()))), background

    def worth(taken: tuple[str, ...], row: int) -> np.ndarray:
        size = len(next(iter(usual.values())))
        mixed = {n: np.repeat(rows[n][[row]], size, axis=0) if n in taken else usual[n] for n in names}
        return np.asarray(answer(mixed)).reshape(size, -1).mean(axis=0)

    def value(name: str, row: int) -> np.ndarray:
        others, total = [n for n in names if n != name], np.zeros(1)
        for size in range(len(names)):
            weight = factorial(size) * factorial(len(names) - size - 1) / factorial(len(names))
            for taken in combinations(others, size):
                total = total + weight * (worth((*taken, name), row) - worth(taken, row))
        return total

    return np.array([[value(name, row) for name in names] for row in range(count)])


def adds_up(found: Attributions) -> bool:
    gap = np.abs(found.base + found.values.sum(axis=1) - found.answers).max()
    return bool(gap == found.additivity and gap < 1e-12)


@pytest.mark.parametrize("answer", [curved, three])
def test_the_error_to_exact_values_shrinks_as_pairs_grow(answer: Answer) -> None:
    rows, background = table(5, 1), table(40, 2)
    truth = exact(answer, rows, background)
    found = {pairs: attribute(answer, rows, background, pairs=pairs, seed=3) for pairs in (10, 100, 1000, 10_000)}
    errors = [np.sqrt(((each.values - truth) ** 2).mean()) for each in found.values()]
    assert errors[0] / errors[3] > 10  # 1,000 times the pairs are 32 times closer
    assert errors[0] > errors[1] > errors[2] > errors[3]
    assert errors[3] < 0.01 * np.abs(truth).max()
    assert all(adds_up(each) for each in found.values())


def test_standard_errors_say_how_far_the_exact_values_are() -> None:
    rows, background = table(5, 1), table(400, 2)
    read = [name != "unread" for name in rows]
    truth = exact(curved, rows, background)[:, read]
    found = [attribute(curved, rows, background, pairs=25, seed=seed) for seed in range(60)]
    errors = np.abs(np.array([each.values[:, read] for each in found]) - truth)
    said = np.array([each.standard_errors[:, read] for each in found])
    assert np.mean(errors <= 1.96 * said) > 0.9
    assert said.mean() < 1.5 * np.sqrt((errors**2).mean(axis=0)).mean()  # nor larger than need be


def test_sampling_is_unbiased() -> None:
    rows, background = table(3, 1), table(40, 2)
    means = np.mean([attribute(curved, rows, background, pairs=10, seed=seed).values for seed in range(400)], axis=0)
    np.testing.assert_allclose(means, exact(curved, rows, background), atol=0.02)


def linear(columns: Columns) -> np.ndarray:
    return 2 * columns["a"][:, 0] - 3 * columns["b"][:, 0] + 0.5


def numbers(rows: int, seed: int) -> Columns:
    generator = np.random.default_rng(seed)
    return {name: generator.normal(size=(rows, 1)) for name in ("a", "b", "c")}


@pytest.mark.parametrize("times", [1, 3])
def test_linear_models_have_their_closed_form_where_every_background_row_is_used_alike(times: int) -> None:
    rows, background = numbers(4, 0), numbers(20, 1)
    found = attribute(linear, rows, background, pairs=20 * times)
    for place, (name, weight) in enumerate({"a": 2, "b": -3, "c": 0}.items()):
        due = weight * (rows[name][:, 0] - background[name].mean())
        np.testing.assert_allclose(found.values[:, place, 0], due, atol=1e-12)


def test_symmetric_columns_get_equal_values() -> None:
    background = numbers(50, 1)
    background = {**background, "b": background["a"]}
    rows = {name: np.array([[1.5]]) for name in "abc"}
    found = attribute(lambda c: (c["a"] * c["b"])[:, 0] + c["c"][:, 0], rows, background, pairs=400)
    one, other = found.values[0, :2, 0]
    assert abs(one - other) < 3 * np.hypot(*found.standard_errors[0, :2, 0])
    assert abs(one) > 10 * abs(one - other)


def test_a_column_that_is_not_read_gets_exactly_nothing() -> None:
    found = attribute(three, table(20, 1), table(30, 2), pairs=7)
    unread = found.names.index("unread")
    assert not found.values[:, unread].any()
    assert not found.standard_errors[:, unread].any()
    assert (found.values[:, :unread] != 0).any(axis=(0, 2)).all()
    np.testing.assert_allclose(found.values.sum(axis=2), 0, atol=0.02)  # the probabilities sum to one


def test_base_is_the_backgrounds_mean() -> None:
    background = table(30, 2)
    found = attribute(three, table(2, 1), background, pairs=5)
    np.testing.assert_allclose(found.base, three(background).mean(axis=0))
    np.testing.assert_allclose(found.answers, three(table(2, 1)))


def test_seed_and_only_seed_decides() -> None:
    rows, background = table(6, 1), table(30, 2)
    whole = attribute(curved, rows, background, seed=4)
    assert attribute(curved, rows, background, seed=4).values.tolist() == whole.values.tolist()
    assert attribute(curved, rows, background, seed=5).values.tolist() != whole.values.tolist()
    assert attribute(curved, rows, background, seed=4, most_rows_a_call=7).values.tolist() == whole.values.tolist()
    alone = attribute(curved, {name: column[[3]] for name, column in rows.items()}, background, seed=4)
    assert alone.values.tolist() == whole.values[[3]].tolist()


def counting(answer: Answer) -> tuple[Answer, list[int]]:
    asked: list[int] = []

    def counted(columns: Columns) -> np.ndarray:
        asked.append(len(next(iter(columns.values()))))
        return answer(columns)

    return counted, asked


def test_the_model_is_asked_in_few_calls_and_not_for_what_does_not_change() -> None:
    answer, asked = counting(linear)
    attribute(answer, numbers(10, 0), numbers(20, 1), pairs=5)
    assert asked == [20, 10, 10 * 5 * 2 * 2]
    asked.clear()
    attribute(answer, numbers(10, 0), numbers(20, 1), pairs=5, most_rows_a_call=64)
    assert max(asked) <= 64
    assert sum(asked) == 20 + 10 + 200
    asked.clear()
    same = {name: np.full((1, 1), np.nan if name == "a" else 1.0) for name in "abc"}
    found = attribute(counting(lambda c: c["b"][:, 0])[0], same, same, pairs=5)
    assert not found.values.any()
    attribute(answer, {**numbers(1, 0), "b": np.ones((1, 1))}, {**numbers(20, 1), "b": np.ones((20, 1))}, pairs=5)
    assert asked == [20, 1, 5 * 2]


def test_answers_that_are_rare_in_the_background_add_up_too() -> None:
    """97 of 100 background rows are answered alike: few walks see the others, and unread columns stay out of it."""
    background = {"a": np.repeat([0.0, 1.0], [97, 3])[:, None], "b": np.arange(100.0)[:, None]}
    rows = {"a": np.array([[0.0], [1.0]]), "b": np.array([[200.0], [300.0]])}
    found = attribute(lambda c: c["a"][:, 0] * 5, rows, background, pairs=3)
    np.testing.assert_allclose(found.values[:, :, 0], [[-0.15, 0.0], [4.85, 0.0]], atol=1e-12)
    both = attribute(lambda c: np.stack([c["a"][:, 0], c["b"][:, 0]], axis=1), rows, background, pairs=3)
    assert adds_up(both)


@pytest.mark.parametrize("names", ["a", "abc"])
def test_constant_models_and_one_column(names: str) -> None:
    rows, background = ({n: numbers(3, seed)[n] for n in names} for seed in range(2))
    assert not attribute(lambda c: np.full(len(c["a"]), 0.1), rows, background).values.any()
    found = attribute(lambda c: c["a"][:, 0], rows, background)
    np.testing.assert_allclose(found.values[:, 0, 0], (rows["a"] - background["a"].mean())[:, 0])


def test_columns_without_width_and_of_other_types_are_taken() -> None:
    rows = {"a": np.array([1, 2]), "b": np.array(["x", "long text"])}
    background = {"b": np.array(["x", "y"], dtype=object), "a": np.array([0.5, 1.5], np.float32)}
    found = attribute(lambda c: c["a"][:, 0] + (c["b"][:, 0] == "long text"), rows, background, pairs=2)
    np.testing.assert_allclose(found.values[:, :, 0], [[0, 0], [1, 1]], atol=1e-6)


ONES = np.ones((2, 1))


@pytest.mark.parametrize(
    ("rows", "background", "words"),
    [
        ({"a": ONES[:0]}, {"a": ONES}, r"rows to explain number \[0\]"),
        ({"a": ONES}, {"a": ONES[:0]}, r"background rows to hold them against number \[0\]"),
        ({}, {}, "other columns"),
        ({"a": ONES}, {"b": ONES}, r"other columns: \['a', 'b'\]"),
        ({"a": ONES, "b": ONES[:1]}, {"a": ONES, "b": ONES}, r"rows to explain number \[1, 2\]"),
        ({"a": ONES}, {"a": np.ones((2, 3))}, "'a' is not alike .* 1 wide; float64, 3 wide"),
        ({"a": ONES}, {"a": np.array(["x"])}, "'a' is not alike"),
        ({"a": np.ones((1, 1, 1))}, {"a": ONES}, r"'a' is float64 of shape \(1, 1, 1\)"),
    ],
)
def test_what_cannot_be_explained_is_refused_in_words(rows: Columns, background: Columns, words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        attribute(lambda c: c["a"][:, 0], rows, background)


@pytest.mark.parametrize("how", [{"pairs": 1}, {"most_rows_a_call": 0}])
def test_too_little_sampling_is_refused(how: dict[str, int]) -> None:
    with pytest.raises(RefusedError, match="2 pairs and 1 row"):
        attribute(linear, numbers(1, 0), numbers(2, 1), **how)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda columns: np.full(len(columns["a"]), np.nan), "finite"),
        (lambda columns: np.zeros(1), r"shape \(1,\) to 2 rows"),
        (lambda columns: np.zeros((len(columns["a"]), 1, 1)), "is due"),
    ],
)
def test_answers_that_are_no_numbers_are_refused(answer: Callable[[Columns], np.ndarray], words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        attribute(answer, numbers(1, 0), numbers(2, 1))


def test_parts_that_do_not_add_up_are_not_given() -> None:
    huge = {"a": np.array([[1.5e308]]), "b": np.array([[0.0]])}
    opposite = {"a": -huge["a"], "b": np.ones((1, 1))}
    with np.errstate(all="ignore"), pytest.raises(MachineryError, match="miss the answer"):
        attribute(lambda columns: columns["a"][:, 0], huge, opposite)


def onnx_with_unread(task: str) -> OnnxPredictor:
    model = files.model(task)
    model.graph.input.append(helper.make_tensor_value_info("unread", TensorProto.FLOAT, ["rows", 1]))
    inputs = (*files.manifest().inputs, Input(name="unread", dtype="float32"))
    manifest = files.manifest(task, inputs=inputs, features=tuple(entry.name for entry in inputs))
    return OnnxPredictor(model.SerializeToString(), manifest)


def flights(rows: int, seed: int) -> Columns:
    drawn = table(rows, seed)
    return {name: drawn[name] for name in ("distance", "carrier", "unread")}


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_an_onnx_file_is_explained(task: str) -> None:
    answer = answer_of(onnx_with_unread(task))
    rows, background = flights(8, 1), flights(40, 2)
    found = attribute(answer, rows, background, pairs=2000)
    truth = exact(answer, rows, background)
    np.testing.assert_allclose(found.values, truth, atol=4 * found.standard_errors.max() + 1e-6)
    assert np.abs(truth).max() > 20 * found.standard_errors.max()
    assert adds_up(found)
    assert not found.values[:, 2].any()


def test_what_is_explained_has_a_name() -> None:
    scores = np.array([[0.2, 0.8], [0.9, 0.1]])
    names, numbers = explained_output(Answers(("no", "yes"), np.array([1, 0]), scores))
    assert (names, numbers.tolist()) == (("yes",), [[0.8], [0.1]])
    names, numbers = explained_output(Answers(("no", "yes"), np.array([1, 0]), scores), positive="no")
    assert (names, numbers.tolist()) == (("no",), [[0.2], [0.9]])
    names, numbers = explained_output(Answers((1, 2, 3), np.array([0]), np.array([[0.5, 0.3, 0.2]])))
    assert (names, numbers.tolist()) == ((1, 2, 3), [[0.5, 0.3, 0.2]])
    names, numbers = explained_output(Answers(values=np.array([4.0, 5.0])))
    assert (names, numbers.tolist()) == (("value",), [[4.0], [5.0]])
    with pytest.raises(RefusedError, match="'maybe' is none of the model's classes"):
        explained_output(Answers(("no", "yes"), np.array([1]), scores[:1]), positive="maybe")
