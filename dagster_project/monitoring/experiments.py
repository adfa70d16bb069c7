"""Whether an experiment is due of a watched model: what Dagster's sensor asks before it starts ``acts experiment``."""

from datetime import datetime

from dagster_project.data.labelled import labelled_rows
from dagster_project.data.records import current_snapshot, find_snapshot
from dagster_project.domain.experimenting import DRIFT, LEDGER, PERFORMANCE, Due, Facts, due, facts_of
from dagster_project.monitoring.watched import Watched
from dagster_project.storage.ledger import Ledger


def is_due(watched: Watched, now: datetime) -> Due | None:
    """What is due at ``now``; None within the pause, without a champion, or where no cause arose.

    Raises:
        MachineryError: a ledger or a table can't be read.
    """
    return due(watched.spec.experiment, facts(watched, now), now) if watched.lock else None


def facts(watched: Watched, now: datetime) -> Facts:
    """The facts as the ledgers and the dataset's newest snapshot have them; the sources are not asked again."""
    ledgers = {name: Ledger(watched.workspace.ledger, name).rows() for name in (LEDGER, DRIFT, PERFORMANCE)}
    return facts_of(watched.spec.name, ledgers, now, *_counts(watched))


def _counts(watched: Watched) -> tuple[int | None, int | None]:
    """Labelled rows in the newest snapshot and in the champion's; None where they are not kept here or not asked."""
    if watched.lock is None or watched.spec.experiment.new_rows is None:
        return None, None
    dataset, target = watched.contract.name, watched.spec.target
    newest = current_snapshot(dataset, watched.workspace)
    learned = find_snapshot(dataset, watched.lock.snapshot, watched.workspace)
    return (
        labelled_rows(newest, target) if newest else None,
        labelled_rows(learned, target) if learned else None,
    )
