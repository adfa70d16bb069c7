"""Agreement of people who label, against statsmodels' and scikit-learn's kappa."""

import numpy as np
import pytest

from dagster_project.monitoring.agreement import agreement, cohen_kappa, consensus


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_kappa_and_its_error_are_those_of_others(classes: int) -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    draws = np.random.default_rng(classes)
    first = draws.integers(classes, size=300)
    second = np.where(draws.random(300) < 0.6, first, draws.integers(classes, size=300))
    found = cohen_kappa([(str(a), str(b)) for a, b in zip(first, second, strict=True)])
    assert found is not None and found[0] == pytest.approx(sklearn.cohen_kappa_score(first, second))
    boot = [draws.integers(300, size=300) for _ in range(400)]
    spread = np.std([sklearn.cohen_kappa_score(first[rows], second[rows]) for rows in boot])
    assert found[1] == pytest.approx(spread, rel=0.15)


def test_the_published_example() -> None:
    """Fleiss, Cohen and Everitt 1969, table 1: kappa 0.429 (unweighted), variance 0.002885 for 200 subjects."""
    counts = [[106, 10, 4], [22, 28, 10], [2, 12, 6]]
    said = [(str(a), str(b)) for a, row in enumerate(counts) for b, count in enumerate(row) for _ in range(count)]
    found = cohen_kappa(said)
    assert found is not None
    assert found[0] == pytest.approx(0.429, abs=5e-4) and found[1] ** 2 == pytest.approx(0.002885, abs=2e-6)


def test_one_class_alone_says_nothing() -> None:
    assert cohen_kappa([("yes", "yes")] * 9) is None


def test_pairs_disagreements_and_rows_without_a_majority() -> None:
    said = {
        "1": {"ann": "yes", "bob": "yes"}, "2": {"ann": "yes", "bob": "no"}, "3": {"bob": "no"},
        "4": {"ann": "no", "bob": "yes", "cy": "no"}, "5": {"ann": "no", "bob": "no"},
    }  # fmt: skip
    found = agreement(said)
    assert (found.rows, found.open) == (4, 1)
    assert [(pair.people, pair.rows, pair.equal) for pair in found.pairs] == [
        (("ann", "bob"), 4, 0.5), (("ann", "cy"), 1, 1.0), (("bob", "cy"), 1, 0.0),
    ]  # fmt: skip
    assert [row.row_id for row in found.disagreements] == ["2", "4"]
    assert found.disagreements[0].said == {"ann": "yes", "bob": "no"}
    assert [consensus(people) for people in said.values()] == ["yes", None, "no", "no", "no"]


def test_numbers_have_a_difference_and_a_median() -> None:
    found = agreement({"1": {"ann": 1.0, "bob": 3.0}, "2": {"ann": 5.0, "bob": 5.0}})
    (pair,) = found.pairs
    assert (pair.equal, pair.difference, pair.kappa, found.open) == (0.5, 1.0, None, 0)
    assert consensus({"ann": 1.0, "bob": 3.0, "cy": 9.0}) == 3.0 and consensus({"ann": 1.0, "bob": 3.0}) == 2.0
