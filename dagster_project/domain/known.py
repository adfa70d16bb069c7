"""What the plan is told about the world outside the repository: gathered by ``ci``, read by ``planning``."""

from pydantic import Field

from .base import StrictModel
from .bundle import BundleManifest
from .estimates import Estimate
from .snapshot import Snapshot
from .verdict import Verdict


class KnownState(StrictModel):
    """Snapshots, builds, verdicts and the history of costs. Nothing known is a valid state: a fresh machine."""

    snapshots: dict[str, Snapshot] = Field(default_factory=dict, description="by dataset: the current one")
    builds: dict[str, tuple[str, ...]] = Field(default_factory=dict, description="by model: build keys in the store")
    seconds: dict[str, float] = Field(default_factory=dict, description="by 'action:kind:name': what it took lately")
    costs: dict[str, Estimate] = Field(default_factory=dict, description="by model: what a build will cost")
    verdicts: dict[str, Verdict] = Field(default_factory=dict, description="by digest: those that locks name")
    bundles: dict[str, BundleManifest] = Field(default_factory=dict, description="by digest: those that locks name")
    settled: tuple[str, ...] = Field(
        default=(), description="models whose changed lock has a verdict that stands for what the head declares"
    )
    former: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="by model whose lock changes: digests of lock files that the base had before"
    )
    code: dict[str, str] = Field(default_factory=dict, description="by model: digest of the code its build runs")
    environment: str = ""
    code_changed: tuple[str, ...] = Field(default=(), description="models whose code differs between base and head")

    def has_snapshot(self, dataset: str, contract_digest: str) -> bool:
        """Whether the dataset's current snapshot was made by this contract."""
        snapshot = self.snapshots.get(dataset)
        return snapshot is not None and snapshot.contract_digest == contract_digest
