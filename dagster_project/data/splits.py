"""Train, validation and holdout rows of a snapshot. A build is given the first two; the holdout is never written.

Only labelled rows take part. Split by time, ties at a boundary stay together and ``gap`` is left out on the earlier
side of each boundary; split by a hash, a row stays in its part when others arrive.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from upath import UPath

from dagster_project.data.datasets import read
from dagster_project.data.digests import hash_rows, rows_sum, table_digest
from dagster_project.data.split_rules import HOLDOUT, hash_parts, time_parts
from dagster_project.data.tables import stage
from dagster_project.domain.base import digest_of
from dagster_project.domain.contract import DataContract, Role
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.files import write_whole
from dagster_project.domain.snapshot import Snapshot, SplitResult, SplitRows
from dagster_project.domain.spec import GroupSplit, ModelSpec, TimeSplit
from dagster_project.domain.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

Part = Literal["train", "validation", "holdout"]
PARTS: tuple[Part, ...] = ("train", "validation", "holdout")
ALGORITHM = 1  # raised when the same rows would be split otherwise


def split_key(spec: ModelSpec, contract: DataContract, snapshot: Snapshot) -> str:
    """Digest of everything that decides which rows are in which part."""
    roles = [[column.name, column.role] for column in contract.columns if column.role]
    split = spec.split.model_dump(mode="json")
    for key in ("judgements", "renewal"):
        split["holdout"].pop(key)
    return digest_of([ALGORITHM, snapshot.digest, split, spec.target, roles])


def write_split(spec: ModelSpec, contract: DataContract, snapshot: Snapshot, workspace: Workspace) -> SplitResult:
    """Train and validation rows as Parquet files, written once; the holdout's rows go nowhere.

    Raises:
        RefusedError: a part would be empty.
        MachineryError: the place can't be written.
    """
    folder = UPath(workspace.warehouse) / "splits" / split_key(spec, contract, snapshot).removeprefix("sha256:")[:32]
    done = folder / "split.json"
    if done.exists():
        return SplitResult.from_json(done.read_bytes())
    parts = read_parts(spec, contract, snapshot)
    train, validation = (_write(parts[name], contract, folder) for name in ("train", "validation"))
    result = SplitResult(snapshot=snapshot.digest, train=train, validation=validation)
    write_whole(done, result.to_json().encode())
    return result


def read_part(spec: ModelSpec, contract: DataContract, snapshot: Snapshot, part: Part) -> "pl.DataFrame":
    """The labelled rows of one part, all columns of the contract, in an order that depends on the rows alone.

    Raises:
        RefusedError: a part would be empty.
    """
    return read_parts(spec, contract, snapshot)[part]


def row_hashes(frame: "pl.DataFrame", contract: DataContract) -> "np.ndarray":
    """What names a row across snapshots: a uint64 of its ids, or of all columns where the contract has no id."""
    ids = [column.name for column in contract.with_role(Role.ID)]
    return hash_rows(frame.select(ids or list(contract.column_names)))


def read_parts(spec: ModelSpec, contract: DataContract, snapshot: Snapshot) -> "dict[Part, pl.DataFrame]":
    """All parts at once, for who needs more than one. See :func:`read_part`."""
    import polars as pl

    labelled = pl.col(spec.target).is_not_null()
    rows = _ordered(read(snapshot, list(contract.column_names)).filter(labelled).collect(), contract)
    split = spec.split
    if isinstance(split, TimeSplit):
        codes = time_parts(rows[contract.with_role(Role.EVENT_TIME)[0].name], split)
    else:
        codes = hash_parts(rows.select(split_names(spec, contract)), split)
    parts = {name: rows.filter(pl.Series(codes == code)) for code, name in enumerate(PARTS)}
    for name, part in parts.items():
        if part.height == 0:
            message = f"model {spec.name}: the split leaves no {name} rows of {rows.height:,} labelled ones in"
            raise RefusedError(f"{message} {snapshot.dataset}. Make the part larger, or wait for rows.")
    return parts


def split_names(spec: ModelSpec, contract: DataContract) -> list[str]:
    """Columns that name what is split: the group, or the row by its ids (all columns but the target without ids)."""
    if isinstance(spec.split, GroupSplit):
        return [spec.split.column]
    ids = [column.name for column in contract.with_role(Role.ID)]
    return ids or [name for name in contract.column_names if name != spec.target]


def seen_again(
    spec: ModelSpec, contract: DataContract, seen: "Mapping[Part, pl.DataFrame]", rows: "pl.DataFrame"
) -> "pl.DataFrame":
    """Those of ``rows``, another run of the dataset, that stand where a build could see them.

    Split by time, within the times of the parts that were ``seen``: another run may end earlier, and the split would
    count back from there. Split by a hash, in the parts that it gives them to.
    """
    import polars as pl

    labelled = rows.filter(pl.col(spec.target).is_not_null())
    if isinstance(spec.split, TimeSplit):
        time = contract.with_role(Role.EVENT_TIME)[0].name
        spans = [pl.col(time).is_between(part[time].min(), part[time].max()) for part in seen.values()]
        return labelled.filter(pl.any_horizontal(spans))
    codes = hash_parts(labelled.select(split_names(spec, contract)), spec.split)
    return labelled.filter(pl.Series(codes != HOLDOUT))


def _ordered(rows: "pl.DataFrame", contract: DataContract) -> "pl.DataFrame":
    """By event time, then by a hash of the ids, so that neither file layout nor arrival decides."""
    import polars as pl

    names = [column.name for column in contract.with_role(Role.EVENT_TIME)]
    keyed = rows.with_columns(pl.Series("_order", row_hashes(rows, contract)))
    return keyed.sort([*names, "_order"], maintain_order=True).drop("_order")


def _write(rows: "pl.DataFrame", contract: DataContract, folder: UPath) -> SplitRows:
    staged = stage(rows, folder)
    digest = table_digest(contract.columns, rows.height, rows_sum(rows))
    return SplitRows(uri=str(folder / staged.name), digest=digest, rows=rows.height, labelled=rows.height)
