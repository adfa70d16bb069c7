"""Whose rules judge: the base branch's, wherever a pull request would make them easier.

Loosening and promoting are two pull requests: a change of split, label or gates is judged by the base branch's
version and marked; a new model is judged by the floor and by its own gates.
"""

from .base import StrictModel
from .bundle import BundleManifest, Provenance
from .contract import DataContract, Role
from .gates import Gate
from .lock import ChampionLock
from .repository import Repository
from .spec import ModelSpec
from .verdict import Finding, Outcome

_KEYS = (Role.ID, Role.EVENT_TIME, Role.LABEL)


class JudgingRules(StrictModel):
    """What a challenger is held to."""

    spec: ModelSpec
    gates: tuple[Gate, ...]
    contract: DataContract
    champion: ChampionLock | None
    loosened: tuple[str, ...] = ()


def judging_rules(name: str, base: Repository, head: Repository, loosened: tuple[str, ...] = ()) -> JudgingRules:
    """The spec, gates, contract and champion that judge ``name`` at ``head``.

    ``loosened`` names what the plan found easier than on the base branch; a change of the label's, the id's or the
    event time's column is added here.
    """
    spec, before = head.specs[name], base.specs.get(name)
    contract = base.contracts.get(spec.contract.name) or head.contracts[spec.contract.name]
    loosened += _moved_keys(contract, head.contracts[spec.contract.name])
    if before is not None and loosened:
        judged = {key: getattr(before, key) for key in ("task", "target", "positive", "prediction_time", "gates")}
        spec = spec.model_copy(update={**judged, "split": _judged_split(before, spec)})
    floor = base if base.specs or base.floor.every or base.floor.tasks else head
    return JudgingRules(
        spec=spec,
        gates=floor.gates_for(spec),
        contract=contract,
        champion=base.locks.get(name),
        loosened=tuple(dict.fromkeys(loosened)),
    )


def _judged_split(before: ModelSpec, after: ModelSpec) -> object:
    """The base branch's split with the pull request's training window: the window moves no judged row."""
    window = getattr(after.split, "window", None)
    return before.split.model_copy(update={"window": window}) if before.split.by == "time" else before.split


def _moved_keys(base: DataContract, head: DataContract) -> tuple[str, ...]:
    def names(contract: DataContract, role: Role) -> set[str]:
        return {column.name for column in contract.with_role(role)}

    return tuple(
        f"the {role.value.replace('_', ' ')} of {head.name} changed"
        for role in _KEYS
        if names(base, role) != names(head, role)
    )


def trust_findings(
    manifest: BundleManifest, bundle: str, head: ModelSpec, snapshot: str, provenance: Provenance | None
) -> tuple[Finding, ...]:
    """Whether the bundle is of this spec and this snapshot, and who vouches for it."""
    found = []
    if manifest.training_digest != head.training_digest():
        found.append(_refusal("bundle of another spec", "it was built from another version of the spec"))
    if manifest.model != head.name or manifest.dataset != head.contract.name:
        found.append(_refusal("bundle of another model", f"it says it is {manifest.model} on {manifest.dataset}"))
    if manifest.snapshot != snapshot:
        found.append(_refusal("bundle of another snapshot", "the dataset has changed since it was built"))
    if provenance is not None and provenance.bundle != bundle:
        found.append(_refusal("provenance of another bundle", "the launcher vouches for other bytes"))
    return tuple(found)


def _refusal(name: str, why: str) -> Finding:
    return Finding(
        name=name,
        source="trust",
        outcome=Outcome.FAILED,
        summary=f"The bundle can't be judged here: {why}.",
        hint="Run acts build again, then acts judge.",
    )
