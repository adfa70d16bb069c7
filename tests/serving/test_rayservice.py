"""The RayService manifest: KubeRay's own schema, Ray Serve's own, and what the two cannot see."""

import re
from importlib.metadata import version
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from dagster_project.domain.workspace import Workspace
from dagster_project.serving.environment import settings_from
from dagster_project.serving.print_rayservice import main
from dagster_project.serving.rayservice import RayServiceSettings, rayservice, render, serve_config
from dagster_project.serving.scaling import Scaling
from tests.strict import problems

IMAGE = "registry.example.com/team/acts@sha256:" + "a" * 64
GIVEN = {
    "image": IMAGE, "store": "s3://acts/store", "serving": "s3://acts/serving", "service_account": "acts-servers",
    "tokens_secret": "acts-tokens", "log_claim": "acts-log",
}  # fmt: skip
ASLEEP = RayServiceSettings(**GIVEN, scaling=Scaling(min_replicas=0, max_replicas=5), node_cpus=2)


def worker(manifest: dict[str, Any]) -> dict[str, Any]:
    """The group of workers."""
    (group,) = manifest["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    return group


def pod(group: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A group's pod, and its container."""
    spec = group["template"]["spec"]
    (container,) = spec["containers"]
    return spec, container


@pytest.mark.parametrize("settings", [RayServiceSettings(**GIVEN), ASLEEP])
def test_kuberays_schema_takes_the_manifest(settings: RayServiceSettings) -> None:
    assert problems("RayService", rayservice(settings)) == []


def test_kuberays_schema_would_have_seen_a_mistake() -> None:
    manifest = rayservice(ASLEEP)
    del manifest["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]
    worker(manifest)["maxReplicas"] = "5"
    pod(worker(manifest))[1]["enviroment"] = []
    assert len(problems("RayService", manifest)) == 3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's own, when it is imported
@pytest.mark.parametrize("settings", [RayServiceSettings(**GIVEN), ASLEEP])
def test_ray_serve_takes_its_configuration(settings: RayServiceSettings) -> None:
    from ray.serve.schema import ServeDeploySchema

    text = rayservice(settings)["spec"]["serveConfigV2"]
    taken = ServeDeploySchema.model_validate(yaml.safe_load(text))
    assert Scaling.model_validate(taken.applications[0].args) == settings.scaling


def test_yaml_says_the_same_without_aliases_and_can_be_read() -> None:
    text = render(ASLEEP)
    assert "  serveConfigV2: |\n" in text
    assert yaml.safe_load(text) == rayservice(ASLEEP)
    assert not re.search(r"[&*]id\d", text)


def test_the_environment_of_a_worker_is_what_a_server_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    _, container = pod(worker(rayservice(ASLEEP)))
    environ = {entry["name"]: entry["value"] for entry in container["env"]}
    for name in ("ACTS_STORE", "ACTS_SERVING", "ACTS_SERVING_LOG"):
        monkeypatch.setenv(name, environ[name])
    settings = settings_from(environ, "10.0.0.1")
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    workspace: Workspace = settings.workspace
    assert (workspace.store, workspace.serving) == (GIVEN["store"], GIVEN["serving"])
    assert str(workspace.serving_log) in mounts and not mounts[str(workspace.serving_log)].get("readOnly")
    assert settings.tokens is not None and mounts[str(settings.tokens.parent)]["readOnly"]
    assert settings.port == serve_config(ASLEEP)["http_options"]["port"] == container["ports"][0]["containerPort"]


def test_the_token_file_is_not_open_to_everyone() -> None:
    spec, _ = pod(worker(rayservice(ASLEEP)))
    (secret,) = [volume["secret"] for volume in spec["volumes"] if "secret" in volume]
    assert secret["secretName"] == GIVEN["tokens_secret"] and not secret["defaultMode"] & 0o007


def test_the_head_holds_no_replica_and_no_secret_and_asks_for_rays_token() -> None:
    cluster = rayservice(ASLEEP)["spec"]["rayClusterConfig"]
    spec, container = pod(cluster["headGroupSpec"])
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert cluster["authOptions"] == {"mode": "token"}
    assert not {"serviceAccountName", "volumes"} & spec.keys()
    assert not [entry for entry in container["env"] if entry["name"].startswith("ACTS_")]


def test_every_process_gets_the_flags_and_no_privilege() -> None:
    cluster = rayservice(ASLEEP)["spec"]["rayClusterConfig"]
    for group in (cluster["headGroupSpec"], worker(rayservice(ASLEEP))):
        spec, container = pod(group)
        assert {"name": "RAY_SERVE_ENABLE_HA_PROXY", "value": "1"} in container["env"]
        assert {"name": "RAY_SERVE_THROUGHPUT_OPTIMIZED", "value": "1"} in container["env"]
        assert container["image"] == IMAGE and container["securityContext"]["allowPrivilegeEscalation"] is False
        assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["runAsUser"] > 0


@pytest.mark.parametrize(("least", "excluded"), [(0, False), (1, True)])
def test_where_no_worker_may_be_left_the_head_takes_requests(least: int, excluded: bool) -> None:
    settings = RayServiceSettings(**GIVEN, scaling=Scaling(min_replicas=least))
    assert rayservice(settings)["spec"]["excludeHeadPodFromServeSvc"] is excluded


@pytest.mark.parametrize(
    ("cpus", "node", "nodes"), [(1, 2, (1, 3)), (2, 2, (1, 5)), (0.5, 2, (1, 2)), (1.5, 4, (1, 3))]
)
def test_workers_are_as_many_as_hold_the_replicas(cpus: float, node: int, nodes: tuple[int, int]) -> None:
    scaling = Scaling(min_replicas=1, max_replicas=5, cpus=cpus)
    group = worker(rayservice(RayServiceSettings(**GIVEN, scaling=scaling, node_cpus=node)))
    assert (group["minReplicas"], group["maxReplicas"]) == nodes and group["replicas"] == nodes[0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"image": "registry.example.com/team/acts:latest"},
        {"store": "/mnt/store"},
        {"name": "Champions"},
        {"user": 0},
        {"scaling": {"min_replicas": 3, "max_replicas": 2}},
        {"scaling": {"cpus": 4}, "node_cpus": 2},
        {"replicas": 3},
    ],
)
def test_settings_that_would_not_do_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RayServiceSettings.model_validate({**GIVEN, **wrong})


def test_the_versions_are_those_that_are_installed() -> None:
    assert RayServiceSettings(**GIVEN).ray_version == version("ray")


def test_the_program_prints_it_and_says_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACTS_STORE", GIVEN["store"])
    monkeypatch.delenv("ACTS_SERVING", raising=False)
    flags = ["--image", IMAGE, "--service-account", "acts-servers", "--tokens-secret", "acts-tokens"]
    flags += ["--max-replicas", "5", "--min-replicas", "0", "--node-cpus", "2", "--log-claim", "acts-log"]
    assert main([*flags, "--serving", "s3://acts/serving"]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == rayservice(ASLEEP)
    assert main([*flags, "--user", "nobody"]) == 2
    said = capsys.readouterr()
    assert not said.out and "--serving: " in said.err and "--user: " in said.err
