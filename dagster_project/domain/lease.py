"""A lease: compute that exists only inside it; and what the ledger keeps of it."""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from .base import StrictModel
from .compute import Compute, MachineKind, Profiles

LEDGER = "leases"
LEASE_LABEL, DEADLINE_LABEL, MODEL_LABEL = "threeacts/lease", "threeacts/deadline", "threeacts/model"
"""On every object that a lease makes: its id, when it ends (whole seconds since 1970), its model."""
Outcome = Literal["succeeded", "failed", "deadline", "ceiling", "interrupted", "lost"]
HOUR = 3600.0


class Lease(StrictModel):
    """What was asked for. Seconds since 1970."""

    id: str = Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])$", description="also a Kubernetes name and label")
    model: str
    build_key: str
    run: str = Field(default="", description="Dagster's run")
    compute: Compute
    begun: float
    ends: float = Field(description="whatever runs then is ended, by whoever sees it first")
    ceiling: float | None = None


class LeaseFolder(StrictModel):
    """A lease's folder on object storage. Pods read all of it and write below ``output`` alone."""

    uri: str

    @classmethod
    def of(cls, leases: str, lease: str) -> "LeaseFolder":
        """The folder of a lease below the profile's ``leases``."""
        return cls(uri=f"{leases.rstrip('/')}/{lease}")

    @property
    def request(self) -> str:
        """The BuildRequest."""
        return f"{self.uri}/request.json"

    @property
    def code(self) -> str:
        """The archive of the code that runs."""
        return f"{self.uri}/code.zip"

    @property
    def output(self) -> str:
        """What pods may write below."""
        return f"{self.uri}/out"

    @property
    def result(self) -> str:
        """The TrainingResult."""
        return f"{self.output}/result.json"

    @property
    def store(self) -> str:
        """An artifact store with the bundle; its bytes are verified before they are taken over."""
        return f"{self.output}/store"

    @property
    def checkpoints(self) -> str:
        """Where a training that lost machines goes on from."""
        return f"{self.output}/checkpoints"


class NodeUse(StrictModel):
    """One machine while it was there."""

    kind: MachineKind
    name: str
    since: float
    until: float
    hourly: float
    gpus: int = 0

    @property
    def seconds(self) -> float:
        """How long it was there."""
        return max(0.0, self.until - self.since)


class GpuUse(StrictModel):
    """What a trial's GPUs did, as NVML and torch saw it."""

    name: str = Field(description="of the card")
    utilisation: float | None = Field(description="mean share of the time in which a kernel ran; None: not said")
    peak_memory: int = Field(description="bytes, as torch allocated them")
    memory: int = Field(description="bytes that the card has")
    samples_per_second: float
    precision: Literal["bfloat16", "float32"] = "float32"


class LeaseEnd(StrictModel):
    """The ledger's row about a lease that is over."""

    lease: Lease
    outcome: Outcome
    reason: str = ""
    nodes: tuple[NodeUse, ...] = ()
    last_gone: float | None = Field(default=None, description="when the last machine went; None: not seen")
    gpu: GpuUse | None = None
    amount: float = 0.0
    currency: str = "USD"

    @property
    def what(self) -> str:
        """Machines and time, for people: ``1 head, 2 workers, 14 minutes``."""
        kinds = {kind: sum(node.kind == kind for node in self.nodes) for kind in ("local", "head", "worker")}
        words = {
            "local": "this machine",
            "head": "1 head",
            "worker": f"{kinds['worker']} worker{'' if kinds['worker'] == 1 else 's'}",
        }
        minutes = sum(node.seconds for node in self.nodes) / 60
        return ", ".join([*(words[kind] for kind, count in kinds.items() if count), f"{minutes:.1f} machine minutes"])


def amount_of(nodes: Iterable[NodeUse]) -> float:
    """What the machines cost, by the second."""
    return sum(node.seconds * node.hourly for node in nodes) / HOUR


def new_lease(
    identity: str,
    model: str,
    compute: Compute,
    profiles: Profiles,
    begun: float,
    build_key: str = "",
    run: str = "",
) -> Lease:
    """A lease that begins at ``begun`` (seconds since 1970).

    Raises:
        ValidationError: ``identity`` is none that a lease may have.
    """
    return Lease(
        id=identity,
        model=model,
        build_key=build_key,
        run=run,
        compute=compute,
        begun=begun,
        ends=ends_at(compute, profiles, begun),
        ceiling=profiles.ceiling(compute),
    )


def most(compute: Compute, profiles: Profiles) -> float:
    """The most that a lease can cost: every machine until the deadline, or the ceiling."""
    amount, ceiling = profiles.hourly(compute) * compute.deadline.total_seconds() / HOUR, profiles.ceiling(compute)
    return amount if ceiling is None else min(amount, ceiling)


def ends_at(compute: Compute, profiles: Profiles, begun: float) -> float:
    """When a lease ends at the latest. Where it is one machine, reaching the ceiling is a time too."""
    ceiling, hourly = profiles.ceiling(compute), profiles.hourly(compute)
    seconds = compute.deadline.total_seconds()
    if profiles.of(compute).kind == "local" and ceiling is not None and hourly > 0:
        seconds = min(seconds, ceiling / hourly * HOUR)
    return begun + seconds
