"""A lease on Kubernetes: the manifest of a RayJob for KubeRay 1.7. Pure.

The operator owns its life: it makes machines when trials wait for them, ends the job at its deadline and takes
everything away after it finished, also where whoever asked for it has died. Why the pods have the rights that they
have: docs/decisions/0014-rights-of-a-lease.md.
"""

import math
from typing import Any

import yaml

from dagster_project.compute.pods import FLAGS, labels, machine_pod, submitter_pod
from dagster_project.domain.compute import KubeRayProfile, Placement
from dagster_project.domain.lease import MODEL_LABEL, Lease, LeaseFolder
from dagster_project.domain.manifests import RAY_VERSION, resources, unprivileged, variables

PROGRAM = "dagster_project.factories.trainer"
READING_LOGS = 60  # seconds in which the last lines can still be read, though everything is done
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
PORTS = {"gcs": 6379, "dashboard": 8265, "client": 10001}
"""Of the head's service. Nobody uses Ray Client, but dagster-ray forwards its port with the dashboard's."""


def job_name(lease: str) -> str:
    """Name of a lease's RayJob: known before it is made, so it can be taken away whatever happened in between."""
    return f"acts-{lease}"


def rayjob(lease: Lease, profile: KubeRayProfile) -> dict[str, Any]:
    """The manifest: a program that reads the lease's request, is the lease's code, and writes below its output."""
    folder = LeaseFolder.of(profile.leases, lease.id)
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "metadata": {
            "name": job_name(lease.id),
            "namespace": profile.namespace,
            "labels": labels(lease),  # which the operator hands on to the RayCluster
            "annotations": _annotations(lease),
        },
        "spec": {
            "submissionMode": "K8sJobMode",
            "entrypoint": f"python -X faulthandler -m {PROGRAM} {folder.request}",
            "runtimeEnvYAML": yaml.safe_dump({"working_dir": folder.code}),
            "backoffLimit": 0,  # the launcher decides whether it is tried again: that is another lease
            "preRunningDeadlineSeconds": _seconds(profile.start_within.total_seconds()),
            "activeDeadlineSeconds": _seconds(lease.ends - lease.begun),
            "shutdownAfterJobFinishes": True,
            "ttlSecondsAfterFinished": READING_LOGS,
            "submitterPodTemplate": submitter_pod(lease, profile),
            "rayClusterSpec": _cluster(lease, profile),
        },
    }


def _annotations(lease: Lease) -> dict[str, str]:
    """What a label's alphabet or length has no room for."""
    return {MODEL_LABEL: lease.model, "threeacts/build-key": lease.build_key, "threeacts/run": lease.run}


def _cluster(lease: Lease, profile: KubeRayProfile) -> dict[str, Any]:
    return {
        "rayVersion": RAY_VERSION,
        "authOptions": {"mode": "token"},  # the operator makes the token's Secret and gives it to every pod
        "enableInTreeAutoscaling": True,
        "autoscalerOptions": _autoscaler(lease),
        "headGroupSpec": _head(lease, profile),
        "workerGroupSpecs": [_workers(lease, profile)],
    }


def _head(lease: Lease, profile: KubeRayProfile) -> dict[str, Any]:
    """The program and Ray's controller, never a trial; and never a spot machine: with it everything would go."""
    machine = profile.head.model_copy(update={"gpus": 0})
    pod = machine_pod("ray-head", machine, Placement(), lease, profile)
    (container,) = pod["spec"]["containers"]
    container["ports"] = [{"name": name, "containerPort": port} for name, port in PORTS.items()]
    account = {"name": "account", "projected": {"sources": _account(), "defaultMode": 0o440}}
    pod["spec"]["volumes"] += [account, {"name": "autoscaler", "emptyDir": {}}]
    # The job is handed over from another pod, so the dashboard can't be on loopback; it asks for the token.
    parameters = {"dashboard-host": "0.0.0.0", "num-cpus": "0", "num-gpus": "0"}
    return {"rayStartParams": parameters, "template": pod}


def _workers(lease: Lease, profile: KubeRayProfile) -> dict[str, Any]:
    chosen = profile.spot if lease.compute.capacity == "spot" else profile.on_demand
    placement = Placement(
        node_selector={**profile.placement.node_selector, **chosen.node_selector},
        tolerations=(*profile.placement.tolerations, *chosen.tolerations),
    )
    return {
        "groupName": "workers",
        "replicas": 0,
        "minReplicas": 0,
        "maxReplicas": lease.compute.workers,
        "rayStartParams": {},
        "template": machine_pod("ray-worker", profile.worker, placement, lease, profile),
    }


def _autoscaler(lease: Lease) -> dict[str, Any]:
    """Beside the program in the head's pod; it alone gets the account's token, to ask for workers and let them go."""
    return {
        "version": "v2",
        "idleTimeoutSeconds": _seconds(lease.compute.idle_timeout.total_seconds()),
        "resources": resources("500m", "1Gi"),
        "securityContext": unprivileged(read_only=True),
        "env": variables(FLAGS),
        "volumeMounts": [
            {"name": "autoscaler", "mountPath": "/tmp"},
            {"name": "account", "mountPath": ACCOUNT, "readOnly": True},
        ],
    }


def _account() -> list[dict[str, Any]]:
    """What Kubernetes would mount into every container of the pod, were it let."""
    namespace = {"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}
    return [
        {"serviceAccountToken": {"path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]


def _seconds(seconds: float) -> int:
    """Whole ones, at least one: KubeRay takes no others."""
    return max(1, math.ceil(seconds))
