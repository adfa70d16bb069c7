"""The names that gates may allow are the checks that the suites run."""

from dagster_project.domain.deepchecks_catalogue import CHECKS
from dagster_project.quality.catalogue import LEFT_OUT, SUITES


def test_the_catalogue_is_what_runs() -> None:
    assert {suite: set(names) for suite, names in CHECKS.items()} == {
        suite: set(names) - LEFT_OUT.keys() for suite, names in SUITES.items()
    }
