"""What a rayClusterSpec says, as Ray's own autoscaler reads it on one machine: pure.

A worker group becomes a node type whose GPUs are declared, not there. The provider is Ray's own for tests, named as an
external one (``provider.py``): by its short name the autoscaler looks for an example file that the wheel does not have.
"""

from dataclasses import dataclass
from typing import Any

HEAD = "f" * 51 + "00000"
PROVIDER = "acts_provider"
GCS, DASHBOARD, CLIENT = 6379, 8265, 9997
OBJECT_STORE = 80_000_000
GPU = "nvidia.com/gpu"
_HEAD_TYPE = "ray.head.default"
_IDLE = 60  # KubeRay's, where the spec says nothing

FLAGS = {
    "RAY_FAKE_CLUSTER": "1",
    "AUTOSCALER_UPDATE_INTERVAL_S": "1",
    "RAY_enable_autoscaler_v2": "1",
    "RAY_CLOUD_INSTANCE_ID": HEAD,
    "RAY_OVERRIDE_NODE_ID_FOR_TESTING": HEAD,
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
}


@dataclass(frozen=True)
class Group:
    """A worker group: how many, and what each has."""

    name: str
    least: int
    most: int
    cpus: int
    gpus: int


def groups(spec: dict[str, Any]) -> tuple[Group, ...]:
    """The worker groups of a rayClusterSpec."""
    return tuple(_group(each) for each in spec.get("workerGroupSpecs") or ())


def autoscaling(spec: dict[str, Any], address: str) -> dict[str, Any]:
    """Ray's autoscaling configuration; JSON of it is YAML, as ``ray start`` takes it."""
    types = {group.name: _node_type(group) for group in groups(spec)}
    idle = (spec.get("autoscalerOptions") or {}).get("idleTimeoutSeconds", _IDLE)
    return {
        "cluster_name": "one-machine",
        "max_workers": sum(group.most for group in groups(spec)),
        "provider": _provider(address),
        "available_node_types": {_HEAD_TYPE: _head_type(spec), **types},
        "head_node_type": _HEAD_TYPE,
        "idle_timeout_minutes": idle / 60,
        "auth": {},
        "docker": {},
        "initialization_commands": [],
        "setup_commands": [],
        "head_setup_commands": [],
        "worker_setup_commands": [],
        "head_start_ray_commands": [],
        "worker_start_ray_commands": [],
        "file_mounts": {},
        "cluster_synced_files": [],
        "file_mounts_sync_continuously": False,
        "rsync_exclude": [],
        "rsync_filter": [],
    }


def start_command(spec: dict[str, Any], address: str, folder: str) -> list[str]:
    """``ray start`` of the head, in namespaces of its own: every port can be Ray's usual one."""
    parameters = spec["headGroupSpec"].get("rayStartParams") or {}
    return [
        "ray", "start", "--head", "--block", "--disable-usage-stats",
        f"--autoscaling-config={folder}/autoscaling.json", f"--temp-dir={folder}/ray",
        f"--node-ip-address={address}", f"--port={GCS}",
        f"--dashboard-host={address}", f"--dashboard-port={DASHBOARD}", f"--ray-client-server-port={CLIENT}",
        f"--num-cpus={parameters.get('num-cpus', 1)}", f"--num-gpus={parameters.get('num-gpus', 0)}",
        "--object-store-memory=100000000",
    ]  # fmt: skip


def _group(spec: dict[str, Any]) -> Group:
    parameters = spec.get("rayStartParams") or {}
    limits = (spec["template"]["spec"]["containers"][0].get("resources") or {}).get("limits") or {}
    return Group(
        name=spec["groupName"],
        least=spec.get("minReplicas", 0),
        most=spec.get("maxReplicas", 1),
        cpus=int(parameters.get("num-cpus") or _whole(str(limits.get("cpu", "1")))),
        gpus=int(parameters.get("num-gpus") or limits.get(GPU, 0)),
    )


def _whole(quantity: str) -> int:
    """Cores of a Kubernetes quantity, rounded up as KubeRay does."""
    return -(-int(quantity[:-1]) // 1000) if quantity.endswith("m") else int(quantity)


def _node_type(group: Group) -> dict[str, Any]:
    resources = {"CPU": group.cpus, "object_store_memory": OBJECT_STORE} | ({"GPU": group.gpus} if group.gpus else {})
    return {"resources": resources, "node_config": {}, "min_workers": group.least, "max_workers": group.most}


def _head_type(spec: dict[str, Any]) -> dict[str, Any]:
    cpus = int((spec["headGroupSpec"].get("rayStartParams") or {}).get("num-cpus", 1))
    return {"resources": {"CPU": cpus}, "node_config": {}, "min_workers": 0, "max_workers": 0}


def _provider(address: str) -> dict[str, Any]:
    return {
        "type": "external",
        "module": f"{PROVIDER}.OwnFiles",
        "use_node_id_as_ip": True,
        "disable_node_updaters": True,
        "disable_launch_config_check": True,
        "gcs_address": f"{address}:{GCS}",
        "launch_multiple": True,
        "head_node_id": HEAD,
    }
