"""Changes of contracts: graded, the version held against the grade, the models behind them named."""

from .compatibility import compare_contracts, required_bump
from .contract import DataContract, Role
from .plan import Change
from .repository import Repository
from .semver import ORDER, bump_between, bumped
from .verdict import Finding, Outcome

_KEYS = (Role.ID, Role.EVENT_TIME, Role.LABEL, Role.GROUP)


def contract_changes(base: Repository, head: Repository) -> tuple[Change, ...]:
    """Every semantic difference of every contract, datasets in alphabetical order."""
    found: list[Change] = []
    for name in sorted(base.contracts.keys() | head.contracts.keys()):
        before, after = base.contracts.get(name), head.contracts.get(name)
        if before is None and after is not None:
            found.append(Change(file=after.file, subject=name, kind="contract", what="new dataset", effect="rebuild"))
        elif after is None and before is not None:
            what = "the dataset is removed"
            found.append(_change(before, what, consumer="breaking", producer="breaking", bump="major"))
        elif before is not None and after is not None:
            found += compare_contracts(before, after)
            found += _loosening(before, after)
    return tuple(found)


def version_findings(base: Repository, head: Repository) -> list[Finding]:
    """Whether each changed contract's version went up by at least what its changes ask for."""
    findings = []
    for name in sorted(base.contracts.keys() & head.contracts.keys()):
        before, after = base.contracts[name], head.contracts[name]
        changes = compare_contracts(before, after)
        required = required_bump(changes)
        actual = bump_between(before.version, after.version)
        if actual is None or ORDER.index(actual) < ORDER.index(required):
            went = f"{name} went from version {before.version} to {after.version}"
            if before.version == after.version:
                went = f"{name} is still version {after.version}"
            summary = f"{went}, and what changed asks for a {required} version."
            if actual is None:
                summary = f"{went}: versions never go down."
            hint = f"Set version: {bumped(before.version, required if required != 'none' else 'patch')}."
            findings.append(_finding(after, Outcome.FAILED, summary, hint))
        elif changes:
            summary = f"{name} {before.version} → {after.version}: enough for its changes ({required})."
            findings.append(_finding(after, Outcome.PASSED, summary))
    return findings


def reached_models(changes: tuple[Change, ...], base: Repository, head: Repository) -> dict[str, tuple[str, ...]]:
    """By dataset with a breaking change: the models that read it, before or after the change."""
    breaking = {
        c.subject for c in changes if c.kind in ("contract", "derivation") and "breaking" in (c.consumer, c.producer)
    }
    reached = {}
    for dataset in sorted(breaking):
        models = {model for repository in (base, head) for model in repository.models_of(dataset)}
        reached[dataset] = tuple(sorted(models))
    return reached


def _loosening(base: DataContract, head: DataContract) -> list[Change]:
    """What moves the label, the keys of the split or the deepchecks conditions."""
    found = []
    for role in _KEYS:
        before, after = ({column.name for column in contract.with_role(role)} for contract in (base, head))
        if before != after:
            what = f"{role.value}: {_names(before)} → {_names(after)}"
            found.append(_change(head, what, effect="rebuild", loosens=True))
    for condition in base.conditions:
        if condition not in head.conditions:
            what = f"deepchecks condition on {condition.check} removed or changed"
            found.append(_change(head, what, effect="rejudge", loosens=True))
    added = [condition for condition in head.conditions if condition not in base.conditions]
    found += [_change(head, f"deepchecks condition on {c.check} added", effect="rejudge") for c in added]
    return found


def _names(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _change(contract: DataContract, what: str, **fields: object) -> Change:
    return Change.model_validate(
        {"file": contract.file, "subject": contract.name, "kind": "contract", "what": what, **fields}
    )


def _finding(contract: DataContract, outcome: Outcome, summary: str, hint: str = "") -> Finding:
    name = f"version of {contract.name}"
    return Finding(name=name, source="compatibility", outcome=outcome, summary=summary, hint=hint, file=contract.file)
