"""Pods of a lease: what runs in them, with which rights, on which machines. Pure."""

import math
from typing import Any

from dagster_project.domain.compute import KubeRayProfile, Machine, Placement, bytes_of
from dagster_project.domain.lease import DEADLINE_LABEL, LEASE_LABEL, MODEL_LABEL, Lease
from dagster_project.domain.manifests import PART_OF, label_value, pod_security, resources, unprivileged, variables

COMPONENT = "training"
LEAVING = 30  # seconds that a pod gets; spot machines are given about as many
SHARED_MEMORY = 0.4  # of a machine's memory: Ray's objects take 0.3, torch's loaders some
FLAGS = {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/tmp"}
"""Of every process. Nothing but /tmp and /dev/shm can be written to."""
STAY = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false", "karpenter.sh/do-not-disrupt": "true"}
"""Annotations that keep node autoscalers from moving a pod in the middle of an epoch."""


def labels(lease: Lease) -> dict[str, str]:
    """On every object of a lease: what the reaper looks for."""
    return {
        "app.kubernetes.io/part-of": PART_OF,
        "app.kubernetes.io/component": COMPONENT,
        LEASE_LABEL: lease.id,
        DEADLINE_LABEL: str(math.ceil(lease.ends)),
        MODEL_LABEL: label_value(lease.model),
    }


def machine_pod(
    name: str, machine: Machine, placement: Placement, lease: Lease, profile: KubeRayProfile
) -> dict[str, Any]:
    """A pod that is one of Ray's machines; KubeRay adds the command and its own probes to its one container."""
    spec = {
        "restartPolicy": "Never",  # what Ray's autoscaler asks for: it makes another pod by itself
        "serviceAccountName": profile.service_account,  # whose rights on object storage the pod has
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": LEAVING,
        "securityContext": pod_security(profile.user),
        "nodeSelector": placement.node_selector,
        "tolerations": [each.model_dump(exclude_none=True) for each in placement.tolerations],
        "containers": [_container(name, machine, profile)],
        "volumes": [
            {"name": "scratch", "emptyDir": {}},
            {"name": "shared", "emptyDir": {"medium": "Memory", "sizeLimit": _share(machine.memory)}},
        ],
    }
    return {"metadata": {"labels": labels(lease), "annotations": dict(STAY)}, "spec": spec}


def submitter_pod(lease: Lease, profile: KubeRayProfile) -> dict[str, Any]:
    """The pod that hands the job over and follows its lines: neither an account nor a secret of ours."""
    container = {
        "name": "ray-job-submitter",
        "image": profile.image,
        "env": variables(FLAGS),
        "resources": resources("250m", "512Mi"),
        "securityContext": unprivileged(read_only=True),
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_security(profile.user),
        "containers": [container],
        "volumes": [{"name": "scratch", "emptyDir": {}}],
    }
    return {"metadata": {"labels": labels(lease)}, "spec": spec}


def _container(name: str, machine: Machine, profile: KubeRayProfile) -> dict[str, Any]:
    return {
        "name": name,
        "image": profile.image,
        "env": variables({**FLAGS, **profile.environment}),
        "envFrom": [{"secretRef": {"name": secret}} for secret in profile.secrets],
        "resources": resources(str(machine.cpus), machine.memory, machine.gpus),
        "securityContext": unprivileged(read_only=True),
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}, {"name": "shared", "mountPath": "/dev/shm"}],
    }


def _share(memory: str) -> str:
    """The part of a machine's memory that may lie in /dev/shm, in whole MiB."""
    return f"{max(64, int(bytes_of(memory) * SHARED_MEMORY) // 2**20)}Mi"
