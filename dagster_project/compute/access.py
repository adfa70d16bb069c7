"""Who may do what where leases run: accounts, roles and networks for ``kubectl apply``. Pure."""

from typing import Any

from dagster_project.compute.pods import COMPONENT
from dagster_project.domain.compute import KubeRayProfile
from dagster_project.domain.manifests import PART_OF

LAUNCHER, REAPER = "acts-launcher", "acts-reaper"
TRAINING = {"app.kubernetes.io/part-of": PART_OF, "app.kubernetes.io/component": COMPONENT}
"""Labels of every pod of a lease."""
LAUNCHING = {"app.kubernetes.io/part-of": PART_OF, "app.kubernetes.io/component": "launcher"}
"""Labels of pods in the cluster that launch."""
OPERATOR = {"app.kubernetes.io/name": "kuberay-operator"}
HEADS = {**TRAINING, "ray.io/node-type": "head"}
DASHBOARD, STORAGE, API_SERVER, NAMES = 8265, 443, (443, 6443), 53
RIGHTS: dict[str, list[tuple[str, list[str], list[str]]]] = {
    # Whoever may make pods can give them any Secret of the namespace, so reading the token takes nothing more.
    LAUNCHER: [
        ("ray.io", ["rayjobs"], ["create", "get", "list", "watch", "delete"]),
        ("ray.io", ["rayclusters"], ["get", "list", "watch", "delete"]),
        ("ray.io", ["rayjobs/status", "rayclusters/status"], ["get"]),
        ("", ["pods", "pods/log", "services", "endpoints"], ["get", "list", "watch"]),
        ("", ["pods/portforward"], ["create"]),
        ("", ["secrets"], ["get"]),
    ],
    REAPER: [
        ("ray.io", ["rayjobs", "rayclusters"], ["get", "list", "delete"]),
        ("", ["pods"], ["get", "list"]),
    ],
}
"""By account: API group, resources, verbs; in the namespace of the leases alone."""


def access(profile: KubeRayProfile) -> list[dict[str, Any]]:
    """Everything that has to be there before the first lease, in the order in which it is applied."""
    accounts = [_account(name, profile.namespace) for name in (profile.service_account, *RIGHTS)]
    roles = [_role(name, profile.namespace) for name in RIGHTS]
    bindings = [_binding(name, profile.namespace) for name in RIGHTS]
    return [_namespace(profile), *accounts, *roles, *bindings, _pods_network(profile), _heads_network(profile)]


def _namespace(profile: KubeRayProfile) -> dict[str, Any]:
    """The namespace refuses every pod that wants more than ours do."""
    strict = {"pod-security.kubernetes.io/enforce": "restricted", "app.kubernetes.io/part-of": PART_OF}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": profile.namespace, "labels": strict}}


def _account(name: str, namespace: str) -> dict[str, Any]:
    metadata = _metadata(name, namespace)
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, "automountServiceAccountToken": False}


def _role(name: str, namespace: str) -> dict[str, Any]:
    rules = [{"apiGroups": [group], "resources": what, "verbs": verbs} for group, what, verbs in RIGHTS[name]]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": _metadata(name, namespace),
        "rules": rules,
    }


def _binding(name: str, namespace: str) -> dict[str, Any]:
    """To the account, for who runs in the cluster, and to a group of the same name, for who comes from outside."""
    group = {"kind": "Group", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": _metadata(name, namespace),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}, group],
    }


def _pods_network(profile: KubeRayProfile) -> dict[str, Any]:
    """Pods of leases talk to one another (Ray's token keeps leases apart), to names and to storage.

    Nobody else talks to them but the operator and the launcher, and these to the dashboard alone.
    """
    ours = {"podSelector": {"matchLabels": TRAINING}}
    callers = [_anywhere(OPERATOR), _anywhere(LAUNCHING)]
    storage = [{"ipBlock": {"cidr": network}} for network in profile.egress]
    names = [{"protocol": protocol, "port": NAMES} for protocol in ("UDP", "TCP")]
    return _policy(
        "acts-training",
        profile.namespace,
        TRAINING,
        ingress=[{"from": [ours]}, {"from": callers, "ports": _tcp(DASHBOARD)}],
        egress=[{"to": [ours]}, {"ports": names}, {"to": storage, "ports": _tcp(STORAGE)}],
    )


def _heads_network(profile: KubeRayProfile) -> dict[str, Any]:
    """A head's autoscaler also talks to the API server, which no label names."""
    return _policy("acts-training-heads", profile.namespace, HEADS, egress=[{"ports": _tcp(*API_SERVER)}])


def _policy(name: str, namespace: str, pods: dict[str, str], **rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(name, namespace),
        "spec": {"podSelector": {"matchLabels": pods}, "policyTypes": [each.capitalize() for each in rules], **rules},
    }


def _anywhere(labels: dict[str, str]) -> dict[str, Any]:
    return {"namespaceSelector": {}, "podSelector": {"matchLabels": labels}}


def _tcp(*ports: int) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def _metadata(name: str, namespace: str) -> dict[str, Any]:
    return {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/part-of": PART_OF}}
