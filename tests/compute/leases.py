"""Leases and profiles to make manifests of."""

from datetime import timedelta
from typing import Any

from dagster_project.domain.compute import Compute, KubeRayProfile
from dagster_project.domain.lease import Lease

IMAGE = "registry.example/training@sha256:" + "a" * 64
BEGUN = 1_790_000_000.0


def profile(**changes: Any) -> KubeRayProfile:
    """A profile with GPUs, spot machines and a node pool of its own."""
    given = {
        "kind": "kuberay",
        "namespace": "training",
        "image": IMAGE,
        "service_account": "acts-training",
        "leases": "s3://bucket/leases",
        "environment": {"AWS_REGION": "eu-central-1"},
        "head": {"cpus": 2, "memory": "8Gi", "price": 0.25},
        "worker": {"cpus": 8, "memory": "32Gi", "gpus": 1, "price": 1.0, "spot_price": 0.4},
        "placement": {"node_selector": {"gpu": "l4"}, "tolerations": [{"key": "nvidia.com/gpu"}]},
        "on_demand": {"node_selector": {"capacity": "on-demand"}},
        "spot": {
            "node_selector": {"capacity": "spot"},
            "tolerations": [{"key": "spot", "operator": "Equal", "value": "true"}],
        },
    }
    return KubeRayProfile.model_validate({**given, **changes})


CPU = profile(worker={"cpus": 8, "memory": "32Gi", "price": 0.5}, placement={}, on_demand={}, spot={})
SECRETS = profile(secrets=["storage", "tracking", "licence"], user=2000, context="team", environment={})


def lease(model: str = "late_arrival", identity: str = "a1b2c3", **compute: Any) -> Lease:
    """A lease of two workers for half an hour."""
    asked = Compute(
        **{"profile": "gpu", "workers": 2, "gpus_per_trial": 1, "deadline": timedelta(minutes=30), **compute}
    )
    return Lease(
        id=identity,
        model=model,
        build_key="sha256:" + "b" * 64,
        run="5f0c",
        compute=asked,
        begun=BEGUN,
        ends=BEGUN + asked.deadline.total_seconds(),
    )
