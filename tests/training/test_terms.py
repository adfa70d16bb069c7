"""Text as terms: the graph cuts and weighs every text as training did, whatever is in it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.bundle import Input
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.spec import Features
from dagster_project.training.candidate import Candidate
from dagster_project.training.export import export
from dagster_project.training.parity import check_parity
from dagster_project.training.preparation import as_matrix, make_preparation
from dagster_project.training.rows import frame_of
from dagster_project.training.terms import Terms, lowered, pool_of, terms_of, words

pytestmark = pytest.mark.filterwarnings("ignore:.*Expected an int, got a boolean:DeprecationWarning")
INPUTS = (
    Input(name="body", dtype="string", modality="text"), Input(name="kind", dtype="string"),
    Input(name="title", dtype="string", modality="text"), Input(name="size", dtype="float32"),
)  # fmt: skip
BODIES = (
    "Cheap OFFER, über alles!",
    "meeting at 9\n\n notes",
    "it's an offer",
    "Über die Brücke\t9 MEETING",
    "",
    "日本語 meeting",
)


def rows(count: int = 60) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {
        "body": np.array([BODIES[place % 6] for place in range(count)], object).reshape(-1, 1),
        "kind": generator.choice(["x", "y"], size=(count, 1)).astype(object),
        "title": np.array([BODIES[place % 5][::-1] for place in range(count)], object).reshape(-1, 1),
        "size": generator.normal(size=(count, 1)).astype(np.float32),
    }


def candidate(**transforms: str) -> Candidate:
    from sklearn.linear_model import LogisticRegression

    features = Features(include=tuple(item.name for item in INPUTS), transforms=transforms)  # type: ignore[arg-type]
    frame = frame_of(rows(), INPUTS)
    preparation = make_preparation(features, INPUTS, frame, kind="scaled")
    matrix = as_matrix(preparation.fit_transform(frame))
    model = LogisticRegression().fit(matrix, np.arange(60) % 2)
    return Candidate("logistic_regression", {}, "binary", INPUTS, (False, True), preparation, None, model, 0.0)


TRANSFORMS: list[dict[str, str]] = [{}, {"body": "characters"}, {"body": "characters", "title": "characters"}]


@pytest.fixture(scope="module", params=TRANSFORMS, ids=lambda chosen: " and ".join(chosen) or "words")
def made(request: pytest.FixtureRequest) -> tuple[Candidate, bytes]:
    found = candidate(**request.param)
    return found, export(found)


# a letter newer than Python's tables is a letter to one side alone
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cn")), max_size=60)


@settings(max_examples=150, deadline=None)
@given(bodies=st.lists(TEXTS, min_size=1, max_size=8))
def test_the_graph_reads_any_text_as_training_did(made: tuple[Candidate, bytes], bodies: list[str]) -> None:
    texts = np.array(bodies, object).reshape(-1, 1)
    other = {name: column[: len(bodies)] for name, column in rows().items()}
    check_parity("x", made[1], made[0].answer, {**other, "body": texts, "title": texts}, {})


def test_the_bytes_depend_on_the_candidate_alone(made: tuple[Candidate, bytes]) -> None:
    assert export(made[0]) == made[1]


def test_each_term_knows_its_column() -> None:
    origins = candidate(title="characters").seen_columns()
    assert set(origins) == {"body", "kind", "title", "size"} and origins.count("body") > 10 < origins.count("title")


@pytest.mark.parametrize(
    ("unit", "lengths", "some"), [("words", {1, 2}, ("über", "alles")), ("characters", {2, 3, 4}, (" ", "o"))]
)
def test_terms_are_words_and_pairs_or_runs_of_characters(unit: Any, lengths: set[int], some: tuple[str, ...]) -> None:
    fitted = Terms(unit, ("body",)).fit(frame_of(rows(), INPUTS)[["c0"]])
    found = terms_of(fitted.columns_[0], unit)
    assert some in found and {len(term) for term in found} == lengths
    assert len(found) == fitted.widths[0] == len(set(found))


def test_the_pool_has_the_shortest_terms_first() -> None:
    pool, begins, order = pool_of([("a", "b"), ("a",), ("c",), ("b", "c")])
    assert (pool, begins, order) == (["a", "c", "a", "b", "b", "c"], [0, 2], [1, 2, 0, 3])


def test_only_a_to_z_are_lowered_and_words_are_of_any_script() -> None:
    assert lowered("ABC ÄÖ Σ") == "abc ÄÖ Σ"
    assert words("it's 3,5 m² für_alle\n日本語!") == ["it", "s", "3", "5", "m²", "für_alle", "日本語"]


@pytest.mark.parametrize("unit", ["words", "characters"])
def test_what_terms_take_is_told_before_they_are_made(unit: Any) -> None:
    from dagster_project.training.preparation import prepared_width

    features = Features(include=tuple(item.name for item in INPUTS), transforms={"body": unit, "title": unit})
    frame = frame_of(rows(), INPUTS)
    made = as_matrix(make_preparation(features, INPUTS, frame, kind="scaled").fit_transform(frame))
    told = prepared_width(features, INPUTS, frame, kind="scaled")
    assert 2 * made.nnz / len(frame) <= told < 4 * made.nnz / len(frame)


def test_a_column_that_says_nothing_is_named() -> None:
    blank: dict[str, Any] = {**rows(), "title": np.full((60, 1), "", object)}
    frame = frame_of(blank, INPUTS)
    features = Features(include=tuple(item.name for item in INPUTS))
    with pytest.raises(RefusedError, match="no words of title stand in 2 train rows"):
        make_preparation(features, INPUTS, frame, kind="scaled").fit(frame)
