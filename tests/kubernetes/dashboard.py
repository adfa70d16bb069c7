"""Ray's job submission API, spoken by whoever plays KubeRay and its submitter."""

import http.client
import json
import urllib.error
import urllib.request
from base64 import b64decode
from typing import Any

import yaml

from tests.kubernetes.ray_settings import DASHBOARD
from tests.kubernetes.world import Object, World

TERMINAL = ("SUCCEEDED", "FAILED", "STOPPED")
TOKEN = "auth_token"


class Unreachable(Exception):  # noqa: N818 what happened
    """No dashboard answers, or it does not know the job."""


def job(world: World, cluster: Object, submission: str) -> dict[str, Any]:
    """What Ray says of a job; raises Unreachable."""
    found: dict[str, Any] = _call(world, cluster, "GET", f"/api/jobs/{submission}")
    return found


def submit(world: World, cluster: Object, ray_job: Object) -> None:
    """Hand the entrypoint over, as ``ray job submit`` does; raises Unreachable."""
    spec, status = ray_job["spec"], ray_job["status"]
    body = {
        "entrypoint": spec["entrypoint"],
        "submission_id": status["jobId"],
        "runtime_env": yaml.safe_load(spec.get("runtimeEnvYAML") or "{}"),
        "metadata": spec.get("metadata") or {},
    }
    _call(world, cluster, "POST", "/api/jobs/", body)


def stop(world: World, cluster: Object, submission: str) -> None:
    """Ask Ray to stop a job; raises Unreachable."""
    _call(world, cluster, "POST", f"/api/jobs/{submission}/stop")


def _call(world: World, cluster: Object, method: str, path: str, body: Any = None) -> Any:
    namespace, name = cluster["metadata"]["namespace"], cluster["metadata"]["name"]
    found = world.find("endpoints", namespace, f"{name}-head-svc")
    addresses = [each["ip"] for part in (found or {}).get("subsets", []) for each in part["addresses"]]
    if not addresses:
        raise Unreachable(f"the service of {name} has no address")
    headers = {"Content-Type": "application/json", **_authorization(world, namespace, name)}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{addresses[0]}:{DASHBOARD}{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise Unreachable(f"{path}: {error.code} {error.read()[:500]!r}") from error
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"{path}: {error}") from error


def _authorization(world: World, namespace: str, name: str) -> dict[str, str]:
    secret = world.find("secrets", namespace, name)
    return {"Authorization": f"Bearer {b64decode(secret['data'][TOKEN]).decode()}"} if secret else {}
