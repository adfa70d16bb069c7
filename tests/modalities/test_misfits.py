"""Every family, kind of column and task: what fits is accepted, what does not is refused with what would."""

from itertools import product

import pytest

from dagster_project.domain.families import FAMILIES, Modality, Task, families_for
from tests.modalities.notes import CONTRACT
from tests.trees import SPEC, TRIPS, edited, problems, tree

TASKS: dict[Task, tuple[tuple[str, str], ...]] = {
    "binary": (),
    "multiclass": (
        ("task: binary\ntarget: late", "task: multiclass\ntarget: grade"),
        ("metric: roc_auc", "metric: log_loss"),
    ),
    "regression": (
        ("task: binary\ntarget: late", "task: regression\ntarget: delay"),
        ("metric: roc_auc", "metric: rmse"),
    ),
}
INCLUDE = "include: [miles, carrier, seats]"
COLUMNS: dict[Modality, str] = {"tabular": INCLUDE, "text": "include: [note, carrier]"}
SQL = (
    "SELECT ride, started, delay > 15 AS late, delay, 'good' AS grade, '' AS note, miles, 'A' AS carrier, 3 AS seats,\n"
    " CAST(started AS DATE) AS booked, delay AS air_time, delay AS rumour, 1.0 AS worth, 'L1' AS line FROM rides\n"
)


def spec(family: str, task: Task, kind: Modality) -> str:
    head, tail = (
        SPEC.split("candidates:\n")[0],
        "search: {metric: roc_auc, trials: 1, seed: 7}\ngates: [{kind: parity}]\n",
    )
    return edited(f"{head}candidates:\n  - family: {family}\n{tail}", (INCLUDE, COLUMNS[kind]), *TASKS[task])


@pytest.mark.parametrize(("family", "task", "kind"), list(product(FAMILIES, TASKS, COLUMNS)))
def test_a_fit_is_accepted_and_a_misfit_refused_with_what_would_fit(family: str, task: Task, kind: Modality) -> None:
    found = problems(tree(spec=spec(family, task, kind), trips=CONTRACT, sql=SQL))
    fits = families_for(task, [kind, "tabular"])
    if family in fits:
        assert found == []
        return
    (problem,) = found
    assert problem.code == ("family-task" if task not in FAMILIES[family].tasks else "family-modality")
    assert problem.where.startswith("candidates") and problem.line
    if problem.code == "family-modality":
        assert "does not read text, and note is text" in problem.message
        assert all(name in (problem.hint or "") for name in fits)


def test_selection_does_not_go_with_text() -> None:
    chosen = edited(
        spec("ridge", "regression", "text"), ("carrier]", "carrier]\n  selection: {method: univariate, keep: [0.5]}")
    )
    (problem,) = problems(tree(spec=chosen, trips=CONTRACT, sql=SQL))
    assert problem.code == "selection" and "terms of a text" in problem.message


@pytest.mark.parametrize(
    ("kind", "more", "words"),
    [
        ("number", "", "is a string, not a number"),
        ("string", "        enum: [{value: a}]\n", "holds categories, not text"),
    ],
)
def test_text_is_a_string_without_an_enum(kind: str, more: str, words: str) -> None:
    note = f"      - name: note\n        logicalType: {kind}\n{more}        customProperties:\n"
    note += "          - {property: threeacts.modality, value: text}\n      - name: miles\n"
    found = problems(tree(trips=edited(TRIPS, ("      - name: miles\n", note)), sql=SQL))
    assert [problem for problem in found if words in problem.message]
