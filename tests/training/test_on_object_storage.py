"""Request, rows, states, bundle and result on object storage, as a lease has them; moto's S3 server on loopback."""

from collections.abc import Iterator

import pytest
from s3fs import S3FileSystem

from dagster_project.domain.build import TrainingResult
from tests.object_storage import object_storage

from .conftest import run_program

pytestmark = pytest.mark.slow


@pytest.fixture
def bucket(environment: dict[str, str]) -> Iterator[tuple[dict[str, str], S3FileSystem]]:
    """(a program's environment, file system) of an empty bucket ``leases``."""
    with object_storage("leases") as told:
        login = {"endpoint_url": told["AWS_ENDPOINT_URL"], "key": "testing", "secret": "testing"}
        yield {**environment, **told}, S3FileSystem(**login, skip_instance_cache=True, use_listings_cache=False)


@pytest.mark.parametrize("compute", [{"gpus_per_trial": 1}, {"processes_per_trial": 2}], ids=["card", "processes"])
def test_a_build_knows_nothing_but_object_storage(request_for, bucket, compute):
    """Weights are taken from the states there. No card here: Ray is told of one, and torch sees none."""
    environment, system = bucket
    request = request_for("binary", families=["mlp"], compute=compute)
    for part in ("train", "validation"):
        system.put(getattr(request.split, part).uri, f"leases/in/{part}.parquet")
    split = {
        part: getattr(request.split, part).model_copy(update={"uri": f"s3://leases/in/{part}.parquet"})
        for part in ("train", "validation")
    }
    places = {name: f"s3://leases/out/{name}" for name in ("store", "checkpoints", "result")}
    request = request.model_copy(update={**places, "split": request.split.model_copy(update=split)})
    system.pipe("leases/in/request.json", request.to_json().encode())
    run = run_program("s3://leases/in/request.json", environment)
    assert run.returncode == 0, run.stdout + run.stderr
    result = TrainingResult.from_json(system.cat("leases/out/result"))
    assert system.find("leases/out/checkpoints") and system.find("leases/out/store")
    assert (result.failed, result.gpu) == (0, None)
    assert ("torch sees none" in run.stdout) == ("gpus_per_trial" in compute)
