"""``compute:`` of a spec, what training may take; and the profiles, places where machines can be had and at what price.

A contributor writes the first. The second, ``dagster_project/deployment/compute.yaml``, is the platform team's: it
names images, accounts and bounds, so it is never read from a pull request.
"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from .base import StrictModel

Positive = Annotated[timedelta, Field(gt=timedelta(0))]
Capacity = Literal["on_demand", "spot"]
MachineKind = Literal["local", "head", "worker"]
Quantity = Annotated[str, Field(pattern=r"^[1-9][0-9]*(Mi|Gi|Ti)$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
Uri = Annotated[str, Field(pattern=r"^[a-z][a-z0-9+]*://[^/]*")]
LOCAL = "local"
UNITS = {"Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
ROWS = 8  # of a machine's memory, prepared train rows take an eighth: raw rows and copies on their way take most of it


def bytes_of(quantity: str) -> int:
    """A Quantity in bytes."""
    return int(quantity[:-2]) * UNITS[quantity[-2:]]


class Compute(StrictModel):
    """What training a model may take. Machines come when trials wait for them and go when idle: from none, to none."""

    profile: str = LOCAL
    workers: int = Field(default=1, ge=0, le=1000, description="machines beside the first, at most")
    gpus_per_trial: int = Field(default=0, ge=0, le=1024, description="one training process for each")
    processes_per_trial: int | None = Field(
        default=None, ge=1, le=1024, description="that train one network together; default: one for each GPU, else one"
    )
    least_processes: int | None = Field(
        default=None, ge=1, le=1024, description="go on with so many where machines are lost; default: wait for all"
    )
    idle_timeout: Positive = Field(default=timedelta(minutes=1), description="until a machine without work goes")
    deadline: Positive = Field(default=timedelta(hours=2), description="whatever runs then is ended")
    cost_ceiling: float | None = Field(
        default=None, gt=0.0, description="in the profiles' currency; ended when reached"
    )
    capacity: Capacity = Field(default="on_demand", description="spot machines cost less and may be taken away")

    @property
    def processes(self) -> int:
        """Training processes that share one trial."""
        return self.processes_per_trial or max(1, self.gpus_per_trial)

    @property
    def least(self) -> int:
        """Processes without which a trial waits."""
        return min(self.least_processes or self.processes, self.processes)

    def training_part(self) -> dict[str, int]:
        """What the bytes of a candidate depend on: sums over several processes, or on a GPU, round otherwise."""
        part = {"gpus": self.gpus_per_trial, "processes": self.processes}
        return {} if part == {"gpus": 0, "processes": 1} else part


class Machine(StrictModel):
    """One kind of machine. Prices are an hour's."""

    cpus: int = Field(ge=1)
    memory: Quantity
    gpus: int = Field(default=0, ge=0)
    price: float = Field(ge=0.0)
    spot_price: float | None = Field(default=None, ge=0.0, description="None: there is no spot capacity")

    @property
    def memory_for_rows(self) -> int:
        """Bytes that prepared rows may take; larger ones are streamed."""
        return bytes_of(self.memory) // ROWS

    def hourly(self, capacity: Capacity) -> float:
        """The price of an hour."""
        return self.price if capacity == "on_demand" or self.spot_price is None else self.spot_price


class Toleration(StrictModel):
    """A taint of a node pool that our pods put up with (Kubernetes' words)."""

    key: str
    operator: Literal["Exists", "Equal"] = "Exists"
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = "NoSchedule"


class Placement(StrictModel):
    """Which nodes a pod may run on."""

    node_selector: dict[str, str] = Field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()


class Bounds(StrictModel):
    """What no spec may ask for more of."""

    workers: int = Field(default=8, ge=0)
    deadline: Positive = timedelta(hours=12)
    cost: float | None = Field(default=None, gt=0.0, description="the ceiling where a spec names none")


class LocalProfile(StrictModel):
    """The machine that the build runs on."""

    kind: Literal["local"]
    gpus: int = Field(default=0, ge=0)
    price: float = Field(default=0.0, ge=0.0, description="of an hour")
    bounds: Bounds = Bounds()


class KubeRayProfile(StrictModel):
    """A Kubernetes cluster with KubeRay: the training program is the entrypoint of a RayJob."""

    kind: Literal["kuberay"]
    context: str | None = Field(default=None, description="of the kubeconfig; None: the current one, or in-cluster")
    namespace: Name
    image: str = Field(pattern=r"^[^\s@]+@sha256:[0-9a-f]{64}$", description="by digest, never by tag")
    service_account: Name = Field(description="of the pods: reads train and validation rows, writes below `leases`")
    leases: Uri = Field(description="object storage: one folder a lease, all that its pods may write")
    environment: dict[str, str] = Field(default_factory=dict, description="variables of every pod; no secrets")
    secrets: tuple[Name, ...] = Field(default=(), description="Secrets whose keys become variables of every pod")
    head: Machine
    worker: Machine
    placement: Placement = Placement()
    on_demand: Placement = Placement()
    spot: Placement = Placement()
    start_within: Positive = Field(default=timedelta(minutes=15), description="else the lease ends: nothing started")
    user: int = Field(default=1000, ge=1, description="id of the image's user; never root")
    egress: tuple[str, ...] = Field(default=("0.0.0.0/0",), description="networks (CIDR) where storage answers on 443")
    bounds: Bounds = Bounds()


Profile = Annotated[LocalProfile | KubeRayProfile, Field(discriminator="kind")]


class Profiles(StrictModel):
    """The one file of profiles."""

    schema_version: Literal[1]
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    profiles: dict[str, Profile]

    def of(self, compute: Compute) -> Profile:
        """The profile that a spec names; ``guard_compute`` has refused what is not there."""
        return self.profiles[compute.profile]

    def ceiling(self, compute: Compute) -> float | None:
        """What a lease may cost: the spec's ceiling, else the profile's."""
        return self.of(compute).bounds.cost if compute.cost_ceiling is None else compute.cost_ceiling

    def prices(self, compute: Compute) -> dict[MachineKind, float]:
        """The price of an hour of each kind of machine."""
        profile = self.of(compute)
        if isinstance(profile, LocalProfile):
            return {"local": profile.price}
        return {"head": profile.head.price, "worker": profile.worker.hourly(compute.capacity)}

    def hourly(self, compute: Compute) -> float:
        """The price of an hour with every machine there."""
        counts = {"local": 1, "head": 1, "worker": compute.workers}
        return sum(counts[kind] * price for kind, price in self.prices(compute).items())
