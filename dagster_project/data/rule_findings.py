"""Findings of contract rules: bounded words, what to do, and no value of a column that is not public."""

from typing import Any

from dagster_project.data.images import in_words
from dagster_project.domain.contract import Column, DataContract, Rule
from dagster_project.domain.verdict import Finding, Outcome

SHOWN = 80


def shown(value: Any, column: Column) -> str | None:
    """A value as a report may show it."""
    if value is None:
        return None
    if not column.public:
        return "(masked)"
    if isinstance(value, bytes):
        return in_words(value)
    text = str(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def finding(
    name: str, contract: DataContract, outcome: Outcome, summary: str, hint: str = "", line: int | None = None,
    **more: Any,
) -> Finding:  # fmt: skip
    """A finding of the contract ``contract.file``."""
    return Finding(
        name=name, source="contract", outcome=outcome, summary=summary, hint=hint, rows="dataset", file=contract.file,
        line=line, **more,
    )  # fmt: skip


def clean_finding(name: str, contract: DataContract, summary: str) -> Finding:
    """Nothing is wrong."""
    return finding(name, contract, Outcome.PASSED, summary)


def type_finding(contract: DataContract, column: str, expected: str, found: str, line: int | None) -> Finding:
    """A column that is not what the contract says."""
    return finding(
        f"{column[:SHOWN]}.type",
        contract,
        Outcome.FAILED,
        f"column {column[:SHOWN]}: expected {expected}, found {found[:SHOWN]}",
        "Correct the source, or the contract (and its version) if the source is right.",
        line,
        value=found[:SHOWN],
        bound=expected,
        details={"kind": "type", "columns": [column[:SHOWN]]},
    )


def count_finding(rule: Rule, contract: DataContract, passed: bool, value: Any, bound: str, rows: int) -> Finding:
    """A rule's outcome from the number that it counts."""
    failed = Outcome.WARNED if rule.severity == "warning" else Outcome.FAILED
    number = f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    return finding(
        rule.name,
        contract,
        Outcome.PASSED if passed else failed,
        f"{rule.kind.replace('_', ' ')} of {', '.join(rule.columns) or 'the table'}: {number}, allowed: {bound}"
        f" ({rows:,} rows)",
        "" if passed else "Correct the rows at the source, or the rule in the contract if the rows are right.",
        rule.line,
        value=str(value),
        bound=bound,
        details={"kind": rule.kind, "columns": list(rule.columns), "rows": rows},
    )


def quarantine_finding(rule: Rule, contract: DataContract, broken: int, rows: int) -> Finding:
    """A row rule's outcome: rows that broke it are put aside and named, the others stand."""
    if not broken:
        return count_finding(rule, contract, True, 0, "none", rows)
    return finding(
        rule.name,
        contract,
        Outcome.WARNED,
        f"{broken:,} of {rows:,} rows break {rule.name} and are in quarantine, not in the snapshot",
        "Look at the quarantined rows; correct them at the source, or the rule in the contract.",
        rule.line,
        value=str(broken),
        bound="none",
        details={"kind": rule.kind, "columns": list(rule.columns), "rows": rows, "quarantined": broken},
    )
