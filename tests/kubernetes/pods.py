"""Pod objects, as KubeRay's operator makes them and a kubelet reports on them. Pure."""

import copy
from typing import Any

from tests.kubernetes.ray_settings import GPU
from tests.kubernetes.world import Object, now, owned_by

CLUSTER, KIND, GROUP = "ray.io/cluster", "ray.io/node-type", "ray.io/group"
JOB = "job-name"
_CREATED = {"app.kubernetes.io/created-by": "kuberay-operator", "app.kubernetes.io/name": "kuberay"}


def head_pod(cluster: Object, suffix: str) -> Object:
    """The head's pod; its template's labels and KubeRay's."""
    template = cluster["spec"]["headGroupSpec"]["template"]
    return _pod(cluster, f"{cluster['metadata']['name']}-head-{suffix}", "head", "headgroup", template)


def worker_pod(cluster: Object, group: str, suffix: str) -> Object:
    """A worker's pod."""
    spec = next(each for each in cluster["spec"]["workerGroupSpecs"] if each["groupName"] == group)
    return _pod(cluster, f"{cluster['metadata']['name']}-{group}-worker-{suffix}", "worker", group, spec["template"])


def submitter_pod(job: Object, attempt: int) -> Object:
    """The pod of the Job that submits."""
    template = copy.deepcopy(job["spec"]["template"])
    labels = {**(template.get("metadata", {}).get("labels") or {}), JOB: job["metadata"]["name"]}
    metadata = {"name": f"{job['metadata']['name']}-{job['metadata']['uid'][:4]}{attempt}", "labels": labels}
    return {"metadata": {**metadata, "ownerReferences": owned_by(job)}, "spec": template["spec"]}


def running(pod: Object, address: str, ready: bool) -> Object:
    """The pod with the status of one whose container runs."""
    state = {"running": {"startedAt": pod["metadata"]["creationTimestamp"]}}
    made = _with_status(pod, "Running", state, ready)
    return {**made, "status": {**made["status"], "podIP": address, "podIPs": [{"ip": address}]}}


def ended(pod: Object, code: int) -> Object:
    """The pod with the status of one whose container ended."""
    state = {"terminated": {"exitCode": code, "reason": "Error" if code else "Completed", "finishedAt": now()}}
    return _with_status(pod, "Failed" if code else "Succeeded", state, ready=False)


def is_ready(pod: Object) -> bool:
    """Whether the pod's condition Ready holds."""
    conditions = (pod.get("status") or {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def phase(pod: Object) -> str:
    """The pod's phase."""
    return str((pod.get("status") or {}).get("phase", "Pending"))


def gpus(pod: Object) -> int:
    """The GPUs that it asks for."""
    containers = pod["spec"]["containers"]
    return sum(int(((each.get("resources") or {}).get("limits") or {}).get(GPU, 0)) for each in containers)


def _pod(cluster: Object, name: str, kind: str, group: str, template: dict[str, Any]) -> Object:
    made = copy.deepcopy(template)
    metadata = made.get("metadata") or {}
    identifier = f"{cluster['metadata']['name']}-{kind}"
    own = {CLUSTER: cluster["metadata"]["name"], KIND: kind, GROUP: group, "ray.io/is-ray-node": "yes"}
    labels = {**(metadata.get("labels") or {}), **_CREATED, **own, "ray.io/identifier": identifier}
    metadata = {**metadata, "name": name, "labels": labels, "ownerReferences": owned_by(cluster)}
    return {"metadata": metadata, "spec": made["spec"]}


def _with_status(pod: Object, phase: str, state: dict[str, Any], ready: bool) -> Object:
    container = pod["spec"]["containers"][0]
    report = {
        "name": container["name"], "image": container.get("image", ""), "imageID": "", "ready": ready,
        "restartCount": 0, "started": "running" in state, "state": state,
    }  # fmt: skip
    condition = {"type": "Ready", "status": "True" if ready else "False"}
    status = {"phase": phase, "startTime": pod["metadata"]["creationTimestamp"], "conditions": [condition]}
    return {**pod, "status": {**status, "containerStatuses": [report]}}
