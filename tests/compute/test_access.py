"""Who may do what where leases run; and that nobody who trains can read the holdout."""

import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.compute.access import LAUNCHER, OPERATOR, REAPER, access
from dagster_project.compute.manifest import rayjob
from dagster_project.compute.storage_policy import storage_policy
from dagster_project.data.datasets import materialise
from dagster_project.data.splits import read_part, write_split
from dagster_project.domain.errors import UsageError
from dagster_project.domain.lease import LeaseFolder
from tests.compute.leases import lease, profile
from tests.pipeline.small import opened, write_repository

WAREHOUSE = "s3://bucket/warehouse"


def of_kind(kind: str, **changes: Any) -> list[dict[str, Any]]:
    """The manifests of that kind."""
    return [each for each in access(profile(**changes)) if each["kind"] == kind]


def allowed(policy: dict[str, Any], action: str, uri: str) -> bool:
    """Whether the policy allows it, as IAM would: one statement that names the action and the object."""
    return any(
        action in statement["Action"] and any(fnmatchcase(f"arn:aws:s3:::{uri}", arn) for arn in statement["Resource"])
        for statement in policy["Statement"]
    )


def test_what_kubernetes_applies_is_whole_and_in_one_namespace():
    for manifest in access(profile()):
        assert manifest["apiVersion"] and manifest["kind"]
        if manifest["kind"] != "Namespace":
            assert manifest["metadata"]["namespace"] == "training"
    assert of_kind("Namespace")[0]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {each["metadata"]["name"] for each in of_kind("ServiceAccount")} == {"acts-training", LAUNCHER, REAPER}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_kubernetes_own_client_knows_every_field():
    from kubernetes import client

    api = client.ApiClient()
    kinds = {
        "NetworkPolicy": "V1NetworkPolicy", "Role": "V1Role", "RoleBinding": "V1RoleBinding",
        "ServiceAccount": "V1ServiceAccount", "Namespace": "V1Namespace",
    }  # fmt: skip
    for manifest in access(profile()):
        response = type("Response", (), {"data": json.dumps(manifest)})
        taken = api.deserialize(response, kinds[manifest["kind"]])
        assert api.sanitize_for_serialization(taken) == manifest, "what the client does not know is gone"


def test_a_lease_may_nothing_in_kubernetes_and_no_token_is_mounted_by_itself():
    assert "acts-training" not in str([*of_kind("Role"), *of_kind("RoleBinding")])
    assert all(each["automountServiceAccountToken"] is False for each in of_kind("ServiceAccount"))


def test_roles_name_what_they_may_and_never_everything():
    for role in of_kind("Role"):
        for rule in role["rules"]:
            assert "*" not in (*rule["apiGroups"], *rule["resources"], *rule["verbs"])
    rights = {role["metadata"]["name"]: role["rules"] for role in of_kind("Role")}
    assert not any({"create", "patch", "update"} & set(rule["verbs"]) for rule in rights[REAPER])
    assert not any("secrets" in rule["resources"] for rule in rights[REAPER])
    for binding in of_kind("RoleBinding"):
        assert {subject["name"] for subject in binding["subjects"]} == {binding["roleRef"]["name"]}


def test_every_pod_of_a_lease_is_under_the_network_policies():
    spec = rayjob(lease(), profile())["spec"]
    cluster = spec["rayClusterSpec"]
    pods = [cluster["headGroupSpec"]["template"], cluster["workerGroupSpecs"][0]["template"]]
    everyone, heads = of_kind("NetworkPolicy")
    wanted = everyone["spec"]["podSelector"]["matchLabels"]
    for pod in (*pods, spec["submitterPodTemplate"]):
        assert wanted.items() <= pod["metadata"]["labels"].items()
    assert set(everyone["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    assert heads["spec"]["policyTypes"] == ["Egress"]


def test_nobody_talks_to_a_lease_but_its_own_and_who_runs_it():
    ingress = of_kind("NetworkPolicy")[0]["spec"]["ingress"]
    ours, others = ingress
    assert ours["from"] == [{"podSelector": of_kind("NetworkPolicy")[0]["spec"]["podSelector"]}]
    assert [each["port"] for each in others["ports"]] == [8265]
    assert OPERATOR in [each["podSelector"]["matchLabels"] for each in others["from"]]
    assert all(each["podSelector"]["matchLabels"] for each in others["from"]), "an empty selector is everybody"


def test_a_lease_talks_to_storage_where_the_profile_says():
    networks = ["10.1.0.0/16", "52.0.0.0/8"]
    rules = of_kind("NetworkPolicy", egress=networks)[0]["spec"]["egress"]
    blocks = [peer["ipBlock"]["cidr"] for rule in rules for peer in rule.get("to", ()) if "ipBlock" in peer]
    assert blocks == networks
    assert all(rule.get("ports") for rule in rules[1:]), "a rule without ports is every port"


def test_a_lease_reads_its_request_and_code_and_writes_below_its_output():
    policy, folder = storage_policy(profile(), WAREHOUSE), LeaseFolder.of("bucket/leases", "a1b2c3")
    for path in (folder.request, folder.code, folder.result):
        assert allowed(policy, "s3:GetObject", path)
    for path in (folder.result, f"{folder.store}/blobs/ab/cd", f"{folder.checkpoints}/trial/epoch-3"):
        assert allowed(policy, "s3:PutObject", path)
    for path in (folder.request, folder.code, "bucket/leases/x", "bucket/warehouse/splits/k/a.parquet", "bucket/x"):
        assert not allowed(policy, "s3:PutObject", path) and not allowed(policy, "s3:DeleteObject", path)


def test_listing_stops_where_reading_does():
    listing = [each for each in storage_policy(profile(), WAREHOUSE)["Statement"] if "s3:ListBucket" in each["Action"]]
    prefixes = [prefix for each in listing for prefix in each["Condition"]["StringLike"]["s3:prefix"]]
    assert prefixes == ["warehouse/splits/*", "leases/*"]


@pytest.mark.parametrize("wrong", [{"warehouse": "/data/warehouse"}, {"leases": "gs://bucket/leases"}])
def test_a_place_that_is_not_on_s3_is_refused(wrong):
    leases = {"leases": wrong["leases"]} if "leases" in wrong else {}
    with pytest.raises(UsageError, match=r"Give the account the same rights"):
        storage_policy(profile(**leases), wrong.get("warehouse", WAREHOUSE))


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, set[str]]:
    """A warehouse as a build leaves it, and the ids of the holdout's rows."""
    for name in ("ACTS_HOME", "ACTS_WAREHOUSE", "ACTS_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    repository, workspace = opened(write_repository(tmp_path / "repo"))
    rides = materialise(repository.contracts["rides"], {}, workspace).snapshot
    contract = repository.contracts["trips"]
    trips = materialise(contract, {"rides": rides}, workspace).snapshot
    write_split(repository.specs["tardy"], contract, trips, workspace)
    return Path(workspace.warehouse), set(read_part(repository.specs["tardy"], contract, trips, "holdout")["ride"])


def test_what_a_lease_may_read_of_a_warehouse_holds_no_row_of_the_holdout(warehouse):
    folder, holdout = warehouse
    policy = storage_policy(profile(), WAREHOUSE)
    files = [path for path in folder.rglob("*") if path.is_file()]
    readable = [
        path
        for path in files
        if allowed(policy, "s3:GetObject", f"bucket/warehouse/{path.relative_to(folder).as_posix()}")
    ]
    tables = [path for path in readable if path.suffix == ".parquet"]
    seen = set().union(*(pl.read_parquet(path)["ride"] for path in tables))
    others = {path.suffix for path in readable} - {".parquet"}
    assert len(tables) == 2 and others == {".json"} and len(readable) < len(files)
    assert seen and holdout and not seen & holdout


def test_the_snapshots_that_a_lease_may_not_read_do_hold_the_holdout(warehouse):
    folder, holdout = warehouse
    rows = pl.concat([pl.read_parquet(path, columns=["ride"]) for path in folder.glob("datasets/trips/**/*.parquet")])
    assert holdout <= set(rows["ride"])
