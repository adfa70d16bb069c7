"""A model spec as Dagster assets: features, split, search and candidate; then what judge, promote and deploy report."""

from collections.abc import Sequence
from typing import Any, TypedDict

import dagster as dg

from dagster_project.domain.contract import DataContract
from dagster_project.domain.lock import ChampionLock
from dagster_project.domain.projection import Projection, project
from dagster_project.domain.snapshot import Snapshot, SplitResult
from dagster_project.domain.spec import ModelSpec
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.bundle_findings import COMPLETE, PARITY, bundle_findings
from dagster_project.factories.checks import check_result
from dagster_project.factories.datasets import VALUES
from dagster_project.factories.naming import model_kinds, owner
from dagster_project.storage.store import ArtifactStore

STAGES = {
    "features": "Which columns of {dataset} the model reads, as numbers or as categories, and what is missing in them.",
    "split": "Train and validation rows of {dataset}, by {split}. The holdout is never written: it answers gates only.",
    "search": "The search over {families} for the best {metric} on the validation rows: {trials} trials.",
    "candidate": "The search's best as one ONNX file with its evidence: a bundle. {description}",
    "evaluation": "What `acts judge` measured on the holdout and what the gates said.",
    "champion": "The bytes that models/{name}/champion.lock.yaml names, put there by `acts promote` and a review.",
    "deployment": "The champion as `acts deploy` published it.",
}
OUTSIDE = ("evaluation", "champion", "deployment")


def model_assets(
    spec: ModelSpec, contract: DataContract, lock: ChampionLock | None, workspace: Workspace
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """Every asset of a model, source to champion unbroken."""
    return [
        _features(spec, contract),
        _split(spec, contract, workspace),
        _search_and_candidate(spec, contract, workspace),
        *_reported(spec, lock),
    ]


def candidate_key(model: str) -> dg.AssetKey:
    """The asset that a model's build ends with."""
    return dg.AssetKey([model, "candidate"])


def search_key(model: str) -> dg.AssetKey:
    """The asset that says how the search went and what it took."""
    return dg.AssetKey([model, "search"])


class Shown(TypedDict):
    """What every asset of a model says of itself."""

    description: str
    group_name: str
    owners: list[str]


def _common(spec: ModelSpec, stage: str) -> Shown:
    words = STAGES[stage].format(
        name=spec.name,
        dataset=spec.contract.name,
        split=spec.split.by,
        metric=spec.search.metric,
        trials=spec.search.trials,
        families=", ".join(candidate.family for candidate in spec.candidates),
        description=spec.description,
    )
    return {"description": words, "group_name": spec.name, "owners": [owner(name) for name in spec.owners]}


def _snapshot_of(spec: ModelSpec) -> dg.AssetIn:
    return dg.AssetIn(spec.contract.name, input_manager_key=VALUES)


def _features(spec: ModelSpec, contract: DataContract) -> dg.AssetsDefinition:
    @dg.asset(
        key=[spec.name, "features"],
        ins={"snapshot": _snapshot_of(spec)},
        io_manager_key=VALUES,
        kinds={"polars"},
        **_common(spec, "features"),
    )
    def features(snapshot: Snapshot) -> dg.MaterializeResult[Any]:
        from dagster_project.factories.model_metadata import features_metadata

        projection = project(spec, contract)
        return dg.MaterializeResult(value=projection, metadata=features_metadata(projection, contract, snapshot))

    return features


def _split(spec: ModelSpec, contract: DataContract, workspace: Workspace) -> dg.AssetsDefinition:
    @dg.asset(
        key=[spec.name, "split"],
        ins={"snapshot": _snapshot_of(spec)},
        deps=[[spec.name, "features"]],
        io_manager_key=VALUES,
        kinds={"parquet"},
        **_common(spec, "split"),
    )
    def split(context: dg.AssetExecutionContext, snapshot: Snapshot) -> dg.MaterializeResult[Any]:
        from dagster_project.data.splits import write_split
        from dagster_project.factories.model_metadata import split_metadata

        parts = write_split(spec, contract, snapshot, workspace)
        context.log.info(f"{spec.name}: {parts.train.rows:,} train and {parts.validation.rows:,} validation rows")
        return dg.MaterializeResult(
            value=parts, data_version=dg.DataVersion(parts.content_digest()), metadata=split_metadata(spec, parts)
        )

    return split


def _search_and_candidate(spec: ModelSpec, contract: DataContract, workspace: Workspace) -> dg.AssetsDefinition:
    search, candidate = search_key(spec.name), candidate_key(spec.name)

    @dg.multi_asset(
        name=f"{spec.name}__candidate",
        ins={
            "snapshot": _snapshot_of(spec),
            "split": dg.AssetIn([spec.name, "split"], input_manager_key=VALUES),
            "features": dg.AssetIn([spec.name, "features"], input_manager_key=VALUES),
        },
        specs=[
            dg.AssetSpec(
                search,
                deps=[spec.contract.name, [spec.name, "split"], [spec.name, "features"]],
                kinds={"ray"},
                **_common(spec, "search"),
            ),
            dg.AssetSpec(candidate, deps=[search], kinds=model_kinds(spec), **_common(spec, "candidate")),
        ],
        check_specs=_candidate_checks(candidate),
    )
    def search_and_candidate(
        context: dg.AssetExecutionContext,
        training_program: dg.PipesSubprocessClient,
        snapshot: Snapshot,
        split: SplitResult,
        features: Projection,
    ) -> Any:
        from dagster_project.factories.model_metadata import candidate_metadata, search_metadata
        from dagster_project.factories.training_run import train_or_reuse

        done = train_or_reuse(context, training_program, spec, features, snapshot, split, workspace)
        how = "reused" if done.reused else f"in {done.seconds:.0f} s"
        context.log.info(f"{spec.name}: bundle {done.bundle[:19]} {how}")
        yield dg.MaterializeResult(asset_key=search, metadata=search_metadata(spec, done, workspace))
        yield dg.MaterializeResult(
            asset_key=candidate,
            data_version=dg.DataVersion(done.bundle),
            metadata=candidate_metadata(spec, split, done, workspace),
            check_results=[
                check_result(finding.name, [finding], candidate)
                for finding in bundle_findings(ArtifactStore.of(workspace), done.bundle)
            ],
        )

    return search_and_candidate


def _candidate_checks(candidate: dg.AssetKey) -> Sequence[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            PARITY,
            asset=candidate,
            blocking=True,
            description="The ONNX file answers as the estimator did: within 1e-5, no label flipped outside ties.",
        ),
        dg.AssetCheckSpec(
            COMPLETE,
            asset=candidate,
            blocking=True,
            description="The store holds every file of the bundle, and each has the digest that the manifest names.",
        ),
    ]


def _reported(spec: ModelSpec, lock: ChampionLock | None) -> list[dg.AssetSpec]:
    """Assets whose events come from outside: `acts judge`, `promote` and `deploy` report them."""
    before = "candidate"
    specs = []
    for stage in OUTSIDE:
        deps = [dg.AssetKey([spec.name, before])]
        known = _locked(lock) if stage == "champion" else {}
        specs.append(
            dg.AssetSpec(
                dg.AssetKey([spec.name, stage]), deps=deps, metadata=known, kinds={"onnx"}, **_common(spec, stage)
            )
        )
        before = stage
    return specs


def _locked(lock: ChampionLock | None) -> dict[str, Any]:
    if lock is None:
        return {}
    return {"onnx": lock.onnx, "family": lock.family, "bundle": lock.bundle, "verdict": lock.verdict}
