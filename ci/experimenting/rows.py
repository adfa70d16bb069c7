"""Rows of the ledger of experiments: made of an answer, settled by the forge, written once."""

import time
from typing import Any

from ci.experimenting.answer import Answer
from ci.experimenting.challenge import Challenge
from ci.experimenting.local import Forge
from ci.experimenting.proposal import proposal
from ci.report.model import Report
from dagster_project.domain.experimenting import LEDGER, Ending, ExperimentRow
from dagster_project.domain.verdict import Verdict
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.ledger import Ledger
from dagster_project.storage.store import ArtifactStore


def row_of(tried: Challenge, answer: Answer, report: str) -> ExperimentRow:
    """The row of an answer, before a forge has heard of it: what may be promoted is as good as opened."""
    verdict = answer.judged.verdict
    ending: Ending = "waiting" if answer.waiting else "opened" if verdict.promotable else "refused"
    return ExperimentRow(
        **_known(tried),
        ending="broken" if verdict.outcome == "broken" else ending,
        words=verdict.reasons,
        challenger=verdict.challenger_onnx,
        snapshot=answer.snapshot.digest if answer.snapshot else None,
        labelled=answer.labelled,
        verdict=verdict.content_digest(),
        report=report,
    )


def broken_row(tried: Challenge, words: str) -> ExperimentRow:
    """The row where the machinery broke: nothing was decided."""
    return ExperimentRow(**_known(tried), ending="broken", words=(words,))


def settled(
    row: ExperimentRow, tried: Challenge, verdict: Verdict, report: Report, store: ArtifactStore, forge: Forge
) -> ExperimentRow:
    """The row once the model's pull request says what the verdict does."""
    if verdict.promotable:
        done = forge.propose(proposal(tried, verdict, report, store))
        words = (done.words,) if done.words else ()
        return row.model_copy(update={"ending": done.ending, "words": words, "commit": done.commit, "pull": done.pull})
    if row.ending == "refused":
        return row.model_copy(update={"pull": forge.tell(tried.model, tried.base, refused_words(verdict), tried.now)})
    return row


def refused_words(verdict: Verdict) -> str:
    """What is said on an open pull request when a newer challenger did not pass."""
    rows = f" (snapshot {verdict.snapshot[:19]})" if verdict.snapshot else ""
    why = " ".join(verdict.reasons)
    return f"A challenger on newer rows{rows} was refused: {why} Look again before you merge this."


def append(workspace: Workspace, row: ExperimentRow) -> None:
    """Write the row down, unless the ledger has this experiment's: a job may run twice."""
    if not is_known(workspace, row):
        Ledger(workspace.ledger, LEDGER).append(row.model_dump(mode="json"))


def is_known(workspace: Workspace, row: ExperimentRow) -> bool:
    """Whether the ledger has how this experiment ended."""
    rows = Ledger(workspace.ledger, LEDGER).rows()
    known = (ExperimentRow.of(each) for each in rows if each["model"] == row.model)
    return any((each.now, each.base) == (row.now, row.base) and each.ending != "broken" for each in known)


def _known(tried: Challenge) -> dict[str, Any]:
    lock = tried.session.base.locks.get(tried.model)
    return {
        "model": tried.model,
        "now": tried.now,
        "causes": tried.due.causes,
        "reasons": tried.due.reasons,
        "base": tried.base,
        "head": tried.head,
        "champion": lock.onnx if lock else None,
        "seconds": round(time.perf_counter() - tried.begun, 3),
    }
