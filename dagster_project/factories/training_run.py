"""Train, or find that it was trained before: the decision, the lease, and what it left."""

import time
from dataclasses import dataclass

import dagster as dg

from dagster_project.domain.compute import LocalProfile, Profile
from dagster_project.domain.fingerprint import keys_of
from dagster_project.domain.lease import LeaseEnd
from dagster_project.domain.profiles import load_profiles
from dagster_project.domain.projection import Projection
from dagster_project.domain.requests import build_request
from dagster_project.domain.snapshot import Snapshot, SplitResult
from dagster_project.domain.spec import ModelSpec
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.leases.kuberay import KubeRayPlace
from dagster_project.factories.leases.local import LocalPlace
from dagster_project.factories.leases.place import Place, begin, check_ceiling, train_within
from dagster_project.factories.provenance import vouch
from dagster_project.factories.reuse import build_ref, stored_bundle
from dagster_project.storage.leases import LeaseLedger
from dagster_project.storage.store import ArtifactStore
from dagster_project.storage.weights import lend_weights


@dataclass(frozen=True)
class Trained:
    """A bundle in the store. ``seconds`` by stage; what was reused cost nothing and leased nothing."""

    bundle: str
    build_key: str
    reused: bool
    seconds: float
    stages: dict[str, float]
    lease: LeaseEnd | None = None


def train_or_reuse(
    context: dg.AssetExecutionContext,
    pipes: dg.PipesSubprocessClient,
    spec: ModelSpec,
    projection: Projection,
    snapshot: Snapshot,
    split: SplitResult,
    workspace: Workspace,
) -> Trained:
    """The bundle of this spec over this snapshot.

    Raises:
        RefusedError: it would cross its cost ceiling, reached it or its deadline; nothing could be learnt; the export
            does not answer as the estimator did; or its pretrained weights are not in the store.
        UsageError: the training program found something wrong in the user's files.
        MachineryError: it broke; its own words are in the run's log.
    """
    store = ArtifactStore.of(workspace)
    keys = keys_of(spec, snapshot.digest)
    bundle = stored_bundle(store, spec.name, keys.build)
    if bundle is not None:
        return Trained(bundle, keys.build, reused=True, seconds=0.0, stages={})
    started, profiles, leases = time.perf_counter(), load_profiles(), LeaseLedger(workspace.ledger)
    check_ceiling(spec.name, spec.compute, profiles, leases)
    request = build_request(spec, projection, snapshot, split, store=workspace.store, result="")
    lend_weights(spec.pretrained, store, ArtifactStore(workspace.store))
    lease = begin(spec.name, keys.build, context.run.run_id, spec.compute, profiles)
    place = place_of(context, pipes, profiles.of(spec.compute), profiles.currency)
    result, end = train_within(place, lease, request, leases, profiles.currency, context.log)
    seconds = round(time.perf_counter() - started, 3)
    vouch(result.bundle, keys.build, spec.name, snapshot, keys.environment, context.run.run_id, workspace)
    store.set_ref(build_ref(spec.name, keys.build), {"bundle": result.bundle, "seconds": seconds})
    return Trained(result.bundle, keys.build, reused=False, seconds=seconds, stages=result.seconds, lease=end)


def place_of(
    context: dg.AssetExecutionContext, pipes: dg.PipesSubprocessClient, profile: Profile, currency: str
) -> Place:
    """Where a profile's machines are."""
    if isinstance(profile, LocalProfile):
        return LocalPlace(context, pipes, profile)
    return KubeRayPlace(context, profile, currency)
