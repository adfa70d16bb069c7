"""What takes long and depends on bytes and rows alone: deepchecks and importances, kept by what they depend on.

A change of gates or wording judges again without running them again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

import dagster_project.quality
from dagster_project.domain.base import StrictModel, digest_of, digest_of_bytes
from dagster_project.domain.explanation import ExplainedError
from dagster_project.domain.fingerprint import environment_digest
from dagster_project.domain.verdict import Finding
from dagster_project.storage.store import ArtifactStore

if TYPE_CHECKING:
    from dagster_project.quality.suites import QualityReport


class Diagnosis(StrictModel):
    """Findings of the suites, their pages by digest, and the importances of the model that was diagnosed."""

    findings: tuple[Finding, ...] = ()
    pages: dict[str, str] = Field(default_factory=dict, description="suite -> digest of its HTML")
    importances: dict[str, float] = Field(default_factory=dict)
    errors: tuple[ExplainedError, ...] = ()
    seconds: float = 0.0
    reused: bool = False


def diagnosis_key(*depends_on: Any) -> str:
    """Name of a diagnosis: what it looked at, the code that looked, and the versions it ran with."""
    return digest_of([*depends_on, _quality_code(), environment_digest()])


def diagnose(store: ArtifactStore, key: str, run: Callable[[], Diagnosis]) -> Diagnosis:
    """The kept diagnosis, or a new one, kept for the next time."""
    name = f"diagnoses/{key}"
    kept = store.get_ref(name)
    if kept is not None:
        return Diagnosis.model_validate(kept).model_copy(update={"reused": True})
    made = run()
    store.set_ref(name, made.model_dump(mode="json"))
    return made


def kept_report(
    store: ArtifactStore,
    report: QualityReport,
    importances: dict[str, float] | None = None,
    errors: tuple[ExplainedError, ...] = (),
) -> Diagnosis:
    """A quality report with its pages put in the store."""
    return Diagnosis(
        findings=report.findings,
        pages={suite: store.put(html.encode()) for suite, html in report.html.items()},
        importances=importances or {},
        errors=errors,
        seconds=report.seconds,
    )


def _quality_code() -> str:
    folder = Path(dagster_project.quality.__path__[0])
    return digest_of({path.name: digest_of_bytes(path.read_bytes()) for path in sorted(folder.rglob("*.py"))})
