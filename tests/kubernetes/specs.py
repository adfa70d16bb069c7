"""Specs for tests of the double: the least that KubeRay takes."""

from typing import Any

IMAGE = "registry.example.com/team/acts@sha256:" + "a" * 64


def pod(**limits: str) -> dict[str, Any]:
    """A pod template; ``gpu`` stands for nvidia.com/gpu."""
    named = {"nvidia.com/gpu" if name == "gpu" else name: value for name, value in limits.items()}
    return {"spec": {"containers": [{"name": "ray", "image": IMAGE, "resources": {"limits": named}}]}}


def ray_cluster(most: int = 2, idle: int = 10) -> dict[str, Any]:
    """A rayClusterSpec: a head without CPUs for tasks, and from none to ``most`` workers of one GPU and one core."""
    group = {"groupName": "gpu", "replicas": 0, "minReplicas": 0, "maxReplicas": most, "rayStartParams": {}}
    return {
        "rayVersion": "2.60.0",
        "enableInTreeAutoscaling": True,
        "authOptions": {"mode": "token"},
        "autoscalerOptions": {"version": "v2", "idleTimeoutSeconds": idle},
        "headGroupSpec": {"rayStartParams": {"num-cpus": "0"}, "template": pod(cpu="1", memory="2Gi")},
        "workerGroupSpecs": [{**group, "template": pod(cpu="1", memory="2Gi", gpu="1")}],
    }


def ray_job(name: str, entrypoint: str, **more: Any) -> dict[str, Any]:
    """A RayJob in the namespace ``training``; ``more``: fields of its spec, and ``labels``."""
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "metadata": {"name": name, "namespace": "training", "labels": more.pop("labels", {})},
        "spec": {
            "entrypoint": entrypoint, "submissionMode": "K8sJobMode", "shutdownAfterJobFinishes": True,
            "ttlSecondsAfterFinished": 0, "rayClusterSpec": more.pop("cluster", None) or ray_cluster(), **more,
        },
    }  # fmt: skip
