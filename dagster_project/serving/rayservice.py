"""Settings -> the manifest of a RayService: the server under Ray Serve on Kubernetes, for KubeRay 1.7. Pure.

Only the fleet is in it. Which champions are served stands in the store, so a deployment changes no manifest.
"""

from typing import Annotated, Any, Self

import yaml
from pydantic import Field, model_validator

from dagster_project.domain.base import StrictModel
from dagster_project.domain.manifests import (
    PART_OF,
    RAY_VERSION,
    pod_security,
    resources,
    unprivileged,
    variables,
)
from dagster_project.domain.manifests import render as rendered
from dagster_project.serving.scaling import DRAINING, Scaling

PORT = 8000
APP = "dagster_project.serving.ray_app:build"
FLAGS = {
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""Of every process of the cluster. With the first two Ray Serve answers about ten times as many requests."""
LOG, TOKENS = "/var/lib/acts/log", "/etc/acts"
TOKENS_KEY = "tokens.yaml"
OWNER_ALONE_READS = 0o440  # with fsGroup the kubelet adds the group; acts refuses a file that everyone may open

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=40)]
Quantity = Annotated[str, Field(pattern=r"^[1-9][0-9]*(Ki|Mi|Gi|Ti)$")]
Uri = Annotated[str, Field(pattern=r"^[a-z][a-z0-9+]*://[^/]+", description="object storage, which every pod reaches")]


class RayServiceSettings(StrictModel):
    """What a cluster has and how much of it the fleet gets."""

    image: str = Field(
        pattern=r"^[^\s@]+@sha256:[0-9a-f]{64}$", description="with this package and Ray in it, by digest, never by tag"
    )
    store: Uri
    serving: Uri
    service_account: Name = Field(description="of the replicas; may read the store, and write below the serving URI")
    tokens_secret: Name = Field(description="Secret whose key tokens.yaml is a token file")
    log_claim: Name = Field(description="PersistentVolumeClaim (ReadWriteMany) for the prediction log")
    name: Name = "champions"
    namespace: Name = "default"
    scaling: Scaling = Scaling()
    node_cpus: int = Field(default=2, ge=1, description="of one worker pod")
    node_memory: Quantity = "4Gi"
    head_cpus: int = Field(default=2, ge=1)
    head_memory: Quantity = "4Gi"
    idle_seconds: int = Field(default=60, ge=1, description="until a worker pod without replicas goes")
    user: int = Field(default=1000, ge=1, description="id of the image's user; never root")
    ray_version: str = RAY_VERSION

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self.scaling.nodes(self.node_cpus)
        return self


def rayservice(settings: RayServiceSettings) -> dict[str, Any]:
    """The manifest."""
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayService",
        "metadata": {"name": settings.name, "namespace": settings.namespace, "labels": _labels(settings)},
        "spec": {
            "serveConfigV2": yaml.safe_dump(serve_config(settings), sort_keys=False),
            # A new cluster is made beside the old one, which answers until the new one is ready.
            "upgradeStrategy": {"type": "NewCluster"},
            # Without workers the head's proxy alone is there to take the request that wakes a replica.
            "excludeHeadPodFromServeSvc": settings.scaling.min_replicas > 0,
            "rayClusterConfig": {
                "rayVersion": settings.ray_version,
                "authOptions": {"mode": "token"},  # the operator makes the token's Secret and gives it to every pod
                "enableInTreeAutoscaling": True,
                "autoscalerOptions": _autoscaler(settings),
                "headGroupSpec": _head(settings),
                "workerGroupSpecs": [_workers(settings)],
            },
        },
    }


def serve_config(settings: RayServiceSettings) -> dict[str, Any]:
    """Ray Serve's own configuration."""
    application = {
        "name": settings.name,
        "route_prefix": "/",
        "import_path": APP,
        "args": settings.scaling.model_dump(mode="json"),
    }
    return {
        "proxy_location": "EveryNode",
        "http_options": {"host": "0.0.0.0", "port": PORT},
        "applications": [application],
    }


def render(settings: RayServiceSettings) -> str:
    """The manifest as YAML; the configuration inside of it as lines that a person can read."""
    return rendered(rayservice(settings))


def _head(settings: RayServiceSettings) -> dict[str, Any]:
    """Controller and proxy alone: no replica, so neither the store's credentials nor the tokens."""
    container = _container("ray-head", settings, settings.head_cpus, settings.head_memory)
    container["ports"] += [
        {"name": "gcs", "containerPort": 6379},
        {"name": "dashboard", "containerPort": 8265},
    ]
    return {
        # The operator hands the Serve configuration to the dashboard from its own pod, so it can't be on loopback;
        # authOptions lets nobody in without the token.
        "rayStartParams": {"dashboard-host": "0.0.0.0", "num-cpus": "0"},
        "template": _template(settings, {"containers": [container]}),
    }


def _workers(settings: RayServiceSettings) -> dict[str, Any]:
    least, most = settings.scaling.nodes(settings.node_cpus)
    container = _container("ray-worker", settings, settings.node_cpus, settings.node_memory)
    container["env"] += variables(
        {
            "ACTS_STORE": settings.store,
            "ACTS_SERVING": settings.serving,
            "ACTS_SERVING_LOG": LOG,
            "ACTS_TOKENS_FILE": f"{TOKENS}/{TOKENS_KEY}",
            "ACTS_PORT": str(PORT),
        }
    )
    container["volumeMounts"] = [
        {"name": "log", "mountPath": LOG},
        {"name": "tokens", "mountPath": TOKENS, "readOnly": True},
    ]
    secret = {"secretName": settings.tokens_secret, "defaultMode": OWNER_ALONE_READS}
    pod = {
        "serviceAccountName": settings.service_account,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": int(DRAINING) + 20,
        "containers": [container],
        "volumes": [
            {"name": "log", "persistentVolumeClaim": {"claimName": settings.log_claim}},
            {"name": "tokens", "secret": {**secret, "items": [{"key": TOKENS_KEY, "path": TOKENS_KEY}]}},
        ],
    }
    return {
        "groupName": "servers",
        "replicas": least,
        "minReplicas": least,
        "maxReplicas": most,
        "rayStartParams": {},
        "template": _template(settings, pod),
    }


def _autoscaler(settings: RayServiceSettings) -> dict[str, Any]:
    return {
        "version": "v2",
        "idleTimeoutSeconds": settings.idle_seconds,
        "resources": resources("500m", "512Mi"),
        "securityContext": unprivileged(),
    }


def _template(settings: RayServiceSettings, pod: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"labels": _labels(settings)}, "spec": {"securityContext": pod_security(settings.user), **pod}}


def _container(name: str, settings: RayServiceSettings, cpus: int, memory: str) -> dict[str, Any]:
    """KubeRay adds its own probes: a worker is ready while its raylet lives and its proxy has a replica to answer."""
    return {
        "name": name,
        "image": settings.image,
        "env": variables(FLAGS),
        "ports": [{"name": "serve", "containerPort": PORT}],
        "resources": resources(str(cpus), memory),
        "securityContext": unprivileged(),
    }


def _labels(settings: RayServiceSettings) -> dict[str, str]:
    return {"app.kubernetes.io/name": settings.name, "app.kubernetes.io/part-of": PART_OF}
