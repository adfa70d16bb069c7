"""The RayJob of a lease: KubeRay's own schema, and what that can't see."""

import re
from datetime import timedelta
from importlib.metadata import version
from typing import Any

import pytest
import yaml

from dagster_project.compute.manifest import job_name, rayjob
from dagster_project.domain.compute import KubeRayProfile
from dagster_project.domain.lease import DEADLINE_LABEL, LEASE_LABEL, MODEL_LABEL, Lease
from dagster_project.domain.manifests import label_value, render
from tests.compute.leases import BEGUN, CPU, IMAGE, SECRETS, lease, profile
from tests.strict import problems

LEASES = {
    "gpu": (lease(), profile()),
    "spot": (lease(capacity="spot", workers=8), profile()),
    "cpu": (lease(gpus_per_trial=0), CPU),
    "secrets": (lease(idle_timeout=timedelta(seconds=0.5)), SECRETS),
    "long": (lease("m" * 63 + "_", "z" * 40), profile(start_within=timedelta(seconds=90))),
}
TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"


@pytest.fixture(params=LEASES, name="asked")
def _asked(request: pytest.FixtureRequest) -> tuple[Lease, KubeRayProfile]:
    return LEASES[request.param]


def cluster(manifest: dict[str, Any]) -> dict[str, Any]:
    """The cluster's part."""
    return manifest["spec"]["rayClusterSpec"]


def pods(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The templates of head, workers and submitter."""
    (workers,) = cluster(manifest)["workerGroupSpecs"]
    head = cluster(manifest)["headGroupSpec"]["template"]
    return {"head": head, "workers": workers["template"], "submitter": manifest["spec"]["submitterPodTemplate"]}


def container(pod: dict[str, Any]) -> dict[str, Any]:
    """A pod's one container."""
    (only,) = pod["spec"]["containers"]
    return only


def test_kuberays_schema_takes_the_manifest(asked):
    assert problems("RayJob", rayjob(*asked)) == []


def test_kuberays_schema_would_have_seen_a_mistake():
    manifest = rayjob(lease(), profile())
    manifest["spec"]["shutdownAfterJobFinish"] = manifest["spec"].pop("shutdownAfterJobFinishes")
    del cluster(manifest)["workerGroupSpecs"][0]["maxReplicas"]
    cluster(manifest)["autoscalerOptions"]["idleTerminationOptions"] = {}
    container(pods(manifest)["head"])["enviroment"] = []
    pods(manifest)["submitter"]["spec"]["restartpolicy"] = "Never"
    manifest["spec"]["activeDeadlineSeconds"] = "1800"
    assert len(problems("RayJob", manifest)) == 6


def test_names_and_labels_are_such_as_kubernetes_takes(asked):
    manifest = rayjob(*asked)
    name = manifest["metadata"]["name"]
    assert name == job_name(asked[0].id)
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name) and len(name) <= 47, "KubeRay adds to it"
    for pod in (manifest, *pods(manifest).values()):
        labels = pod["metadata"]["labels"]
        assert labels[LEASE_LABEL] == asked[0].id
        assert labels[DEADLINE_LABEL] == str(int(asked[0].ends))
        assert labels[MODEL_LABEL] == label_value(asked[0].model)
        assert all(re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", value) for value in labels.values())
    assert manifest["metadata"]["annotations"][MODEL_LABEL] == asked[0].model


@pytest.mark.parametrize("text", ["", "late_arrival", "a", "m" * 63])
def test_a_label_is_the_text_where_it_may_be(text):
    assert label_value(text) == text


@pytest.mark.parametrize("text", ["m" * 64, "ends_", "_", "sha256:abc", "é"])
def test_other_texts_become_labels_that_differ(text):
    value = label_value(text)
    assert re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", value)
    assert value != label_value(f"{text}x") and value == label_value(text)


def test_the_program_runs_the_leases_code_on_the_leases_request():
    spec = rayjob(lease(), profile())["spec"]
    assert spec["entrypoint"].split() == [
        "python", "-X", "faulthandler", "-m", "dagster_project.factories.trainer", "s3://bucket/leases/a1b2c3/request.json",
    ]  # fmt: skip
    assert yaml.safe_load(spec["runtimeEnvYAML"]) == {"working_dir": "s3://bucket/leases/a1b2c3/code.zip"}


def test_the_operator_ends_it_by_itself(asked):
    spec = rayjob(*asked)["spec"]
    assert spec["submissionMode"] == "K8sJobMode"
    assert spec["shutdownAfterJobFinishes"] is True
    assert 0 < spec["ttlSecondsAfterFinished"] <= 120
    assert spec["activeDeadlineSeconds"] == asked[0].ends - BEGUN
    assert spec["preRunningDeadlineSeconds"] == asked[1].start_within.total_seconds()
    assert spec["backoffLimit"] == 0


def test_a_lease_that_has_nearly_ended_asks_for_what_kuberay_takes():
    ending = lease().model_copy(update={"ends": BEGUN - 5})
    assert rayjob(ending, profile())["spec"]["activeDeadlineSeconds"] == 1


def test_workers_come_from_none_and_go_to_none(asked):
    manifest = rayjob(*asked)
    (workers,) = cluster(manifest)["workerGroupSpecs"]
    options = cluster(manifest)["autoscalerOptions"]
    assert (workers["replicas"], workers["minReplicas"], workers["maxReplicas"]) == (0, 0, asked[0].compute.workers)
    assert cluster(manifest)["enableInTreeAutoscaling"] is True
    assert options["version"] == "v2"
    assert options["idleTimeoutSeconds"] == max(1, asked[0].compute.idle_timeout.total_seconds())
    assert options["resources"]["limits"] != {"cpu": "50m", "memory": "100Mi"}, "the operator's own starves it"


def test_the_head_takes_no_trial_and_no_gpu():
    manifest = rayjob(lease(), profile(head={"cpus": 2, "memory": "8Gi", "gpus": 4, "price": 1.0}))
    parameters = cluster(manifest)["headGroupSpec"]["rayStartParams"]
    assert (parameters["num-cpus"], parameters["num-gpus"]) == ("0", "0")
    assert "nvidia.com/gpu" not in container(pods(manifest)["head"])["resources"]["limits"]
    assert container(pods(manifest)["workers"])["resources"]["limits"]["nvidia.com/gpu"] == 1


def test_machines_without_gpus_ask_for_none():
    resources = container(pods(rayjob(lease(), CPU))["workers"])["resources"]
    assert resources["requests"] == resources["limits"] == {"cpu": "8", "memory": "32Gi"}


@pytest.mark.parametrize(("capacity", "selector", "taints"), [
    ("on_demand", {"gpu": "l4", "capacity": "on-demand"}, ["nvidia.com/gpu"]),
    ("spot", {"gpu": "l4", "capacity": "spot"}, ["nvidia.com/gpu", "spot"]),
])  # fmt: skip
def test_workers_go_where_their_machines_are_and_the_head_to_no_spot_machine(capacity, selector, taints):
    made = pods(rayjob(lease(capacity=capacity), profile()))
    assert made["workers"]["spec"]["nodeSelector"] == selector
    assert [each["key"] for each in made["workers"]["spec"]["tolerations"]] == taints
    assert made["head"]["spec"]["nodeSelector"] == {} and made["head"]["spec"]["tolerations"] == []


def test_a_toleration_has_a_value_only_where_it_compares():
    (first, second) = pods(rayjob(lease(capacity="spot"), profile()))["workers"]["spec"]["tolerations"]
    assert first == {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    assert second == {"key": "spot", "operator": "Equal", "value": "true", "effect": "NoSchedule"}


def test_no_pod_has_privileges(asked):
    for pod in pods(rayjob(*asked)).values():
        secure, inside = pod["spec"]["securityContext"], container(pod)["securityContext"]
        assert secure["runAsNonRoot"] and secure["runAsUser"] == secure["fsGroup"] == asked[1].user
        assert secure["seccompProfile"] == {"type": "RuntimeDefault"}
        assert inside["allowPrivilegeEscalation"] is False and inside["capabilities"] == {"drop": ["ALL"]}
        assert inside["readOnlyRootFilesystem"] is True
        assert container(pod)["image"] == IMAGE
        assert pod["spec"]["restartPolicy"] == "Never"
        mounted = {mount["name"] for mount in container(pod)["volumeMounts"]}
        assert mounted <= {volume["name"] for volume in pod["spec"]["volumes"]}


def test_the_autoscaler_alone_holds_the_accounts_token(asked):
    manifest = rayjob(*asked)
    made = pods(manifest)
    assert all(pod["spec"]["automountServiceAccountToken"] is False for pod in made.values())
    assert TOKEN not in str(container(made["head"])) + str(made["workers"]) + str(made["submitter"])
    (mount,) = [each for each in cluster(manifest)["autoscalerOptions"]["volumeMounts"] if each["mountPath"] == TOKEN]
    (volume,) = [each for each in made["head"]["spec"]["volumes"] if each["name"] == mount["name"]]
    assert mount["readOnly"] and any("serviceAccountToken" in source for source in volume["projected"]["sources"])
    assert cluster(manifest)["authOptions"] == {"mode": "token"}


def test_secrets_go_to_the_machines_and_not_to_the_submitter():
    made = pods(rayjob(lease(), SECRETS))
    for name in ("head", "workers"):
        assert [each["secretRef"]["name"] for each in container(made[name])["envFrom"]] == list(SECRETS.secrets)
        assert made[name]["spec"]["serviceAccountName"] == SECRETS.service_account
    assert "secretRef" not in str(made["submitter"]) and "serviceAccountName" not in made["submitter"]["spec"]


def test_shared_memory_is_part_of_the_machines_and_stays_within_it(asked):
    for name, machine in (("head", asked[1].head), ("workers", asked[1].worker)):
        pod = pods(rayjob(*asked))[name]
        (volume,) = [each["emptyDir"] for each in pod["spec"]["volumes"] if each["name"] == "shared"]
        assert volume["medium"] == "Memory"
        share = int(volume["sizeLimit"].removesuffix("Mi")) / (int(machine.memory.removesuffix("Gi")) * 1024)
        assert 0.3 < share < 0.5, "Ray takes 0.3 of the memory for objects"


def test_equal_leases_give_equal_yaml_that_reads_back(asked):
    text = render(rayjob(*asked))
    assert yaml.safe_load(text) == rayjob(*asked)
    assert text == render(rayjob(*asked)) and not re.search(r"[&*]id\d", text)


def test_the_versions_are_those_that_are_installed():
    assert cluster(rayjob(lease(), CPU))["rayVersion"] == version("ray")


def test_what_the_operator_adds_by_itself_is_left_to_it(asked):
    """KubeRay 1.7's own validation and what it injects: neither is in the schema."""
    manifest = rayjob(*asked)
    made = pods(manifest)
    for pod in made.values():
        names = {each["name"] for each in container(pod)["env"]}
        assert not {name for name in names if name.startswith(("RAY_AUTH", "RAY_enable_autoscaler", "RAY_ADDRESS"))}
        assert not {"shared-mem", "ray-logs", "ray-token"} & {volume["name"] for volume in pod["spec"]["volumes"]}
        assert "command" not in container(pod) and "args" not in container(pod)
    mounts = {mount["mountPath"] for name in ("head", "workers") for mount in container(made[name])["volumeMounts"]}
    assert "/dev/shm" in mounts, "else the operator mounts one of its own, as large as the machine's memory"
    assert "/tmp/ray" not in mounts, "the operator mounts one there, which head and autoscaler share"
    assert "suspend" not in manifest["spec"] and "labels" not in cluster(manifest)["headGroupSpec"]["rayStartParams"]


def test_the_heads_service_has_the_ports_that_are_forwarded():
    """dagster-ray forwards both, by the numbers of the head's service, which the operator makes of these."""
    ports = {each["containerPort"] for each in container(pods(rayjob(lease(), CPU))["head"])["ports"]}
    assert {8265, 10001} <= ports
