"""Which asset checks a contract becomes: one for its columns, one for its rows, one for each rule over the whole."""

from collections.abc import Sequence

import dagster as dg

from dagster_project.data.rule_terms import is_row_rule, rules_of
from dagster_project.domain.contract import DataContract, Rule
from dagster_project.domain.verdict import Finding
from dagster_project.factories.checks import check_result
from dagster_project.factories.naming import unique_identifiers

SOURCE, COLUMNS, ROWS = "source", "columns", "rows"
_DESCRIPTIONS = {
    SOURCE: "The source can be read, has rows, and what was read before has not changed since.",
    COLUMNS: "Every column of the contract is there, with the type that the contract gives it.",
    ROWS: "Every row keeps the contract's row rules. Rows that don't are put in quarantine, by the rule's name.",
}


def check_names(contract: DataContract) -> dict[str, str]:
    """Each rule's name, with the name of the check that answers for it."""
    rules = rules_of(contract)
    own = [rule.name for rule in rules if _place(rule) is None]
    names = unique_identifiers([SOURCE, COLUMNS, ROWS, *own])
    return {rule.name: _place(rule) or names[rule.name] for rule in rules}


def check_specs(contract: DataContract) -> list[dg.AssetCheckSpec]:
    """Blocking checks: what reads the dataset waits for them. A warning does not block."""
    described, names = dict(_DESCRIPTIONS), check_names(contract)
    for rule in rules_of(contract):
        described.setdefault(names[rule.name], _sentence(rule))
    return [
        dg.AssetCheckSpec(name, asset=contract.name, blocking=True, description=text)
        for name, text in described.items()
    ]


def check_results(contract: DataContract, findings: Sequence[Finding]) -> list[dg.AssetCheckResult]:
    """Every check's answer. A finding that is no rule's is about the columns or about the source as a whole."""
    names = check_names(contract)
    grouped: dict[str, list[Finding]] = {spec.name: [] for spec in check_specs(contract)}
    for finding in findings:
        typed = finding.name == "column_types" or finding.details.get("kind") == "type"
        grouped[names.get(finding.name, COLUMNS if typed else SOURCE)].append(finding)
    return [check_result(name, found) for name, found in grouped.items()]


def _place(rule: Rule) -> str | None:
    if rule.kind == "type":
        return COLUMNS
    return ROWS if is_row_rule(rule) else None


def _sentence(rule: Rule) -> str:
    subject = ", ".join(rule.columns) or "the dataset"
    bound = f"{rule.operator} {rule.value}" if rule.operator else ""
    return f"{rule.kind.replace('_', ' ')} of {subject} {bound}".strip()
