"""Every family, for every task that it fits, through preparation, selection, fit, export and parity."""

import pytest

from dagster_project.domain.bundle import Trial
from dagster_project.domain.families import FAMILIES, families_for
from dagster_project.training.candidate import Candidate, label_values, refit
from dagster_project.training.export import export
from dagster_project.training.job import check_export
from dagster_project.training.problem import Problem, fit, pose
from dagster_project.training.rows import Data, load_data
from dagster_project.training.space import propose
from tests.training.conftest import OWN

CASES = [
    (task, name) for name in FAMILIES for task in FAMILIES[name].tasks if name in families_for(task) and name != OWN
]
SELECTIONS = {
    "plain": {},
    "univariate": {
        "selection": {"method": "univariate", "keep": [0.5]},
        "transforms": {"kind": "ordinal", "flag": "one_hot"},
    },
    "model": {"selection": {"method": "model", "keep": [0.3]}},
}


def train(request) -> tuple[Data, Problem, Candidate]:
    data = load_data(request)
    problem = pose(request.spec, data)
    proposal = propose(request.spec)[0]
    last = list(fit(problem, proposal))[-1]
    trial = Trial(
        number=0,
        family=proposal.family,
        parameters=proposal.parameters,
        status="completed",
        value=last.value,
        seconds=0.1,
        steps=last.steps,
    )
    return data, problem, refit(problem, data, trial)


@pytest.mark.parametrize("selection", ["plain", "univariate"])
@pytest.mark.parametrize(("task", "family"), CASES)
def test_the_graph_is_the_estimator(request_for, task, family, selection):
    data, _, candidate = train(request_for(task, families=[family], features=SELECTIONS[selection]))
    parity = check_export(data, candidate, export(candidate))
    assert parity.maximum_difference <= 1e-5
    assert parity.rows > len(data.validation)
    assert {"missing", "unseen_category", "non_ascii", "empty", "single_row"} <= set(parity.planted)
    if FAMILIES[family].preparation == "unscaled":
        assert "threshold" in parity.planted


def test_selection_by_a_model_keeps_the_share(request_for):
    _, problem, candidate = train(request_for("binary", families=["logistic_regression"], features=SELECTIONS["model"]))
    width = problem.prepared["scaled"].train.shape[1]
    assert len(candidate.seen_columns()) == round(0.3 * width)
    assert candidate.parameters["keep"] == 0.3


@pytest.mark.parametrize("family", ["mlp", "hist_gradient_boosting", "random_forest", "logistic_regression"])
def test_the_same_request_gives_the_same_bytes(request_for, family):
    request = request_for("binary", families=[family])
    first, second = (export(train(request)[2]) for _ in range(2))
    assert first == second


def test_another_seed_gives_other_bytes(request_for):
    one, two = (export(train(request_for("binary", families=["mlp"], search={"seed": seed}))[2]) for seed in (1, 2))
    assert one != two


@pytest.mark.parametrize(
    ("classes", "values"),
    [((False, True), [0, 1]), ((3, 7), [3, 7]), (("ä", "b"), ["ä", "b"])],
)
def test_labels_are_as_the_contract_has_them(classes, values):
    assert label_values(classes).tolist() == values


def test_integer_labels_come_back_as_they_are(request_for, tables):
    import polars as pl

    table = tables["binary"].with_columns(target=pl.when(pl.col("target")).then(7).otherwise(3))
    data, _, candidate = train(request_for("binary", table=table, families=["logistic_regression"]))
    labels = candidate.answer(data.validation.columns).labels
    assert labels is not None and set(labels.tolist()) == {3, 7}
    assert check_export(data, candidate, export(candidate)).flipped_labels == 0


def test_column_names_that_are_no_identifiers(request_for, tables):
    table = tables["binary"].rename({"kind": "Art des Flügs / 1", "flag": "variable"})
    request = request_for(
        "binary", table=table, families=["random_forest"], categorical=("Art des Flügs / 1", "variable")
    )
    data, _, candidate = train(request)
    assert check_export(data, candidate, export(candidate)).maximum_difference <= 1e-5
