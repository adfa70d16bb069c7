"""Versions of contracts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.semver import ORDER, bump_between, bumped, largest, parse_version

_VERSIONS = st.tuples(*[st.integers(0, 30)] * 3).map(lambda v: ".".join(map(str, v)))


@pytest.mark.parametrize(
    "text", ["", "1", "1.2", "1.2.3.4", "v1.2.3", "01.2.3", "1.2.3-rc1", "banana", "1.2.x", "1.2.3\n"]
)
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(ValueError, match="is not a version"):
        parse_version(text)


def test_how_far_it_went() -> None:
    assert bump_between("1.2.3", "1.2.3") == "none"
    assert bump_between("1.2.3", "1.2.9") == "patch"
    assert bump_between("1.2.3", "1.3.0") == "minor"
    assert bump_between("1.9.9", "2.0.0") == "major"
    assert bump_between("1.10.0", "1.9.0") is None


@given(_VERSIONS, st.sampled_from(ORDER))
def test_bumping_and_measuring_are_inverse(version: str, bump: str) -> None:
    assert bump_between(version, bumped(version, bump)) == bump


@given(st.lists(st.sampled_from(ORDER)), st.lists(st.sampled_from(ORDER)))
def test_more_never_asks_for_less(some: list, others: list) -> None:
    assert ORDER.index(largest(*some)) <= ORDER.index(largest(*some, *others))
