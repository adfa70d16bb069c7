"""A namespace of a Kubernetes cluster, as launcher and reaper need it: list, look, delete. Objects are plain JSON."""

import base64
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from dagster_project.compute.usage import Object
from dagster_project.domain.compute import KubeRayProfile
from dagster_project.domain.errors import MachineryError, UsageError
from dagster_project.domain.lease import LEASE_LABEL

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

Kind = Literal["rayjobs", "rayclusters"]
GROUP, VERSION = "ray.io", "v1"
GONE, CONFLICT = 404, 409
FORBIDDEN = (401, 403)
_TIMEOUT = (5, 30)  # seconds to connect, and to answer


class NotAllowedError(MachineryError):
    """The account has no right to do that."""


class Cluster:
    """Only what carries a lease's label is listed; only what is named is deleted."""

    def __init__(self, profile: KubeRayProfile) -> None:
        from kubernetes.client import CoreV1Api, CustomObjectsApi

        self.namespace = profile.namespace
        self._client = _client(profile)
        self._custom, self._core = CustomObjectsApi(self._client), CoreV1Api(self._client)

    def close(self) -> None:
        """Let go of its connections."""
        self._client.rest_client.pool_manager.clear()
        self._client.close()

    def listed(self, kind: Kind, lease: str | None = None) -> list[Object]:
        """Objects of one lease, or (None) of all.

        Raises:
            MachineryError: the cluster does not answer, or refuses us; as every method here.
        """
        found = self._asked(
            f"list {kind}",
            lambda: self._custom.list_namespaced_custom_object(
                GROUP, VERSION, self.namespace, kind, label_selector=_selector(lease), _request_timeout=_TIMEOUT
            ),
        )
        items: list[Object] = found["items"]
        return items

    def pods(self, lease: str) -> list[Object]:
        """The lease's pods."""
        answer = self._asked(
            "list pods",
            lambda: self._core.list_namespaced_pod(
                self.namespace, label_selector=_selector(lease), _preload_content=False, _request_timeout=_TIMEOUT
            ),
        )
        items: list[Object] = json.loads(answer.data)["items"]
        return items

    def find(self, kind: Kind, name: str) -> Object | None:
        """One object; None: there is none."""
        found: Object | None = self._asked(
            f"read {kind}/{name}",
            lambda: self._custom.get_namespaced_custom_object(
                GROUP, VERSION, self.namespace, kind, name, _request_timeout=_TIMEOUT
            ),
            absent=(GONE,),
        )
        return found

    def token(self, cluster: str) -> str | None:
        """The token that Ray asks for, from the Secret that KubeRay made with the RayCluster; None: there is none."""
        secret = self._asked(
            f"read secrets/{cluster}",
            lambda: self._core.read_namespaced_secret(cluster, self.namespace, _request_timeout=_TIMEOUT),
            absent=(GONE,),
        )
        data = (secret.data or {}).get("auth_token") if secret else None
        return base64.b64decode(data).decode() if data else None

    def delete(self, kind: Kind, name: str, uid: str | None = None) -> bool:
        """Delete an object and what it owns; with ``uid`` only the very object that was looked at.

        False: it is gone already, or another one has its name.
        """
        from kubernetes.client import V1DeleteOptions, V1Preconditions

        options = V1DeleteOptions(
            propagation_policy="Background", preconditions=V1Preconditions(uid=uid) if uid else None
        )
        done = self._asked(
            f"delete {kind}/{name}",
            lambda: self._custom.delete_namespaced_custom_object(
                GROUP, VERSION, self.namespace, kind, name, body=options, _request_timeout=_TIMEOUT
            ),
            absent=(GONE, CONFLICT),
        )
        return done is not None

    def _asked(self, what: str, ask: Callable[[], Any], absent: tuple[int, ...] = ()) -> Any:
        from kubernetes.client import ApiException
        from urllib3.exceptions import HTTPError

        try:
            return ask()
        except ApiException as error:
            if error.status in absent:
                return None
            words = f"namespace {self.namespace}: can't {what}: {error.status} {error.reason}."
            if error.status in FORBIDDEN:
                raise NotAllowedError(f"{words} Look at acts compute access.") from error
            raise MachineryError(f"{words} Ask again.") from error
        except (HTTPError, OSError, ValueError) as error:
            raise MachineryError(f"namespace {self.namespace}: can't {what}: {_words(error)}. Ask again.") from error


def _selector(lease: str | None) -> str:
    return LEASE_LABEL if lease is None else f"{LEASE_LABEL}={lease}"


def _client(profile: KubeRayProfile) -> "ApiClient":
    """A client from the kubeconfig, or from the pod that we run in."""
    from kubernetes import config
    from kubernetes.client import ApiClient, Configuration

    try:
        return config.new_client_from_config(context=profile.context)
    except config.ConfigException as error:
        if profile.context is not None:
            raise _unreachable(profile, error) from error
    inside = Configuration()
    try:
        config.load_incluster_config(client_configuration=inside)
    except config.ConfigException as error:
        raise _unreachable(profile, error) from error
    return ApiClient(inside)


def _unreachable(profile: KubeRayProfile, error: Exception) -> UsageError:
    where = f"the context {profile.context}" if profile.context else "a cluster"
    return UsageError(f"nothing says how to reach {where}: {_words(error)}. Set KUBECONFIG (docs/compute.md).")


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:300].rstrip(".")
