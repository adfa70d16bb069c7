"""The API double, asked by the official client."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import ApiClient, CoreV1Api, CustomObjectsApi, V1DeleteOptions, V1Preconditions
from kubernetes.client.exceptions import ApiException
from kubernetes.config import new_client_from_config

from dagster_project.compute.access import LAUNCHER, REAPER, RIGHTS
from tests import strict
from tests.kubernetes.double import Double, kubernetes_double
from tests.kubernetes.specs import ray_job
from tests.kubernetes.world import owned_by

PLACE = {"group": "ray.io", "version": "v1", "namespace": "training"}
JOBS = {**PLACE, "plural": "rayjobs"}
OPERATIONS = (
    {"op": "test", "path": "/spec/suspend", "value": True},
    {"op": "replace", "path": "/spec/suspend", "value": False},
    {"op": "add", "path": "/metadata/labels/b~1c", "value": "2"},
)


@pytest.fixture
def double() -> Iterator[Double]:
    with kubernetes_double() as served:
        yield served


@pytest.fixture
def client(double: Double, tmp_path: Path) -> Iterator[ApiClient]:
    with new_client_from_config(str(double.kubeconfig(tmp_path / "kubeconfig"))) as made:
        yield made


@pytest.fixture
def api(client: ApiClient) -> CustomObjectsApi:
    return CustomObjectsApi(client)


def refused(code: int, call: Any, *arguments: Any, **named: Any) -> str:
    """The words of a refusal with this code."""
    with pytest.raises(ApiException) as refusal:
        call(*arguments, **named)
    assert refusal.value.status == code, refusal.value.body
    return str(refusal.value.body)


def json_patch(double: Double, path: str, operations: Any) -> None:
    """Neither the official client nor dagster-ray 0.4.8 with it sends one to custom resources."""
    headers = {"Authorization": f"Bearer {double.admin}", "Content-Type": "application/json-patch+json"}
    url = f"{double.url}/apis/ray.io/v1/namespaces/training/{path}"
    request = urllib.request.Request(url, json.dumps(operations).encode(), headers, method="PATCH")
    urllib.request.urlopen(request).close()


def test_what_was_made_can_be_read_listed_changed_and_taken_away(api: CustomObjectsApi, double: Double) -> None:
    made = api.create_namespaced_custom_object(**JOBS, body=ray_job("one", "true", labels={"a": "1"}))
    api.create_namespaced_custom_object(**JOBS, body=ray_job("two", "true", labels={"a": "2"}))
    assert made["metadata"]["uid"] and made["metadata"]["creationTimestamp"].endswith("Z")
    assert api.get_namespaced_custom_object(**JOBS, name="one") == made
    for selector, names in {"a=1": ["one"], "a in (1,2)": ["one", "two"], "a!=1": ["two"], "!a": []}.items():
        found = api.list_namespaced_custom_object(**JOBS, label_selector=selector)["items"]
        assert [each["metadata"]["name"] for each in found] == names
    changed = api.patch_namespaced_custom_object(**JOBS, name="one", body={"spec": {"suspend": True}})
    assert changed["metadata"]["generation"] == 2 and changed["spec"]["suspend"] is True
    json_patch(double, "rayjobs/one", OPERATIONS)
    changed = api.get_namespaced_custom_object(**JOBS, name="one")
    assert changed["spec"]["suspend"] is False and changed["metadata"]["uid"] == made["metadata"]["uid"]
    assert changed["metadata"]["labels"] == {"a": "1", "b/c": "2"}
    assert api.delete_namespaced_custom_object(**JOBS, name="one")["status"] == "Success"
    refused(404, api.get_namespaced_custom_object, **JOBS, name="one")
    refused(404, api.delete_namespaced_custom_object, **JOBS, name="one")


def test_a_status_is_changed_by_itself_and_held_against_the_schema(api: CustomObjectsApi) -> None:
    strict.needed()
    api.create_namespaced_custom_object(**JOBS, body=ray_job("one", "true"))
    body = {"spec": {"entrypoint": "false"}, "status": {"jobDeploymentStatus": "Running"}}
    api.patch_namespaced_custom_object_status(**JOBS, name="one", body=body)
    found = api.get_namespaced_custom_object(**JOBS, name="one")
    assert found["status"] == {"jobDeploymentStatus": "Running"} and found["spec"]["entrypoint"] == "true"
    api.patch_namespaced_custom_object(**JOBS, name="one", body={"status": {"jobDeploymentStatus": "Failed"}})
    assert api.get_namespaced_custom_object(**JOBS, name="one")["status"] == {"jobDeploymentStatus": "Running"}
    wrong = {"status": {"jobDeploymentState": "Running"}}
    refused(400, api.patch_namespaced_custom_object_status, **JOBS, name="one", body=wrong)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"spec": {"entrypoimt": "true"}}, 400),
        ({"spec": {"rayClusterSpec": {"autoscalerOptions": {"idleTerminationOptions": {}}}}}, 400),
        ({"spec": {"activeDeadlineSeconds": "60"}}, 422),
        ({"spec": {"rayClusterSpec": None}, "metadata": {"labels": {"a": "no spaces here"}}}, 422),
        ({"metadata": {"name": "No_Name"}}, 422),
        ({"metadata": {"annotations": {"a": 1}}}, 422),
    ],
)
def test_a_manifest_with_a_mistake_is_refused(api: CustomObjectsApi, wrong: dict[str, Any], code: int) -> None:
    if "spec" in wrong:
        strict.needed()
    from tests.kubernetes.patches import merged

    refused(code, api.create_namespaced_custom_object, **JOBS, body=merged(ray_job("one", "true"), wrong))
    assert api.list_namespaced_custom_object(**JOBS)["items"] == []


def test_names_are_taken_once_and_old_versions_change_nothing(api: CustomObjectsApi) -> None:
    made = api.create_namespaced_custom_object(**JOBS, body=ray_job("one", "true"))
    assert "AlreadyExists" in refused(409, api.create_namespaced_custom_object, **JOBS, body=ray_job("one", "true"))
    api.patch_namespaced_custom_object(**JOBS, name="one", body={"spec": {"suspend": True}})
    assert "modified" in refused(409, api.replace_namespaced_custom_object, **JOBS, name="one", body=made)


def test_a_precondition_spares_a_new_object_of_the_same_name(api: CustomObjectsApi) -> None:
    old = api.create_namespaced_custom_object(**JOBS, body=ray_job("one", "true"))
    api.delete_namespaced_custom_object(**JOBS, name="one")
    new = api.create_namespaced_custom_object(**JOBS, body=ray_job("one", "true"))
    options = V1DeleteOptions(preconditions=V1Preconditions(uid=old["metadata"]["uid"]))
    refused(409, api.delete_namespaced_custom_object, **JOBS, name="one", body=options)
    options.preconditions.uid = new["metadata"]["uid"]
    api.delete_namespaced_custom_object(**JOBS, name="one", body=options)
    assert api.list_namespaced_custom_object(**JOBS)["items"] == []


def cluster_of(double: Double, owner: dict[str, Any]) -> dict[str, Any]:
    """A RayCluster that a RayJob owns."""
    metadata = {"name": "one-abcde", "ownerReferences": owned_by(owner)}
    body = {"metadata": metadata, "spec": owner["spec"]["rayClusterSpec"]}
    return double.world.create("rayclusters", "training", body)


@pytest.mark.parametrize(("policy", "rounds"), [("Background", [1, 0]), ("Foreground", [2, 0]), ("Orphan", [1, 1])])
def test_dependents_go_after_before_or_not(
    api: CustomObjectsApi, double: Double, policy: str, rounds: list[int]
) -> None:
    cluster_of(double, api.create_namespaced_custom_object(**JOBS, body=ray_job("one", "true")))
    api.delete_namespaced_custom_object(**JOBS, name="one", propagation_policy=policy)
    left = [len(double.world.objects)]
    for _ in range(3):
        double.world.collect()
    assert [*left, len(double.world.objects)] == rounds


def test_a_finalizer_holds_an_object_and_what_it_owns(api: CustomObjectsApi, double: Double) -> None:
    body = ray_job("one", "true")
    body["metadata"]["finalizers"] = ["ray.io/rayjob-finalizer"]
    cluster_of(double, api.create_namespaced_custom_object(**JOBS, body=body))
    answer = api.delete_namespaced_custom_object(**JOBS, name="one")
    assert answer["metadata"]["deletionTimestamp"]
    double.world.collect()
    assert len(double.world.objects) == 2
    api.patch_namespaced_custom_object(**JOBS, name="one", body={"metadata": {"finalizers": None}})
    double.world.collect()
    assert double.world.objects == {}


def test_pods_are_read_by_the_typed_client(client: ApiClient, double: Double) -> None:
    metadata = {"name": "head", "labels": {"threeacts/lease": "x"}}
    status = {"phase": "Running", "podIP": "10.213.1.2"}
    spec = {"containers": [{"name": "ray", "image": "registry.example.com/a"}]}
    double.world.create("pods", "training", {"metadata": metadata, "spec": spec, "status": status})
    core = CoreV1Api(client)
    (pod,) = core.list_namespaced_pod("training", label_selector="threeacts/lease=x").items
    assert (pod.metadata.name, pod.status.phase) == ("head", "Running") and pod.metadata.creation_timestamp.tzinfo
    core.delete_namespaced_pod("head", "training")
    assert core.read_namespaced_pod("head", "training").metadata.deletion_timestamp, "its processes have not ended yet"
    double.world.gone(("pods", "training", "head"))
    refused(404, core.read_namespaced_pod, "head", "training")


def test_a_stranger_is_refused_and_an_account_may_do_what_its_rules_say(double: Double, tmp_path: Path) -> None:
    for name in (LAUNCHER, REAPER):
        rules = [{"apiGroups": [group], "resources": what, "verbs": verbs} for group, what, verbs in RIGHTS[name]]
        file = double.kubeconfig(tmp_path / name, name, rules, "training")
        with new_client_from_config(str(file)) as client:
            api = CustomObjectsApi(client)
            assert api.list_namespaced_custom_object(**JOBS)["items"] == []
            refused(403, api.list_namespaced_custom_object, **{**JOBS, "namespace": "elsewhere"})
            refused(403, CoreV1Api(client).delete_namespaced_pod, "head", "training")
    double.accounts.known.clear()
    with new_client_from_config(str(file)) as client:
        refused(401, CustomObjectsApi(client).list_namespaced_custom_object, **JOBS)


def test_faults_that_were_ordered_come(api: CustomObjectsApi, double: Double) -> None:
    double.faults.next("GET", "rayjobs", status=503)
    refused(503, api.list_namespaced_custom_object, **JOBS)
    assert api.list_namespaced_custom_object(**JOBS)["items"] == []


def test_what_is_not_played_is_said(api: CustomObjectsApi, double: Double) -> None:
    refused(404, api.list_namespaced_custom_object, **{**JOBS, "plural": "rayservices"})
    assert double.violations == ["GET /apis/ray.io/v1/namespaces/training/rayservices: not played by the double"]
    double.violations.clear()
