"""KubeRay's controller of RayClusters, played: Secret, service and head for each, and what its status says."""

import secrets
from base64 import b64encode
from typing import Any

from tests.kubernetes import pods, ray_settings
from tests.kubernetes.dashboard import TOKEN
from tests.kubernetes.world import Object, World, key_of, now, owned_by

ENDPOINTS = {"client": "10001", "dashboard": "8265", "gcs-server": "6379", "metrics": "8080"}


def reconcile(world: World, cluster: Object) -> None:
    """Bring one cluster's objects to what its spec says, and write its status."""
    if "deletionTimestamp" in cluster["metadata"]:
        return
    _beside(world, cluster)
    heads = pods_of(world, cluster, "head")
    if cluster["spec"].get("suspend"):
        _dismiss(world, heads)
    elif not heads:
        made = pods.head_pod(cluster, secrets.token_hex(3)[:5])
        world.create("pods", cluster["metadata"]["namespace"], made)
    else:
        _dismiss(world, [pod for pod in heads if pods.phase(pod) in ("Failed", "Succeeded")])
    _report(world, cluster)


def pods_of(world: World, cluster: Object, kind: str) -> list[Object]:
    """The cluster's pods: its head, or its workers."""
    wanted = {pods.CLUSTER: cluster["metadata"]["name"], pods.KIND: kind}
    return world.all(
        "pods",
        cluster["metadata"]["namespace"],
        lambda pod: wanted.items() <= (pod["metadata"].get("labels") or {}).items(),
    )


def is_ready(cluster: Object) -> bool:
    """Whether its state is ``ready``."""
    return bool((cluster.get("status") or {}).get("state") == "ready")


def _dismiss(world: World, found: list[Object]) -> None:
    """A head that failed is taken away; another comes with the next look."""
    for pod in found:
        if "deletionTimestamp" not in pod["metadata"]:
            world.delete(key_of(pod))


def _beside(world: World, cluster: Object) -> None:
    """What a head needs: the token's Secret, and the service by which it is found."""
    namespace, name = cluster["metadata"]["namespace"], cluster["metadata"]["name"]
    own = {"ownerReferences": owned_by(cluster)}
    mode = (cluster["spec"].get("authOptions") or {}).get("mode")
    if mode == "token" and not world.find("secrets", namespace, name):
        data = {TOKEN: b64encode(secrets.token_hex(32).encode()).decode()}
        world.create("secrets", namespace, {"metadata": {"name": name, **own}, "type": "Opaque", "data": data})
    if not world.find("services", namespace, f"{name}-head-svc"):
        ports = [{"name": each, "port": int(port)} for each, port in ENDPOINTS.items()]
        selector = {pods.CLUSTER: name, pods.KIND: "head"}
        spec = {"clusterIP": "None", "ports": ports, "selector": selector}
        world.create("services", namespace, {"metadata": {"name": f"{name}-head-svc", **own}, "spec": spec})
        world.create("endpoints", namespace, {"metadata": {"name": f"{name}-head-svc", **own}, "subsets": []})


def _report(world: World, cluster: Object) -> None:
    namespace, name = cluster["metadata"]["namespace"], cluster["metadata"]["name"]
    ready = [pod for pod in pods_of(world, cluster, "head") if pods.is_ready(pod)]
    address = [{"addresses": [{"ip": pod["status"]["podIP"]}]} for pod in ready]
    world.update(("endpoints", namespace, f"{name}-head-svc"), lambda found: {**found, "subsets": address})
    old = cluster.get("status") or {}
    new = _status(cluster, ready, pods_of(world, cluster, "worker"))
    if {**old, "lastUpdateTime": ""} != {**new, "lastUpdateTime": ""}:
        world.update(key_of(cluster), lambda found: {**found, "status": new}, part="status")


def _status(cluster: Object, heads: list[Object], workers: list[Object]) -> dict[str, Any]:
    name, groups = cluster["metadata"]["name"], ray_settings.groups(cluster["spec"])
    most, cpus = sum(group.most for group in groups), {group.name: group.cpus for group in groups}
    head: dict[str, Any] = {"serviceName": f"{name}-head-svc"}
    if heads:
        address = heads[0]["status"]["podIP"]
        head |= {"podIP": address, "podName": heads[0]["metadata"]["name"], "serviceIP": address}
    suspended = bool(cluster["spec"].get("suspend"))
    state = {"state": "suspended"} if suspended else {"state": "ready"} if heads else {}
    return {
        **dict.fromkeys(("desiredWorkerReplicas", "availableWorkerReplicas", "readyWorkerReplicas"), len(workers)),
        "minWorkerReplicas": sum(group.least for group in groups), "maxWorkerReplicas": most,
        "desiredGPU": str(sum(pods.gpus(pod) for pod in workers)), "desiredTPU": "0",
        "desiredCPU": str(sum(cpus[pod["metadata"]["labels"][pods.GROUP]] for pod in workers)),
        "endpoints": ENDPOINTS, "head": head, "lastUpdateTime": now(), **state,
        "conditions": _conditions(cluster, ready=bool(heads)),
    }  # fmt: skip


def _conditions(cluster: Object, ready: bool) -> list[dict[str, Any]]:
    """Whether the head is ready, and since when; whether it ever was."""
    old = {each["type"]: each for each in (cluster.get("status") or {}).get("conditions", [])}
    made = [_condition(old, "HeadPodReady", ready, "HeadPodRunningAndReady" if ready else "HeadPodNotFound")]
    if ready or "RayClusterProvisioned" in old:
        made.append(_condition(old, "RayClusterProvisioned", True, "AllPodRunningAndReadyFirstTime"))
    return made


def _condition(old: dict[str, dict[str, Any]], kind: str, holds: bool, reason: str) -> dict[str, Any]:
    status = "True" if holds else "False"
    before = old.get(kind, {})
    since = before["lastTransitionTime"] if before.get("status") == status else now()
    return {"type": kind, "status": status, "reason": reason, "message": "", "lastTransitionTime": since}
