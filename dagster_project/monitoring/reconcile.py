"""Reconciliation: answers from the log, labels to answers, each once, whoever is killed when.

A commit carries the positions in what it was made from. A label whose answer is not there is first written among those
that wait and then counted as read, so that between the two it may be there twice, and never not at all.
"""

import random
import time
from datetime import datetime
from typing import TYPE_CHECKING

from dagster_project.data.tables import ConflictError
from dagster_project.domain.errors import MachineryError
from dagster_project.domain.reconciliation import Reconciliation
from dagster_project.monitoring.additions import GoneError, additions, next_batch, rows_in
from dagster_project.monitoring.answer_intake import take_answers
from dagster_project.monitoring.append_table import AppendTable, opened
from dagster_project.monitoring.contract_labels import news, remember, seen
from dagster_project.monitoring.coverage import Taken, coverage
from dagster_project.monitoring.id_index import IdIndex
from dagster_project.monitoring.joining import confirmed, matches, new_outcomes
from dagster_project.monitoring.label_table import label_table, received_labels, schema
from dagster_project.monitoring.tables import ANSWERS, OUTCOMES, answers, outcomes_schema
from dagster_project.monitoring.waiting import as_waiting, waiting, waiting_table
from dagster_project.monitoring.watched import Watched
from dagster_project.storage.ledger import Ledger

if TYPE_CHECKING:
    import polars as pl

LEDGER = "coverage"
LABELS, LOOKED = "labels", "answers"
BATCH_ROWS = 500_000
MOST_CONFLICTS = 100


def reconcile(watched: Watched, now: datetime) -> Reconciliation:
    """Bring answers and outcomes up to date, and say how much of the truth is known.

    Raises:
        MachineryError: a table can't be read or written; what was committed stays, the rest comes later.
    """
    taken = Taken()
    for conflicts in range(MOST_CONFLICTS):
        try:
            _bring_in(watched, now, taken)
            break
        except ConflictError as error:
            if conflicts == MOST_CONFLICTS - 1:
                raise MachineryError(f"{watched.spec.name}: others always commit first: {error}") from error
            time.sleep(random.uniform(0, 0.05 * min(conflicts + 1, 20)))
    found = coverage(watched, now, taken)
    Ledger(watched.workspace.ledger, LEDGER).append(found.ledger_row())
    return found


def _bring_in(watched: Watched, now: datetime, taken: Taken) -> None:
    taken.answers += take_answers(watched)
    last = _newest(watched)
    index = IdIndex(watched.uri_of(ANSWERS), last)
    _labels_sent(watched, now, index, taken)
    answered = 0 if last is None else last + 1
    _labels_waiting(watched, now, index, answered, taken)
    if watched.spec.monitoring.labels.contract:
        _labels_of_contract(watched, now, index, answered, taken)


def _labels_sent(watched: Watched, now: datetime, index: IdIndex, taken: Taken) -> None:
    """Those that clients and people sent, from the table of labels."""
    import polars as pl

    source, mine = label_table(watched.workspace.warehouse), pl.col("model") == watched.spec.name
    while True:
        table = _outcomes(watched)
        try:
            batch = next_batch(source.uri, table.position(LABELS), source.version, BATCH_ROWS)
            if batch is None:
                return
            rows, position = rows_in(batch.files, schema()).filter(mine).collect(), batch.version
        except GoneError:
            rows = received_labels(watched.workspace.warehouse).filter(mine).collect()
            position = (source.version or 0) + 1
        _take_labels(rows, position, table, watched, now, index, taken)


def _take_labels(
    rows: "pl.DataFrame", position: int, table: AppendTable, watched: Watched, now: datetime, index: IdIndex,
    taken: Taken,
) -> None:  # fmt: skip
    """``table`` was opened before what is in it is looked at: another's commit in between is a conflict."""
    labels = rows.sort("received").unique("event", keep="first", maintain_order=True)
    found = matches(labels, watched, index, now)
    lost = labels.join(found.select("event"), on="event", how="anti")
    waits = waiting_table(watched)
    if _newest(watched) != index.last:  # else a label could wait for an answer that others have looked at by now
        raise ConflictError(f"{watched.uri_of(ANSWERS)} has newer answers")
    if waits.position(LABELS) < position:
        waits.commit(as_waiting(lost, joined=False), {LABELS: position})
    new = new_outcomes(found, watched)
    table.commit(new, {LABELS: position})
    taken.labels, taken.joined = taken.labels + rows.height, taken.joined + new.height


def _labels_waiting(watched: Watched, now: datetime, index: IdIndex, answered: int, taken: Taken) -> None:
    """Those that came before their answer: tried again once there are other answers than before."""
    waits = waiting_table(watched)
    if waits.version is None or waits.position(LOOKED) >= answered:
        return
    labels, table = waiting(watched, now), _outcomes(watched)
    found = matches(labels, watched, index, now)
    new = new_outcomes(found, watched)
    if new.height:
        table.commit(new, {})
    joined = labels.join(found.select("event"), on="event", how="semi")
    waits.commit(as_waiting(joined, joined=True), {LOOKED: answered})
    taken.joined += new.height


def _labels_of_contract(watched: Watched, now: datetime, index: IdIndex, answered: int, taken: Taken) -> None:
    """Those that the model's dataset has; a row that nobody asked about waits for nothing."""
    found = news(watched, _ids_answered(watched, answered), now)
    if found is None:
        return
    (snapshot, labels), table = found, _outcomes(watched)
    new = confirmed(new_outcomes(matches(labels, watched, index, now), watched), watched)
    if new.height:
        table.commit(new, {})
    remember(watched, snapshot, answered)
    taken.labels, taken.joined = taken.labels + new.height, taken.joined + new.height


def _ids_answered(watched: Watched, answered: int) -> "pl.Series":
    """Contract ids of the answers that were not looked up in a snapshot yet."""
    import polars as pl

    ids, uri = pl.Schema({"id": pl.String(), "day": pl.Date()}), watched.uri_of(ANSWERS)
    try:
        added = list(additions(uri, seen(watched).answers, answered - 1 if answered else None))
        files = tuple(file for each in added for file in each.files)
        return rows_in(files, ids).collect()["id"].drop_nulls().unique()
    except GoneError:
        return answers(watched).select("id").unique().collect()["id"].drop_nulls()


def _newest(watched: Watched) -> int | None:
    """The version of the table of answers; None where there is none."""
    table = opened(watched.uri_of(ANSWERS))
    return None if table is None else table.version()


def _outcomes(watched: Watched) -> AppendTable:
    return AppendTable(watched.workspace.warehouse, watched.name_of(OUTCOMES), outcomes_schema())
