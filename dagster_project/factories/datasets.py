"""A data contract as a Dagster asset: its snapshot, what people want to see of it, and blocking checks."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from dagster_project.domain.contract import Column, DataContract
from dagster_project.domain.snapshot import Snapshot
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.checks import complaints
from dagster_project.factories.dataset_metadata import dataset_metadata
from dagster_project.factories.naming import SOURCES, group_of, kinds_of, owner, referred
from dagster_project.factories.rule_checks import check_results, check_specs

if TYPE_CHECKING:
    from dagster_project.data.datasets import Materialised

VALUES = "documents"


def dataset_asset(contract: DataContract, workspace: Workspace) -> dg.AssetsDefinition:
    """The asset of ``contract``. A derived dataset takes the snapshots that its SQL reads."""
    inputs = contract.derivation.inputs if contract.derivation else ()

    @dg.asset(
        key=contract.name,
        ins={name: dg.AssetIn(name, input_manager_key=VALUES, dagster_type=Snapshot) for name in inputs},
        deps=[name for name in referred(contract) if name not in inputs],
        io_manager_key=VALUES,
        output_required=False,
        description=contract.description or f"{contract.name}, version {contract.version} of its contract.",
        owners=[owner(name) for name in contract.owners],
        group_name=group_of(contract),
        kinds=kinds_of(contract),
        tags={"contract_version": contract.version, "status": contract.status},
        metadata=_declared(contract, workspace),
        check_specs=check_specs(contract),
    )
    def dataset(context: dg.AssetExecutionContext, **snapshots: Snapshot) -> Iterator[Any]:
        from dagster_project.data.datasets import materialise

        done = materialise(contract, snapshots, workspace)
        for line in (_sentence(contract, done), *complaints(done.findings)):
            context.log.info(line)
        if done.snapshot:
            yield dg.MaterializeResult(
                value=done.snapshot,
                data_version=dg.DataVersion(done.snapshot.digest),
                metadata=dataset_metadata(contract, done.snapshot, done),
            )
        yield from check_results(contract, done.findings)

    return dataset


def _sentence(contract: DataContract, done: "Materialised") -> str:
    if done.snapshot is None:
        return f"{contract.name}: refused, the last snapshot is as it was, {done.seconds:.1f} s"
    how = "reused" if done.reused else f"{done.new_rows:,} new"
    quarantined = f", {done.snapshot.quarantined:,} in quarantine" if done.snapshot.quarantined else ""
    return f"{contract.name}: {done.snapshot.rows:,} rows ({how}{quarantined}), {done.seconds:.1f} s"


def _declared(contract: DataContract, workspace: Workspace) -> dict[str, Any]:
    """What is known before anything is read: columns with their meaning, and where the contract lies."""
    files = [contract.file, *([contract.derivation.file] if contract.derivation else [])]
    return {
        "contract": f"{contract.id} {contract.version}",
        "dagster/column_schema": dg.TableSchema(columns=list(_columns(contract))),
        **{Path(file).suffix.removeprefix("."): dg.MetadataValue.path(str(workspace.repo / file)) for file in files},
        **({"landing_place": _place(contract)} if group_of(contract) == SOURCES else {}),
    }


def _place(contract: DataContract) -> str:
    options = [server.options for server in contract.servers]
    return ", ".join(str(entry.get("path") or entry.get("location") or entry.get("database")) for entry in options)


def _columns(contract: DataContract) -> Iterator[dg.TableColumn]:
    for column in contract.columns:
        yield dg.TableColumn(
            name=column.name,
            type=column.logical_type.value,
            description=column.description or None,
            constraints=dg.TableColumnConstraints(
                nullable=not column.required, unique=column.unique or column.primary_key, other=_other(column)
            ),
        )


def _other(column: Column) -> list[str]:
    size = " x ".join(map(str, column.shape))
    facts = {"role": column.role, "unit": column.unit, "from": column.minimum, "to": column.maximum}
    facts[column.modality or "tabular"] = size if column.modality not in (None, "tabular") else None
    return [f"{name} {value}".strip() for name, value in facts.items() if value is not None]
