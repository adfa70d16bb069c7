"""Contract rules over rows: one lazy scan with counts that merge, findings in words, and the rows to put aside."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dagster_project.data.logical import accepts
from dagster_project.data.operators import describe, holds
from dagster_project.data.records import Tally
from dagster_project.data.rule_findings import clean_finding, count_finding, type_finding
from dagster_project.data.rule_terms import KEYS, breaks, is_row_rule, rules_of
from dagster_project.domain.contract import DataContract, Rule
from dagster_project.domain.verdict import Finding, Outcome

if TYPE_CHECKING:
    import polars as pl

SAMPLES = 5
BROKEN_RULES = "_broken_rules"


@dataclass(frozen=True)
class RuleReport:
    """What rows say about the contract."""

    findings: tuple[Finding, ...]
    tally: Tally

    @property
    def failed(self) -> bool:
        """Whether an error was found that no quarantine mends."""
        return any(finding.outcome in (Outcome.FAILED, Outcome.BROKEN) for finding in self.findings)


def check_rows(frame: "pl.LazyFrame", contract: DataContract) -> RuleReport:
    """Every rule that rows alone can answer: types, row rules, metrics, uniqueness, in one scan of ``frame``.

    Row rules fail here; ``materialise`` moves such rows to quarantine instead. SQL rules and relationships need more
    than rows and are ``materialise``'s.
    """
    types = check_types(frame, contract)
    if any(finding.outcome is Outcome.FAILED for finding in types):
        return RuleReport(types, Tally())
    rules = [rule for rule in rules_of(contract) if rule.kind not in ("type", "sql", "relationship", "gaps")]
    tally = tally_rows(frame, contract, rules)
    findings = [*types]
    for rule in rules:
        finding = judge(rule, contract, tally)
        if finding.outcome is not Outcome.PASSED:
            finding = with_samples(finding, rule, contract, frame)
        findings.append(finding)
    return RuleReport(tuple(findings), tally)


def check_types(frame: "pl.LazyFrame", contract: DataContract, *, text: bool = False) -> tuple[Finding, ...]:
    """Columns that are missing, extra or of another type. Text sources have no types of their own."""
    schema = frame.collect_schema()
    found: list[Finding] = []
    for column in contract.columns:
        dtype = schema.get(column.name)
        if dtype is None:
            found.append(type_finding(contract, column.name, column.logical_type.value, "no such column", column.line))
        elif not text and not accepts(column, dtype):
            found.append(type_finding(contract, column.name, column.logical_type.value, str(dtype), column.line))
    extra = [name for name in schema.names() if name not in contract.column_names]
    found += [type_finding(contract, name, "no such column", str(schema[name]), None) for name in extra]
    return tuple(found) or (clean_finding("column_types", contract, f"{len(contract.columns)} columns as promised"),)


def tally_rows(frame: "pl.LazyFrame", contract: DataContract, rules: Iterable[Rule]) -> Tally:
    """Counts of all rules in one scan; the tallies of two sets of rows add up, but for uniqueness."""
    import polars as pl

    rules = list(rules)
    counted = [_count(rule, contract).alias(f"{place}") for place, rule in enumerate(rules)]
    row = frame.select(pl.len().alias("rows"), *counted).collect().row(0, named=True)
    values = {rule.name: row[str(place)] for place, rule in enumerate(rules)}
    times = {rule.name for rule in rules if rule.kind == "freshness"}
    return Tally(
        rows=row["rows"],
        counts={name: int(value) for name, value in values.items() if name not in times},
        latest={name: value.isoformat() for name, value in values.items() if name in times and value is not None},
    )


def _count(rule: Rule, contract: DataContract) -> "pl.Expr":
    import polars as pl

    if rule.kind in KEYS:
        return _duplicates(key_of(rule))
    if rule.kind == "row_count":
        return pl.len()
    if rule.kind == "freshness":
        return pl.col(rule.columns[0]).max().dt.cast_time_unit("us")
    return breaks(rule, contract).sum()


def key_of(rule: Rule) -> tuple[str, ...]:
    """The columns that have to be unique together."""
    return tuple(rule.arguments.get("properties", ())) or rule.columns


def _duplicates(key: tuple[str, ...]) -> "pl.Expr":
    """Rows more than distinct keys; a key with a null in it is no key."""
    import polars as pl

    if len(key) == 1:
        present = pl.col(key[0]).drop_nulls()
        return present.len() - present.n_unique()
    whole = pl.all_horizontal(pl.col(name).is_not_null() for name in key)
    present = pl.struct(key).filter(whole)
    return present.len() - present.n_unique()


def judge(rule: Rule, contract: DataContract, tally: Tally) -> Finding:
    """The finding of one rule from merged counts."""
    if rule.kind == "freshness":
        return _freshness(rule, contract, tally)
    count = tally.counts.get(rule.name, 0)
    value: float = count
    if rule.unit == "percent":
        value = 100.0 * count / tally.rows if tally.rows else 0.0
    passed = holds(value, rule.operator, rule.value)  # without an operator no row may break it
    return count_finding(rule, contract, passed, value, describe(rule.operator, rule.value, rule.unit), tally.rows)


def _freshness(rule: Rule, contract: DataContract, tally: Tally) -> Finding:
    from datetime import UTC, datetime, timedelta

    latest = tally.latest.get(rule.name)
    limit = timedelta(seconds=float(rule.value))
    age = datetime.now(UTC).replace(tzinfo=None) - datetime.fromisoformat(latest) if latest else None
    passed = age is not None and age <= limit
    return count_finding(rule, contract, passed, latest or "no row", f"not older than {limit}", tally.rows)


def with_samples(finding: Finding, rule: Rule, contract: DataContract, frame: "pl.LazyFrame") -> Finding:
    """The finding with a few of the values that broke the rule; columns that are not public stay masked."""
    from dagster_project.data.rule_findings import shown

    if rule.kind in ("row_count", "freshness") or not rule.columns:
        return finding
    import polars as pl

    names = key_of(rule) if rule.kind in KEYS else rule.columns
    wrong = pl.struct(names).is_duplicated() if rule.kind in KEYS else breaks(rule, contract)
    rows = frame.filter(wrong).select(names).head(SAMPLES).collect().rows(named=True)
    samples: list[dict[str, Any]] = [
        {name: shown(value, contract.column(name)) for name, value in row.items()} for row in rows
    ]
    return finding.model_copy(update={"details": {**finding.details, "samples": samples}})


def part_rows(
    frame: "pl.DataFrame", contract: DataContract, rules: Iterable[Rule]
) -> "tuple[pl.DataFrame, pl.DataFrame]":
    """(rows that keep every rule, rows that break one, with the rules' names in a column ``_broken_rules``)."""
    import polars as pl

    masks = {rule.name: breaks(rule, contract) for rule in rules if is_row_rule(rule) and rule.severity == "error"}
    if not masks:
        return frame, frame.clear()
    names = [pl.when(mask).then(pl.lit(name)) for name, mask in masks.items()]
    marked = frame.with_columns(pl.concat_list(names).list.drop_nulls().alias(BROKEN_RULES))
    broken = pl.col(BROKEN_RULES).list.len() > 0
    return marked.filter(~broken).drop(BROKEN_RULES), marked.filter(broken)
