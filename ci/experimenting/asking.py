"""Which experiments are due: the specs of one commit, the ledgers, and how many labelled rows there are."""

from dataclasses import dataclass
from datetime import datetime

from ci.judging.snapshots import snapshot_of
from dagster_project.domain.errors import RefusedError, UsageError
from dagster_project.domain.experimenting import (
    DRIFT,
    LEDGER,
    PERFORMANCE,
    Cause,
    Due,
    Facts,
    due,
    facts_of,
    idle_words,
    paused,
)
from dagster_project.domain.repository import Repository
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.ledger import Ledger

BY_HAND = Due(causes=("manual",), reasons=("asked for by hand",))


@dataclass(frozen=True)
class Look:
    """What is due of a model; ``words``: why nothing is."""

    model: str
    due: Due | None
    words: str = ""


def models_asked(repository: Repository, model: str | None) -> tuple[str, ...]:
    """``model``, or every model whose experiments are on.

    Raises:
        UsageError: there is no such model.
    """
    if model is None:
        return tuple(sorted(name for name, spec in repository.specs.items() if spec.experiment.on))
    if model not in repository.specs:
        raise UsageError(f"there is no model '{model}'. There is: {', '.join(sorted(repository.specs)) or 'none'}.")
    return (model,)


def look(workspace: Workspace, repository: Repository, model: str, now: datetime, cause: Cause | None = None) -> Look:
    """Whether an experiment is due. A ``cause`` that somebody saw is believed; ``manual`` waits for no pause."""
    asked = repository.specs[model].experiment
    if model not in repository.locks:
        return Look(model, None, "there is no champion to challenge: the first model is a pull request of somebody's")
    if cause == "manual":
        return Look(model, BY_HAND)
    facts = gathered(workspace, repository, model, now)
    if cause and not paused(asked, facts, now):
        return Look(model, Due(causes=(cause,), reasons=(f"asked for: {cause.replace('_', ' ')}",)))
    found = due(asked, facts, now)
    return Look(model, found, "" if found else idle_words(asked, facts, now))


def gathered(workspace: Workspace, repository: Repository, model: str, now: datetime) -> Facts:
    """The facts; rows are counted only where new ones are a cause, since that brings the dataset up to date."""
    ledgers = {name: Ledger(workspace.ledger, name).rows() for name in (LEDGER, DRIFT, PERFORMANCE)}
    counts = _counts(workspace, repository, model) if repository.specs[model].experiment.new_rows else (None, None)
    return facts_of(model, ledgers, now, *counts)


def _counts(workspace: Workspace, repository: Repository, model: str) -> tuple[int | None, int | None]:
    """Labelled rows now and in the champion's snapshot; None where rows are refused, or not kept here."""
    from dagster_project.data.labelled import labelled_rows
    from dagster_project.data.records import find_snapshot

    spec, lock = repository.specs[model], repository.locks[model]
    learned = find_snapshot(spec.contract.name, lock.snapshot, workspace)
    try:
        now = snapshot_of(spec.contract.name, repository, workspace)
    except RefusedError:
        return None, None
    return labelled_rows(now, spec.target), labelled_rows(learned, spec.target) if learned else None
