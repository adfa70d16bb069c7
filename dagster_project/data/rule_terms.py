"""Contract rules as polars expressions: what a column promises and what its quality rules assert, in one form."""

import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from dagster_project.data.images import misformed
from dagster_project.data.languages import foreign
from dagster_project.data.logical import dtype_of
from dagster_project.domain.contract import Column, DataContract, LogicalType, Role, Rule
from dagster_project.domain.errors import Problem, UserFileError

if TYPE_CHECKING:
    import polars as pl

COLUMN_KINDS = (
    "enum", "minimum", "maximum", "exclusive_minimum", "exclusive_maximum", "min_length", "max_length", "pattern",
)  # fmt: skip
KEYS = ("unique", "duplicate_values")
ELSEWHERE = ("type", "row_count", "sql", "relationship", "gaps", *KEYS)
MISSING_WORDS = ("",)
MISENCODED = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F\x{FFFD}]|[\xC2\xC3][\xA0-\xBF]|\xE2\u20AC"
"""Characters that no text means to have: controls, the one that stands for a broken one, UTF-8 read as Latin-1."""


def rules_of(contract: DataContract) -> tuple[Rule, ...]:
    """The contract's rules, and those that its columns imply and nobody wrote: required, unique ids, bounds ..."""
    written = {(rule.kind, rule.columns) for rule in contract.rules}
    implied = [*_keys(contract), *(rule for column in contract.columns for rule in _implied(column))]
    added = {(rule.kind, rule.columns): rule for rule in implied if (rule.kind, rule.columns) not in written}
    return (*contract.rules, *added.values())


def _implied(column: Column) -> Iterator[Rule]:
    def rule(kind: Any, value: Any = None, scope: Any = "row") -> Rule:
        name = f"{column.name}.{kind}"
        return Rule(name=name, kind=kind, scope=scope, columns=(column.name,), value=value, line=column.line)

    if column.required or column.primary_key or column.role in (Role.ID, Role.EVENT_TIME):
        yield rule("required")
    for kind in COLUMN_KINDS:
        value = getattr(column, kind)
        if value is not None:
            yield rule(kind, list(value) if kind == "enum" else value)
    if column.unique:
        yield rule("unique", scope="dataset")


def _keys(contract: DataContract) -> Iterator[Rule]:
    """A row has one id: a row that stood twice could be learned from and judge at once."""
    ids = contract.with_role(Role.ID)
    primary = tuple(column for column in contract.columns if column.primary_key)
    for name, columns in (("id_unique", ids), ("primary_key_unique", primary)):
        if columns:
            names = tuple(column.name for column in columns)
            yield Rule(name=name, kind="unique", scope="dataset", columns=names, line=columns[0].line)


def is_row_rule(rule: Rule) -> bool:
    """Whether single rows break it: they go to quarantine when it is an error, and are only counted otherwise."""
    return rule.scope == "row" and rule.kind not in (*ELSEWHERE, "freshness")


def breaks(rule: Rule, contract: DataContract) -> "pl.Expr":
    """True for each row that breaks the rule (or that the metric counts). Null values break ``required`` alone."""
    import polars as pl

    column = contract.column(rule.columns[0])
    value = pl.col(column.name)
    if rule.kind in ("required", "null_values"):
        return pl.any_horizontal(_is_missing(contract.column(name)) for name in rule.columns)
    if rule.kind == "missing_values":
        return value.is_null() | _among(column, rule.arguments.get("missingValues", MISSING_WORDS))
    return _value_breaks(rule, column, contract).fill_null(False)


def _is_missing(column: Column) -> "pl.Expr":
    """A text of nothing but white space says as little as none."""
    import polars as pl

    value = pl.col(column.name)
    return value.is_null() | (value.str.strip_chars() == "") if column.modality == "text" else value.is_null()


def _value_breaks(rule: Rule, column: Column, contract: DataContract) -> "pl.Expr":
    import polars as pl

    value, bound = pl.col(column.name), rule.value
    match rule.kind:
        case "enum":
            return ~_among(column, bound)
        case "invalid_values":
            return _invalid(rule, column, contract)
        case "pattern":
            return ~value.str.contains(checked_pattern(bound, rule, contract))
        case "form" | "encoding" | "language":
            return _misformed(column, rule)
        case "min_length" | "max_length":
            length = value.str.len_chars()
            return length < pl.lit(bound) if rule.kind == "min_length" else length > pl.lit(bound)
        case "minimum" | "maximum" | "exclusive_minimum" | "exclusive_maximum":
            return _BEYOND[rule.kind](value, literal(bound, column))
    raise UserFileError([_problem(rule, contract, f"a rule of kind {rule.kind} can't be computed for a row.")])


_BEYOND: "dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]]" = {
    "minimum": operator.lt, "maximum": operator.gt, "exclusive_minimum": operator.le, "exclusive_maximum": operator.ge,
}  # fmt: skip


def _misformed(column: Column, rule: Rule) -> "pl.Expr":
    """An image that can't be read or is of another size or colour; a window of another length; a text that is
    mis-encoded, or in another language."""
    import polars as pl

    value, form = pl.col(column.name), column.image
    if rule.kind == "language":
        language = str(rule.arguments["language"])
        return value.map_batches(lambda texts: foreign(texts, language), return_dtype=pl.Boolean)
    if form is None:
        return value.list.len() != column.shape[0] if column.series else value.str.contains(MISENCODED)
    return value.map_batches(lambda images: misformed(images, form), return_dtype=pl.Boolean)


def _invalid(rule: Rule, column: Column, contract: DataContract) -> "pl.Expr":
    import polars as pl

    valid, pattern = rule.arguments.get("validValues"), rule.arguments.get("pattern")
    tests = [~_among(column, valid)] if valid is not None else []
    if pattern is not None:
        text = pl.col(column.name).cast(pl.String)
        tests.append(~text.str.contains(checked_pattern(pattern, rule, contract)))
    return pl.any_horizontal(tests) if tests else pl.col(column.name).is_null()


def _among(column: Column, values: Any) -> "pl.Expr":
    """Null for a null value: neither among nor not among."""
    import polars as pl

    wanted = [value for value in values if value is not None]
    if column.logical_type is not LogicalType.STRING:
        wanted = [value for value in wanted if not isinstance(value, str)]
    options = pl.Series(wanted, dtype=dtype_of(column), strict=False)
    return pl.col(column.name).is_in(options.implode())


def checked_pattern(pattern: str, rule: Rule, contract: DataContract) -> str:
    """The pattern, unless polars' engine (Rust regex: no look-around, no back references) can't read it."""
    import polars as pl
    from polars.exceptions import PolarsError

    try:
        pl.Series([""]).str.contains(pattern)
    except PolarsError as error:
        message = f"pattern `{pattern[:80]}` can't be run: {str(error)[:200]}"
        hint = "Write it without look-around and back references."
        raise UserFileError([_problem(rule, contract, message, hint)]) from error
    return pattern


def literal(bound: Any, column: Column) -> "pl.Expr":
    """A bound of the column's own type; dates and times are ISO 8601 text in the contract."""
    import polars as pl

    from dagster_project.data.logical import parse_text

    if isinstance(bound, str) and column.logical_type is not LogicalType.STRING:
        return pl.lit(parse_text(pl.Series([bound]), column)[0], dtype=dtype_of(column))
    return pl.lit(bound)


def _problem(rule: Rule, contract: DataContract, message: str, hint: str = "") -> Problem:
    return Problem(file=contract.file, line=rule.line, where=rule.name, message=message, hint=hint, code="rule")
