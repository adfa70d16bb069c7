"""Findings as Dagster asset checks, and back again."""

from collections.abc import Iterable, Sequence

import dagster as dg

from dagster_project.domain.errors import MachineryError
from dagster_project.domain.text import plain
from dagster_project.domain.verdict import Finding, Outcome

FINDINGS = "findings"
ORDER = (Outcome.BROKEN, Outcome.FAILED, Outcome.WARNED, Outcome.PASSED, Outcome.NOT_APPLICABLE)


def check_result(
    name: str, findings: Sequence[Finding], key: dg.AssetKey | None = None, description: str = ""
) -> dg.AssetCheckResult:
    """One check out of the findings behind it: failed if any failed, a warning if any warned.

    Raises:
        MachineryError: a finding is broken: what did not run has neither passed nor failed.
    """
    broken = [finding for finding in findings if finding.outcome is Outcome.BROKEN]
    if broken:
        raise MachineryError("; ".join(f"{finding.name}: {finding.summary}" for finding in broken))
    failed = any(finding.outcome is Outcome.FAILED for finding in findings)
    warned = any(finding.outcome is Outcome.WARNED for finding in findings)
    return dg.AssetCheckResult(
        check_name=name,
        asset_key=key,
        passed=not failed and not warned,
        severity=dg.AssetCheckSeverity.ERROR if failed or not warned else dg.AssetCheckSeverity.WARN,
        description=_words(findings) or description,
        metadata=finding_metadata(findings),
    )


def evaluation(result: dg.AssetCheckResult, findings: Sequence[Finding]) -> dg.AssetCheckEvaluation:
    """A check's answer as an event that belongs to no run."""
    if result.asset_key is None or result.check_name is None:
        raise ValueError("which check of which asset?")
    return dg.AssetCheckEvaluation(
        asset_key=result.asset_key,
        check_name=result.check_name,
        passed=result.passed,
        severity=result.severity,
        description=result.description,
        metadata=finding_metadata(findings),
    )


def finding_metadata(findings: Sequence[Finding]) -> dict[str, dg.MetadataValue]:
    """A table for people, and the same as data."""
    return {
        "table": dg.MetadataValue.md(findings_table(findings)),
        FINDINGS: dg.MetadataValue.json([finding.model_dump(mode="json") for finding in findings]),
    }


def findings_of(evaluations: Iterable[dg.AssetCheckEvaluation]) -> tuple[Finding, ...]:
    """The findings that :func:`check_result` put into check evaluations, in their order."""
    found: list[Finding] = []
    for evaluation in evaluations:
        value = evaluation.metadata.get(FINDINGS)
        if isinstance(value, dg.JsonMetadataValue):
            found.extend(Finding.model_validate(entry) for entry in value.value)  # type: ignore[union-attr]
    return tuple(found)


def findings_table(findings: Sequence[Finding]) -> str:
    """Markdown, the bad ones first."""
    rows = sorted(findings, key=lambda finding: ORDER.index(finding.outcome))
    return table(
        ("", "what", "found", "bound"),
        ((f.outcome.value, f.name, f"{f.summary} {f.hint}".strip(), f.bound or "") for f in rows),
    )


def complaints(findings: Iterable[Finding]) -> list[str]:
    """What is wrong, a line each, for a terminal."""
    bad = (finding for finding in findings if finding.outcome in ORDER[:3])
    return [plain(f"  {finding.outcome.value}: {finding.name}: {finding.summary}") for finding in bad]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; cells can't break out of it."""

    def line(cells: Iterable[object]) -> str:
        return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return "\n".join((line(head), line("---" for _ in head), *(line(row) for row in rows)))


def _words(findings: Sequence[Finding]) -> str:
    bad = [finding for finding in findings if finding.outcome in (Outcome.FAILED, Outcome.WARNED)]
    return "; ".join(f"{finding.name}: {finding.summary}" for finding in bad[:5])
