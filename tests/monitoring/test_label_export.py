"""Human labels as files of an ordinary contract, and from there into training beside the natural ones."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ci.main import main as acts
from dagster_project.data.datasets import materialise, read
from dagster_project.domain.contract import Column, DataContract, Derivation, Server
from dagster_project.domain.errors import UsageError
from dagster_project.domain.label_export import LabelExport
from dagster_project.domain.workspace import Workspace
from dagster_project.monitoring.label_export import export_labels
from dagster_project.monitoring.watched import Watched
from tests.monitoring.reviewed import COLUMNS, NOW, answer, say, watched, write
from tests.pipeline.small import opened, write_repository

SQL = """
SELECT
    r.* EXCLUDE (late),
    COALESCE(r.late, h.label) AS late,
    CASE WHEN r.late IS NOT NULL THEN 'natural' WHEN h.label IS NOT NULL THEN 'human' END AS label_origin
FROM happened AS r
LEFT JOIN (
    SELECT ride, arg_max_null(label, known) AS label FROM human_labels GROUP BY ride
) AS h ON h.ride = r.ride
"""


@pytest.fixture(autouse=True)
def of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACTS_HOME", "ACTS_WAREHOUSE", "ACTS_SERVING", "ACTS_LEDGER", "ACTS_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def here(tmp_path: Path) -> Watched:
    made = watched(tmp_path)
    write(made, [answer(number, 0.5, **({"id": None} if number == 9 else {})) for number in range(10)])
    return made


def export(here: Watched, hours: int = 0) -> LabelExport:
    return export_labels(here, str(here.workspace.repo / "landing" / "human"), NOW + timedelta(hours=hours))


def files(here: Watched) -> list[pl.DataFrame]:
    return [pl.read_parquet(file) for file in sorted((here.workspace.repo / "landing" / "human").iterdir())]


def test_only_what_is_new_is_written_and_what_people_took_back_is_null(here: Watched) -> None:
    say(here, (1, "ann", "true"), (2, "ann", "false"), (9, "ann", "true"))
    say(here, (3, "bob", "true"), audit=True)
    done = export(here)
    assert (done.labels, done.split, done.without_id) == (3, 0, 1)
    (first,) = files(here)
    assert first.schema == pl.Schema(
        {
            "ride": pl.String,
            "label": pl.Boolean,
            "people": pl.Int64,
            "audit": pl.Boolean,
            "known": pl.Datetime("us", "UTC"),
        }
    )
    assert first.drop("known").rows() == [
        ("ride 1", True, 1, False), ("ride 2", False, 1, False), ("ride 3", True, 1, True),
    ]  # fmt: skip
    assert export(here, 1).file is None and len(files(here)) == 1
    say(here, (1, "bob", "false"), (2, "ann", "true"))
    again = export(here, 2)
    assert (again.labels, again.split) == (2, 1)
    assert files(here)[1].drop("known").rows() == [("ride 1", None, 2, False), ("ride 2", True, 1, False)]
    say(here, (1, "cy", "true"))
    export(here, 3)
    assert files(here)[2].drop("known").rows() == [("ride 1", True, 3, False)] and export(here, 4).file is None


def test_an_id_that_joins_to_nothing_is_refused(tmp_path: Path) -> None:
    secret = (COLUMNS[0].model_copy(update={"classification": "restricted"}), *COLUMNS[1:])
    with pytest.raises(UsageError, match=r"rides\.ride is restricted, so the log keeps its hashes"):
        export(watched(tmp_path, typed=secret))
    with pytest.raises(UsageError, match="no column with the role id"):
        export(watched(tmp_path, typed=COLUMNS[1:]))


def test_acts_labels_writes_them_below_the_repository(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    repository, workspace = opened(write_repository(tmp_path / "repo", days=1))
    (spec,) = repository.specs.values()
    here = Watched(spec, repository.contracts[spec.contract.name], None, workspace)
    write(here, [answer(1, 0.5, id="r1"), answer(2, 0.5, id=None)])
    say(here, (1, "ann", "true"), (2, "ann", "false"))
    command = ["labels", spec.name, "--to", "landing/human", "--repo", str(workspace.repo)]
    assert acts(command) == 0
    said = capfd.readouterr().out
    assert "1 label in " in said and "1 labelled row left out" in said
    (file,) = (workspace.repo / "landing" / "human").glob(f"{spec.name}-*.parquet")
    assert pl.read_parquet(file).drop("known").row(0) == ("r1", True, 1, False)
    assert acts(command) == 0 and "nothing new was said" in capfd.readouterr().out
    assert acts(["labels", "nobody", "--to", "x", "--repo", str(workspace.repo)]) == 2
    assert "there is no model called nobody" in capfd.readouterr().err


def dataset(name: str, columns: dict[str, Any], path: str | None = None) -> DataContract:
    typed = tuple(
        Column(name=key, **(kind if isinstance(kind, dict) else {"logical_type": kind}))
        for key, kind in columns.items()
    )
    server = (Server(name="here", type="local", options={"path": path}),) if path else ()
    derived = (
        None if path else Derivation(sql=SQL, inputs=("happened", "human_labels"), file=f"data_contracts/{name}.sql")
    )
    return DataContract(
        name=name, id=name, version="1.0.0", status="active", columns=typed, servers=server, derivation=derived,
        file=f"data_contracts/{name}.yaml",
    )  # fmt: skip


def test_human_labels_stand_beside_natural_ones_and_say_so(here: Watched) -> None:
    """The recipe of docs/review.md: each export is a new file, the derived rows follow, natural labels go first."""
    workspace: Workspace = here.workspace
    say(here, (1, "ann", "true"), (2, "ann", "false"), (3, "ann", "false"))
    export(here)
    (workspace.repo / "landing" / "happened.csv").write_text(
        "ride,late,miles\nride 1,,10\nride 2,true,20\nride 4,,40\n"
    )
    ride = {"logical_type": "string", "role": "id"}
    happened = dataset("happened", {"ride": ride, "late": "boolean", "miles": "number"}, "landing/happened.csv")
    exported = {"ride": "string", "label": "boolean", "people": "integer", "audit": "boolean", "known": "timestamp"}
    human = dataset("human_labels", exported, "landing/human/*.parquet")
    rides = dataset("rides", {"ride": ride, "late": "boolean", "miles": "number", "label_origin": "string"})

    def built() -> tuple[Any, list[Any]]:
        inputs = {contract.name: materialise(contract, {}, workspace).snapshot for contract in (happened, human)}
        assert all(inputs.values())
        made = materialise(rides, inputs, workspace)  # type: ignore[arg-type]
        assert made.snapshot is not None
        return made, sorted(read(made.snapshot).select("ride", "late", "label_origin").collect().rows())

    made, rows = built()
    assert rows == [("ride 1", True, "human"), ("ride 2", True, "natural"), ("ride 4", None, None)]
    assert built()[0].reused and set(made.snapshot.inputs) == {"happened", "human_labels"}
    say(here, (1, "ann", "false"), (4, "bob", "true"))
    export(here, 1)
    later, rows = built()
    assert rows == [("ride 1", False, "human"), ("ride 2", True, "natural"), ("ride 4", True, "human")]
    assert later.snapshot.digest != made.snapshot.digest
    say(here, (1, "bob", "true"))
    export(here, 2)
    assert built()[1][0] == ("ride 1", None, None)
