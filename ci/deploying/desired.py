"""What a commit says shall be served, and everything that stands against it. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from dagster_project.domain.base import StrictModel
from dagster_project.domain.bundle import REFERENCE, BundleManifest
from dagster_project.domain.contract import DataContract, LogicalType
from dagster_project.domain.deployment import DesiredModel, DesiredState, Rejection, desired_model
from dagster_project.domain.lock_changes import lock_file, lock_refusal
from dagster_project.domain.projection import NUMBERS
from dagster_project.domain.repository import Repository
from dagster_project.domain.spec import ModelSpec
from dagster_project.domain.verdict import Verdict

_NO_NUMBERS = (LogicalType.STRING, LogicalType.DATE, LogicalType.TIMESTAMP, LogicalType.TIME)
_AGAIN = "Run acts judge and acts promote and commit the lock, or git revert its commit."
_STORE = "Restore it, point ACTS_STORE at the store of the build, or run acts pr and acts promote again."


class Obstacle(StrictModel):
    """One reason not to deploy: a gate's no, a file that is wrong, or a machine that lacks something."""

    model: str
    kind: Literal["refused", "wrong", "broken"]
    file: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.file}: {self.message} {self.hint}".rstrip()


class Evidence(StrictModel):
    """What the store and the servers know of one lock."""

    verdict: Verdict | None = None
    manifest: BundleManifest | None = None
    faults: tuple[str, ...] = ()
    """What the store should hold and doesn't, in words."""
    rejection: Rejection | None = None


def desired_state(
    commit: str, repository: Repository, evidence: Mapping[str, Evidence]
) -> tuple[DesiredState, list[Obstacle]]:
    """The state that the commit's locks ask for; it may be published only where there are no obstacles."""
    models: dict[str, DesiredModel] = {}
    obstacles: list[Obstacle] = []
    for name, lock in sorted(repository.locks.items()):
        known, spec = evidence[name], repository.specs[name]
        contract = repository.contracts[spec.contract.name]
        found = [*_untrusted(name, repository, known), *_misfits(spec, contract, known.manifest)]
        obstacles += found
        if known.manifest and not found:
            models[name] = desired_model(spec, contract, lock, known.manifest)
    return DesiredState(commit=commit, models=models), obstacles


def rejection_words(rejection: Rejection) -> str:
    """Who rejected what, where, and the numbers it saw."""
    numbers = ", ".join(f"{name} {_number(value)}" for name, value in sorted(rejection.observed.items()))
    return (
        f"server {rejection.server} rejected {rejection.onnx[:19]} in {rejection.place} at "
        f"{rejection.at:%Y-%m-%d %H:%M:%S %Z}: {rejection.reason}{f' (seen: {numbers})' if numbers else ''}."
    )


def _untrusted(name: str, repository: Repository, known: Evidence) -> Iterator[Obstacle]:
    """The lock against its verdict, the bundle against the store, the bytes against what servers saw of them."""
    lock, file = repository.locks[name], lock_file(name)
    for fault in known.faults:
        yield Obstacle(model=name, kind="broken", file=file, message=fault, hint=_STORE)
    judged = known.verdict is not None and known.verdict.challenger == lock.bundle
    # Without its bundle a lock can't be held against its verdict: that is the store's fault, not the lock's.
    if known.manifest or not judged:
        why = lock_refusal(name, lock, repository.files.get(file), known.verdict, known.manifest)
        if why:
            yield Obstacle(model=name, kind="refused", file=file, message=why, hint=_AGAIN)
    if known.rejection:
        hint = "It is not deployed again until the lock changes: git revert its commit, or promote another champion."
        yield Obstacle(model=name, kind="refused", file=file, message=rejection_words(known.rejection), hint=hint)


def _misfits(spec: ModelSpec, contract: DataContract, manifest: BundleManifest | None) -> Iterator[Obstacle]:
    """Spec and contract may have moved on since the champion was built; what it takes must still be there."""
    if manifest is None:
        return
    name, hint = spec.name, f"Build, judge and promote {spec.name} again, or revert the change."
    if REFERENCE not in manifest.files:
        message = f"the champion's bundle has no {REFERENCE}, so no server could check what it loads."
        yield Obstacle(model=name, kind="refused", file=lock_file(name), message=message, hint=hint)
    if spec.task != manifest.task:
        message = f"the task is {spec.task}, but the champion of {name} was built for {manifest.task}."
        yield Obstacle(model=name, kind="wrong", file=f"models/{name}/spec.yaml", message=message, hint=hint)
    columns = {column.name: column for column in contract.columns}
    for entry in manifest.inputs:
        column = columns.get(entry.name)
        if column is None:
            message = f"there is no column {entry.name} any more, which the champion of {name} takes."
        elif column.shape != entry.shape:
            message = (
                f"column {entry.name} is {_form(column.shape)}, but the champion of {name} takes {_form(entry.shape)}."
            )
        elif not entry.shape and column.logical_type in (NUMBERS if entry.dtype == "string" else _NO_NUMBERS):
            message = f"column {entry.name} is {column.logical_type}, but the champion of {name} takes {entry.dtype}."
        else:
            continue
        yield Obstacle(model=name, kind="wrong", file=contract.file, message=message, hint=hint)


def _form(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) + " numbers a row" if shape else "one value a row"


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "unknown" if value is None else str(value)
