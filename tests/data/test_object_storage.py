"""Files and warehouses on object storage, against moto's S3 server on loopback."""

from collections.abc import Iterator

import polars as pl
import pytest
from s3fs import S3FileSystem

from dagster_project.data.datasets import current_snapshot, materialise, read
from dagster_project.domain.contract import Server
from dagster_project.domain.errors import MachineryError, UserFileError
from tests.object_storage import object_storage

COLUMNS = {"id": {"logical_type": "integer", "role": "id"}, "name": "string"}


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, S3FileSystem]]:
    """(endpoint, file system) of an empty bucket ``lake``, whose endpoint only contracts name."""
    with object_storage("lake") as told:
        endpoint = told.pop("AWS_ENDPOINT_URL")
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_ALLOW_HTTP")
        yield endpoint, S3FileSystem(endpoint_url=endpoint, skip_instance_cache=True, use_listings_cache=False)


def s3(endpoint: str, location: str, kind: str) -> Server:
    options = {"location": location, "format": kind, "endpointUrl": endpoint}
    return Server(name="lake", type="s3", options=options)


def test_objects_are_read_once(contract, workspace, bucket) -> None:
    endpoint, system = bucket
    made = contract(COLUMNS, server=s3(endpoint, "s3://lake/orders/*.csv", "csv"))
    with pytest.raises(UserFileError, match=r"no file matches `s3://lake/orders/\*.csv`"):
        materialise(made, {}, workspace)
    system.pipe("lake/orders/a.csv", b"id,name\n1,a\n")
    assert materialise(made, {}, workspace).snapshot.rows == 1
    assert materialise(made, {}, workspace).reused
    system.pipe("lake/orders/b.csv", b"id,name\n2,b\n")
    grown = materialise(made, {}, workspace)
    assert (grown.snapshot.rows, grown.new_rows, grown.snapshot.files) == (2, 1, 2)
    system.pipe("lake/orders/a.csv", b"id,name\n1,x\n")
    refused = materialise(made, {}, workspace)
    assert refused.snapshot is None and "s3://lake/orders/a.csv was read before" in refused.findings[0].summary


def test_parquet_objects_and_a_truncated_one(contract, workspace, bucket, tmp_path) -> None:
    endpoint, system = bucket
    pl.DataFrame({"id": [1, 2], "name": ["a", None]}).write_parquet(tmp_path / "a.parquet")
    data = (tmp_path / "a.parquet").read_bytes()
    system.pipe("lake/orders/day=1/a.parquet", data)
    made = contract(COLUMNS, server=s3(endpoint, "s3://lake/orders/**/*.parquet", "parquet"))
    assert materialise(made, {}, workspace).snapshot.rows == 2
    system.pipe("lake/orders/day=2/b.parquet", data[:-20])
    refused = materialise(made, {}, workspace)
    assert refused.snapshot is None and "s3://lake/orders/day=2/b.parquet can't be read" in refused.findings[0].summary


def test_storage_that_does_not_answer(contract, workspace, bucket) -> None:
    made = contract(COLUMNS, server=s3("http://127.0.0.1:9", "s3://lake/*.csv", "csv"))
    with pytest.raises(MachineryError, match=r"orders.yaml: server lake: s3://lake/\*.csv doesn't answer"):
        materialise(made, {}, workspace)


def test_the_warehouse_itself_on_object_storage(contract, workspace, bucket, landing, monkeypatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", bucket[0])
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("ACTS_WAREHOUSE", "s3://lake/warehouse")
    landing("a.csv", "id,name\n1,a\n")
    made = contract(COLUMNS, path="landing/*.csv")
    first = materialise(made, {}, workspace).snapshot
    landing("b.csv", "id,name\n2,b\n")
    second = materialise(made, {}, workspace).snapshot
    assert (first.rows, second.rows, second.version) == (1, 2, 1)
    assert current_snapshot("orders", workspace) == second
    assert sorted(read(second).collect()["id"]) == [1, 2]
    derived = contract(COLUMNS, sql="SELECT id, name FROM orders", inputs=("orders",), name="copy")
    assert materialise(derived, {"orders": second}, workspace).snapshot.digest == second.digest
