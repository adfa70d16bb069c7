"""The last verdict as an asset check: what `acts judge` said of a dataset or of a model's evaluation."""

import dagster as dg

from dagster_project.domain.dagster_ui import judged_path
from dagster_project.domain.errors import MachineryError
from dagster_project.domain.verdict import Verdict
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.checks import check_result
from dagster_project.storage.store import ArtifactStore

VERDICT = "verdict"


def judged_key(kind: str, name: str) -> dg.AssetKey:
    """The asset that a verdict is about."""
    return dg.AssetKey(list(judged_path(kind, name)))


def verdict_check(kind: str, name: str, workspace: Workspace) -> dg.AssetChecksDefinition:
    """A check that reads the stored verdict; it judges nothing by itself."""

    @dg.asset_check(
        asset=judged_key(kind, name),
        name=VERDICT,
        description="What `acts judge` said last. The verdict file decides; running this check reads it again.",
    )
    def verdict() -> dg.AssetCheckResult:
        store = ArtifactStore.of(workspace)
        ref = store.get_ref(f"verdicts/{kind}/{name}")
        if ref is None:
            return dg.AssetCheckResult(
                passed=False, severity=dg.AssetCheckSeverity.WARN, description=f"not judged yet: acts judge {name}"
            )
        return verdict_result(Verdict.from_json(store.get(ref["verdict"])))

    return verdict


def verdict_result(verdict: Verdict) -> dg.AssetCheckResult:
    """A verdict's answer as a check's.

    Raises:
        MachineryError: the verdict is broken: something did not run.
    """
    if verdict.outcome == "broken":
        raise MachineryError(f"{verdict.subject.name}: the verdict is broken: {'; '.join(verdict.reasons)}")
    result = check_result(VERDICT, verdict.findings, judged_key(verdict.subject.kind, verdict.subject.name))
    reasons = "; ".join(verdict.reasons)
    severity = dg.AssetCheckSeverity.WARN if verdict.outcome == "passed" else dg.AssetCheckSeverity.ERROR
    return result._replace(
        passed=verdict.outcome == "passed", severity=severity, description=reasons or result.description
    )
