"""``compute:`` of a spec, profiles and leases: what is refused, what it costs, what bytes depend on."""

from datetime import timedelta
from pathlib import Path

import pytest

from dagster_project.domain.compute import Compute, Machine, Profiles, bytes_of
from dagster_project.domain.errors import Problem, UsageError, UserFileError
from dagster_project.domain.lease import Lease, LeaseEnd, LeaseFolder, NodeUse, amount_of, ends_at
from dagster_project.domain.profiles import load_profiles
from dagster_project.domain.spec_changes import compare_specs
from tests.profiles import PROFILES
from tests.trees import SPEC, edited, problems, repository, tree

FAMILIES = """\
  - family: logistic_regression
    search:
      C: {log_uniform: [0.01, 10.0]}
  - family: random_forest
"""


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profiles:
    file = tmp_path / "compute.yaml"
    file.write_text(PROFILES)
    monkeypatch.setenv("ACTS_COMPUTE", str(file))
    return load_profiles()


def spec(compute: str, network: bool = True) -> str:
    text = f"{SPEC}compute: {compute}\n"
    return edited(text, (FAMILIES, "  - family: mlp\n")) if network else text


CASES = {
    "unknown profile": ("{profile: gpus}", "profile", "Did you mean gpu?"),
    "longer than the profile lends": ("{profile: gpu, deadline: PT7H}", "deadline", "6:00:00 at most"),
    "dearer than the profile allows": ("{profile: workstation, cost_ceiling: 6.0}", "cost-ceiling", "allows 5 a lease"),
    "more workers than there are": ("{profile: gpu, workers: 5}", "workers", "4 workers at most"),
    "a head alone": ("{profile: gpu, workers: 0}", "workers", "without workers nothing is trained"),
    "GPUs that a laptop lacks": ("{gpus_per_trial: 1}", "gpus", "local has 0"),
    "more GPUs than workers bring": ("{profile: gpu, workers: 2, gpus_per_trial: 4}", "gpus", "gpu has 2"),
    "spot where there is none": ("{profile: small, capacity: spot}", "capacity", "no spot machines"),
    "two processes on a GPU": (
        "{profile: gpu, gpus_per_trial: 1, processes_per_trial: 2}", "processes", "2 processes can't share 1 GPUs",
    ),
    "going on with more than there are": ("{processes_per_trial: 2, least_processes: 3}", "processes", "2 processes"),
    "a search that the lease cuts off": ("{deadline: PT5M}", "deadline", "nothing would come out"),
    "a negative deadline": ("{deadline: -PT5M}", "greater-than", "greater than"),
    "an unknown key": ("{gpu: 1}", "extra-forbidden", ""),
}  # fmt: skip


@pytest.mark.parametrize(("compute", "code", "words"), CASES.values(), ids=CASES.keys())
def test_a_guard_says_what_is_wrong_where_and_what_to_do(compute: str, code: str, words: str) -> None:
    text = spec(compute)
    found = problems(tree(spec=text))
    assert any(words in f"{p.message} {p.hint}" for p in found), found
    assert code in {problem.code for problem in found}
    assert all(problem.line and text.splitlines()[problem.line - 1].startswith("compute:") for problem in found)


def test_a_family_that_uses_one_core_gets_no_gpus() -> None:
    found: list[Problem] = problems(tree(spec=spec("{profile: workstation, gpus_per_trial: 2}", network=False)))
    assert [problem.code for problem in found] == ["family-compute"] * 2
    assert "would hold 2 GPUs for nothing" in found[0].message and "mlp" in found[0].hint


def test_what_fits_is_accepted() -> None:
    for compute in (
        "{profile: gpu, workers: 4, gpus_per_trial: 4, least_processes: 2, capacity: spot, cost_ceiling: 50.0}",
        "{profile: workstation, gpus_per_trial: 1, deadline: PT4H}",
        "{processes_per_trial: 2}",
    ):
        assert problems(tree(spec=spec(compute))) == []


def test_bytes_depend_on_processes_and_gpus_alone() -> None:
    plain = repository(tree(spec=spec("{}"))).specs["tardy"]
    where = repository(tree(spec=spec("{profile: gpu, workers: 3, deadline: PT3H}"))).specs["tardy"]
    spread = repository(tree(spec=spec("{profile: gpu, workers: 3, gpus_per_trial: 2}"))).specs["tardy"]
    assert plain.training_digest() == where.training_digest() != spread.training_digest()
    assert "compute" not in plain.training_part()
    effects = {change.what.split(":")[0]: change.effect for change in compare_specs(plain, spread)}
    assert effects["compute.gpus_per_trial"] == "rebuild"
    assert {effect for what, effect in effects.items() if what != "compute.gpus_per_trial"} == {"none"}
    assert not any(change.loosens for change in compare_specs(plain, spread))


def test_prices_ceilings_and_ends(profiles: Profiles) -> None:
    spot = Compute(profile="gpu", workers=4, capacity="spot")
    assert profiles.hourly(spot) == pytest.approx(0.25 + 4 * 0.4)
    assert profiles.hourly(spot.model_copy(update={"capacity": "on_demand"})) == pytest.approx(4.25)
    assert profiles.ceiling(spot) == 50.0 and profiles.ceiling(Compute()) is None
    dear = Compute(profile="workstation", cost_ceiling=1.0)
    assert ends_at(dear, profiles, 1000.0) == 1000.0 + 1800.0  # one machine at 2 an hour
    assert ends_at(Compute(deadline=timedelta(minutes=10)), profiles, 1000.0) == 1600.0
    assert ends_at(spot, profiles, 0.0) == 7200.0  # what machines there are is not known before


def test_a_lease_costs_what_its_machines_were_there() -> None:
    nodes = (
        NodeUse(kind="head", name="h", since=0.0, until=7200.0, hourly=0.25),
        NodeUse(kind="worker", name="a", since=600.0, until=4200.0, hourly=1.0, gpus=1),
        NodeUse(kind="worker", name="b", since=600.0, until=2400.0, hourly=1.0, gpus=1),
    )
    assert amount_of(nodes) == pytest.approx(0.5 + 1.0 + 0.5)
    lease = Lease(id="a1", model="tardy", build_key="k", compute=Compute(), begun=0.0, ends=1.0)
    assert LeaseEnd(lease=lease, outcome="succeeded", nodes=nodes).what == "1 head, 2 workers, 210.0 machine minutes"


def test_pods_write_below_one_prefix() -> None:
    folder = LeaseFolder.of("s3://bucket/leases/", "a1")
    assert folder.uri == "s3://bucket/leases/a1"
    assert all(part.startswith(f"{folder.output}/") for part in (folder.result, folder.store, folder.checkpoints))
    assert not any(part.startswith(folder.output) for part in (folder.request, folder.code))


def test_profiles_that_cannot_be_read_say_where(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.yaml: the compute profiles can't be read"):
        load_profiles(tmp_path / "nowhere.yaml")
    file = tmp_path / "bad.yaml"
    file.write_text(PROFILES.replace("@sha256:" + "0" * 64, ":latest").replace("memory: 8Gi", "memory: 8 GB", 1))
    with pytest.raises(UserFileError) as raised:
        load_profiles(file)
    assert {problem.where.rsplit(".", 1)[-1] for problem in raised.value.problems} == {"image", "memory"}
    assert all(problem.file == str(file) and problem.line for problem in raised.value.problems)


def test_the_packages_own_profiles_have_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACTS_COMPUTE")
    assert load_profiles().profiles["local"].kind == "local"


@pytest.mark.parametrize(("quantity", "expected"), [("512Mi", 2**29), ("16Gi", 2**34), ("1Ti", 2**40)])
def test_prepared_rows_take_an_eighth_of_a_machine(quantity: str, expected: int) -> None:
    assert bytes_of(quantity) == expected
    assert Machine(cpus=1, memory=quantity, price=0.0).memory_for_rows == expected // 8
