"""Which datasets and models to build and judge, in which order, why, and what is there already."""

from collections.abc import Collection, Iterable
from typing import Any, Literal

from .contract import DataContract, Role
from .fingerprint import build_key
from .known import KnownState
from .plan import Change, PlanStep
from .repository import Repository
from .spec import ModelSpec

Reasons = dict[str, tuple[str, ...]]
_ROLES = (Role.ID, Role.EVENT_TIME, Role.WEIGHT, Role.GROUP)


def plan_steps(
    base: Repository,
    head: Repository,
    changes: tuple[Change, ...],
    known: KnownState,
    kept: Collection[str] = (),
    doubted: Collection[str] = (),
) -> tuple[PlanStep, ...]:
    """Datasets first, each after what it is derived from, then models; whatever a step needs comes before it.

    Models in ``kept`` have been judged as they are, and keep that verdict. Of those in ``doubted`` the lock changes
    and its verdict is of other rules.
    """
    datasets = _datasets_to_build(base, head)
    conditions = _conditions_to_judge(head, changes)
    judged_datasets = dict.fromkeys(datasets, ("rebuilt",)) | conditions
    builds = _without(kept, _models_to_build(base, head, changes, datasets))
    judged = _without(kept, _models_to_judge(head, changes, builds))
    judged |= dict.fromkeys(set(doubted) - judged.keys(), ("its lock's verdict is of other rules",))
    for name in judged.keys() - builds.keys():
        if not _is_built(head.specs[name], head, known):
            builds[name] = ("no build of this spec is known here",)
    for dataset in (*conditions, *(head.specs[name].contract.name for name in builds)):
        for source in (*head.inputs_of(dataset), dataset):
            if source not in datasets and not _is_current(source, head, known):
                datasets[source] = ("no snapshot of this contract is known here",)
    return (*_dataset_steps(head, datasets, judged_datasets, known), *_model_steps(head, builds, judged, known))


def _without(kept: Collection[str], reasons: Reasons) -> Reasons:
    return {name: why for name, why in reasons.items() if name not in kept}


def _datasets_to_build(base: Repository, head: Repository) -> Reasons:
    """Those whose data part changed, and everything derived from them."""
    reasons: Reasons = {}
    for name in _in_order(head, head.contracts):
        contract, before = head.contracts[name], base.contracts.get(name)
        why = _contract_reasons(before, contract)
        inputs = contract.derivation.inputs if contract.derivation else ()
        why += tuple(f"reads {source}" for source in inputs if source in reasons)
        if why:
            reasons[name] = why
    return reasons


def _conditions_to_judge(head: Repository, changes: tuple[Change, ...]) -> Reasons:
    """Datasets whose rows stay and whose deepchecks conditions changed."""
    found: Reasons = {}
    for change in changes:
        if change.kind == "contract" and change.effect == "rejudge" and change.subject in head.contracts:
            found[change.subject] = (*found.get(change.subject, ()), change.what)
    return found


def _contract_reasons(before: DataContract | None, contract: DataContract) -> tuple[str, ...]:
    if before is None:
        return ("new dataset",)
    if before.data_digest() == contract.data_digest():
        return ()
    why = []
    if before.derivation != contract.derivation:
        why.append(f"{contract.name}.sql changed")
    if before.columns != contract.columns:
        why.append("columns changed")
    if before.rules != contract.rules:
        why.append("rules changed")
    if before.servers != contract.servers:
        why.append("source changed")
    return tuple(why) or ("contract changed",)


def _models_to_build(base: Repository, head: Repository, changes: tuple[Change, ...], datasets: Reasons) -> Reasons:
    reasons: Reasons = {}
    for name, spec in sorted(head.specs.items()):
        own = tuple(
            change.what
            for change in changes
            if change.subject == name and change.kind in ("spec", "code") and change.effect == "rebuild"
        )
        dataset = spec.contract.name
        if dataset in datasets and _touched(spec, base, head, datasets):
            own += (f"reads {dataset} ({', '.join(datasets[dataset])})",)
        if own:
            reasons[name] = own
    return reasons


def _touched(spec: ModelSpec, base: Repository, head: Repository, datasets: Reasons) -> bool:
    """Whether what changed about the model's dataset is something that the model reads."""
    name = spec.contract.name
    before, after = base.contracts.get(name), head.contracts[name]
    if before is None or any(source in datasets for source in head.inputs_of(name)):
        return True
    return _read_part(spec, before) != _read_part(spec, after)


def _read_part(spec: ModelSpec, contract: DataContract) -> dict[str, Any]:
    """The part of a contract that a model's rows depend on: its columns, and what decides which rows there are."""
    read = {*spec.features.names, spec.target, *(c.name for role in _ROLES for c in contract.with_role(role))}
    columns = [column.model_dump(exclude={"description"}) for column in contract.columns if column.name in read]
    rules = [rule.model_dump() for rule in contract.rules if rule.scope == "row"]
    return {
        "columns": columns,
        "rules": rules,
        "derivation": contract.derivation.model_dump() if contract.derivation else None,
        "servers": [server.model_dump() for server in contract.servers],
    }


def _models_to_judge(head: Repository, changes: tuple[Change, ...], builds: Reasons) -> Reasons:
    reasons: Reasons = {}
    for name, spec in sorted(head.specs.items()):
        subjects = {"spec": {name}, "floor": {"every", spec.task}, "contract": {spec.contract.name}}
        why = tuple(
            change.what if change.kind == "spec" else f"{change.kind}: {change.what}"
            for change in changes
            if change.effect == "rejudge" and change.subject in subjects.get(change.kind, ())
        )
        if name in builds or why:
            reasons[name] = ("rebuilt",) if name in builds else why
    return reasons


def _is_built(spec: ModelSpec, head: Repository, known: KnownState) -> bool:
    """Whether the store has the build of this spec on the dataset's current snapshot, by the code that runs here."""
    dataset = spec.contract.name
    if not all(_is_current(source, head, known) for source in (*head.inputs_of(dataset), dataset)):
        return False
    key = build_key(spec, known.snapshots[dataset].digest, known.code.get(spec.name, ""), known.environment)
    return key in known.builds.get(spec.name, ())


def _is_current(dataset: str, head: Repository, known: KnownState) -> bool:
    """Whether the current snapshot was made by this contract, from what its inputs are now."""
    if not known.has_snapshot(dataset, head.contracts[dataset].data_digest()):
        return False
    inputs = known.snapshots[dataset].inputs
    return all(name in known.snapshots and known.snapshots[name].digest == digest for name, digest in inputs.items())


def _dataset_steps(head: Repository, builds: Reasons, judged: Reasons, known: KnownState) -> Iterable[PlanStep]:
    reused: dict[str, bool] = {}
    for name in _in_order(head, {*builds, *judged}):
        derivation = head.contracts[name].derivation
        if name in builds:
            inputs = derivation.inputs if derivation else ()
            reused[name] = _is_current(name, head, known) and all(reused.get(source, True) for source in inputs)
            yield _step("build", "dataset", name, builds[name], known, reused[name])
        if name in judged:
            yield _step("judge", "dataset", name, judged[name], known)


def _model_steps(head: Repository, builds: Reasons, judged: Reasons, known: KnownState) -> Iterable[PlanStep]:
    for name in sorted(builds.keys() | judged.keys()):
        if name in builds:
            reused = _is_built(head.specs[name], head, known)
            yield _step("build", "model", name, builds[name], known, reused)
        yield _step("judge", "model", name, judged.get(name, ("rebuilt",)), known)


def _step(
    action: Literal["build", "judge"],
    kind: Literal["dataset", "model"],
    name: str,
    reasons: tuple[str, ...],
    known: KnownState,
    reused: bool = False,
) -> PlanStep:
    seconds = 0.0 if reused else known.seconds.get(f"{action}:{kind}:{name}")
    cost = known.costs.get(name) if (action, kind, reused) == ("build", "model", False) else None
    return PlanStep(action=action, kind=kind, name=name, reasons=reasons, reused=reused, seconds=seconds, cost=cost)


def _in_order(repository: Repository, names: Iterable[str]) -> list[str]:
    """``names``, each after what it is derived from; equals in alphabetical order."""
    wanted = set(names)
    order: dict[str, None] = {}
    for name in sorted(wanted):
        order.update(dict.fromkeys((*repository.inputs_of(name), name)))
    return [name for name in order if name in wanted]
