r"""A pattern that passes means the same to Python and to Rust's regex, which polars runs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.patterns import pattern_fault

FINE = [
    r"^[A-Z0-9]{3}$", r"\d+", r"(?i)late", r"(?P<year>\d{4})-\d\d", r"[^]]", r"\.\-\/\[\{", r"(?:a|b)*?",
    r"[\w.-]+@\w+", r"^\w{500}$", r"^é+$", r"\x41", r"\s\S\D\W\n\t", "", r"a|", r"(?s-i:.)x",
]  # fmt: skip
FOREIGN = [
    r"(?=a)", r"(?!a)", r"(?<=a)b", r"(?<!a)b", r"(a)\1", r"(?P<n>a)(?P=n)", r"(?>a)", r"a++", r"(a)?(?(1)b|c)",
    r"a\Z", r"\p{L}", r"\N{DIGIT ONE}", r"(?#c)a", r"(?a)a", r"(?L)a", "[a", "a)", "*a", r"a{2", "{a}", "a{,5}",
    r"[\1]", r"[\b]", r"\é",
    "[[a]]", "[a[]", r"[\<]", "[a&&b]", r"\w{3000}", r"(\w{100}){90}", r"(a{50}){50}", "a" * 501, r"\0",
]  # fmt: skip


@pytest.mark.parametrize("pattern", FINE)
def test_fine(pattern: str) -> None:
    assert pattern_fault(pattern) is None


@pytest.mark.parametrize("pattern", FOREIGN)
def test_refused_with_a_hint(pattern: str) -> None:
    fault = pattern_fault(pattern)
    assert fault is not None
    assert all(fault)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from([*"ab0é^$.|()[]{}?*+-,\\ ", "(?", "(?:", "{2}", "[^", r"\d", r"\w", r"\\", "&&", "<", "!", "="])
    )
)
def test_what_passes_compiles_in_rust(parts: list[str]) -> None:
    import polars as pl

    pattern = "".join(parts)
    if pattern_fault(pattern) is None:
        pl.DataFrame({"text": ["ab"]}).select(pl.col("text").str.contains(pattern))
