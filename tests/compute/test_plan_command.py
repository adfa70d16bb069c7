"""``acts compute plan``, ``profiles`` and ``access``: what is said before anything is leased."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ci.main import main as acts
from dagster_project.compute.__main__ import main
from dagster_project.compute.manifest import rayjob
from dagster_project.compute.plan import compute_of, planned
from dagster_project.domain.lease import DEADLINE_LABEL
from dagster_project.domain.profiles import load_profiles
from tests.profiles import PROFILES
from tests.strict import problems
from tests.trees import FILES, SPEC, SPEC_FILE, edited

FAMILIES = SPEC[SPEC.index("  - family: logistic") : SPEC.index("search:\n  metric")]
ASKED = "compute: {profile: gpu, workers: 3, gpus_per_trial: 1, capacity: spot, deadline: PT2H}\n"


@pytest.fixture(autouse=True)
def _profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "compute.yaml").write_text(PROFILES)
    monkeypatch.setenv("ACTS_COMPUTE", str(tmp_path / "compute.yaml"))
    monkeypatch.delenv("ACTS_WAREHOUSE", raising=False)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository whose model asks for three spot machines."""
    text = edited(SPEC, (FAMILIES, "  - family: mlp\n")) + ASKED
    for path, content in {**FILES, SPEC_FILE: text}.items():
        (tmp_path / "repo" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "repo" / path).write_text(content)
    return tmp_path / "repo"


def test_the_plan_prints_the_manifest_that_a_build_would_apply(repo, capsys):
    assert main(["plan", "tardy", "--repo", str(repo), "--lease", "abc"]) == 0
    said = capsys.readouterr()
    manifest = yaml.safe_load(said.out)
    assert problems("RayJob", manifest) == []
    profiles = load_profiles()
    ends = float(manifest["metadata"]["labels"][DEADLINE_LABEL])
    asked = planned("abc", "tardy", compute_of(repo, "tardy", None, profiles), profiles, ends - 7200)
    assert manifest == rayjob(asked, profiles.profiles["gpu"])


def test_the_plan_says_what_it_may_take(repo, capsys):
    main(["plan", "tardy", "--repo", str(repo)])
    said = dict(line.split(": ", 1) for line in capsys.readouterr().err.splitlines())
    assert said["profile"].strip() == "gpu"
    assert "1 head (2 CPUs, 8Gi)" in said["machines"] and "0 to 3 workers" in said["machines"]
    assert "1 GPUs, spot" in said["machines"] and "2:00:00" in said["deadline"]
    assert "1.45 EUR an hour" in said["price"], "0.25 and three times 0.40"
    assert said["ceiling"].strip() == "50.00 EUR" and said["at most"].strip() == "2.90 EUR"


def test_a_ceiling_bounds_what_it_can_cost(repo, capsys):
    spec = repo / SPEC_FILE
    spec.write_text(spec.read_text().replace("capacity: spot,", "cost_ceiling: 1.25,"))
    main(["plan", "tardy", "--repo", str(repo)])
    said = capsys.readouterr().err
    assert "on demand" in said and "at most:  1.25 EUR" in said


def test_the_machine_that_builds_needs_no_manifest(repo, capsys):
    spec = repo / SPEC_FILE
    spec.write_text(edited(spec.read_text(), (ASKED, "compute: {}\n")))
    assert main(["plan", "tardy", "--repo", str(repo)]) == 0
    said = capsys.readouterr()
    assert said.out == "" and "this machine; no manifest" in said.err and "at most:  1.00 EUR" in said.err


def test_another_profile_is_held_against_what_the_spec_asks_for(repo, capsys):
    assert main(["plan", "tardy", "--repo", str(repo), "--profile", "small"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and "small lends 2 workers at most" in said.err and "no spot machines" in said.err
    assert "small lends machines for 1:00:00" in said.err and f"{SPEC_FILE}:" in said.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["plan", "nobody"], "There is: tardy"),
        (["plan", "tardy", "--profile", "cloud"], "there is no profile cloud"),
        (["plan", "tardy", "--lease", "Upper_case"], "small letters, digits and dashes"),
        (["access", "local"], "There is: gpu, small"),
        (["access", "gpu", "--storage"], "ACTS_WAREHOUSE is not set"),
        (["access", "gpu", "--storage", "--warehouse", "/data"], "no place on S3"),
    ],
)
def test_what_is_not_there_is_said_and_nothing_is_printed(repo, capsys, arguments, words):
    repository = ["--repo", str(repo)] if arguments[0] == "plan" else []
    assert main([*arguments, *repository]) == 2
    said = capsys.readouterr()
    assert said.out == "" and words in said.err


def test_profiles_are_listed_with_prices_and_bounds(capsys):
    assert main(["profiles"]) == 0
    said = capsys.readouterr().out
    assert "local (local)" in said and "gpu (kuberay)" in said and "small (kuberay)" in said
    assert "worker: 8 CPUs, 32Gi, 1 GPUs, 1.00 EUR/h, spot 0.40" in said
    assert "at most 4 workers and 6:00:00 a lease, 50.00 EUR unless a spec lowers it" in said


def test_access_prints_manifests_and_with_storage_the_policy(capsys, monkeypatch):
    assert main(["access", "gpu"]) == 0
    kinds = [each["kind"] for each in yaml.safe_load_all(capsys.readouterr().out)]
    assert kinds[0] == "Namespace" and {"ServiceAccount", "Role", "RoleBinding", "NetworkPolicy"} < set(kinds)
    monkeypatch.setenv("ACTS_WAREHOUSE", "s3://bucket/warehouse")
    assert main(["access", "gpu", "--storage"]) == 0
    assert "arn:aws:s3:::bucket/warehouse/splits/*" in json.loads(capsys.readouterr().out)["Statement"][0]["Resource"]


@pytest.mark.parametrize(
    "arguments", [["plan", "tardy"], ["profiles"], ["access", "gpu"], ["access", "small", "--storage"]]
)
def test_acts_starts_the_program(repo, capfd, monkeypatch, arguments):
    monkeypatch.chdir(repo)
    monkeypatch.setenv("ACTS_WAREHOUSE", "s3://bucket/warehouse")
    assert acts(["compute", *arguments]) == 0
    through = capfd.readouterr().out
    assert main(arguments) == 0
    direct = capfd.readouterr().out
    moments = DEADLINE_LABEL  # the one thing that depends on when it is asked
    assert [line for line in through.splitlines() if moments not in line] == [
        line for line in direct.splitlines() if moments not in line
    ]


def test_it_needs_the_core_alone(repo):
    heavy = ("dagster", "ray", "kubernetes", "polars", "numpy", "torch")
    code = (
        "import sys\nfrom dagster_project.compute.__main__ import main\n"
        f"main(['plan', 'tardy', '--repo', {str(repo)!r}])\n"
        f"assert not set({heavy!r}) & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
