"""What stays of a build, whoever did it: its result by name, and a row in the ledger that later plans estimate from."""

from dagster_project.domain.build import BuildResult
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.ledger import Ledger
from dagster_project.storage.store import ArtifactStore


def latest_ref(kind: str, name: str) -> str:
    """The name in the store of the last build's result."""
    return f"latest/{kind}/{name}"


def keep(result: BuildResult, workspace: Workspace) -> None:
    """Set the latest result and append to the ledger of builds."""
    ArtifactStore.of(workspace).set_ref(latest_ref(result.kind, result.name), result.model_dump(mode="json"))
    Ledger(workspace.ledger, "builds").append(
        {
            "kind": result.kind,
            "name": result.name,
            "outcome": result.outcome,
            "seconds": result.seconds,
            "build_key": result.build_key,
            "reused": result.outcome == "reused",
            "stages": result.stages,
        }
    )


def latest(kind: str, name: str, workspace: Workspace) -> BuildResult | None:
    """The result of the last build."""
    ref = ArtifactStore.of(workspace).get_ref(latest_ref(kind, name))
    return None if ref is None else BuildResult.model_validate(ref)
