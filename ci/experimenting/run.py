"""One experiment from its cause to its row in the ledger: built, judged, proposed or refused. It may run twice.

What ran before is reused: a build by its key, a judgement of the same bytes, a branch that says so already. The row is
written last.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ci.experimenting.answer import Answer, answered
from ci.experimenting.bench import Bench
from ci.experimenting.challenge import Challenge, challenge, reported
from ci.experimenting.commits import keep_commit
from ci.experimenting.local import Forge
from ci.experimenting.rows import append, broken_row, row_of, settled
from ci.experimenting.telling import tell_dagster
from ci.pull_request import write_pages
from dagster_project.domain.base import canonical_json
from dagster_project.domain.errors import MachineryError, UsageError
from dagster_project.domain.experimenting import Due, ExperimentRow
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.store import ArtifactStore


def experiment(repo: Path, base: str, model: str, due: Due, now: datetime, forge: Forge, bench: Bench) -> ExperimentRow:
    """Do what is due of ``model`` on the rules of commit ``base``; the row that the ledger has of it now.

    Raises:
        UsageError: another experiment of the model runs on this machine.
        UserFileError: a file of the base is wrong.
    """
    with _one_at_a_time(Workspace(repo=repo), model):
        tried = challenge(repo, base, model, due, now)
        try:
            keep_commit(repo, f"experiments/{model}", tried.head)
            row = _finished(tried, answered(tried, bench), forge)
        except MachineryError as error:
            row = broken_row(tried, str(error))
        append(tried.session.workspace, row)
    return row


def _finished(tried: Challenge, answer: Answer, forge: Forge) -> ExperimentRow:
    """Kept, proposed where it passed, and told where operators look."""
    workspace, verdict = tried.session.workspace, answer.judged.verdict
    store = ArtifactStore.of(workspace)
    store.put(canonical_json(verdict.model_dump(mode="json")))
    report = reported(tried, answer.judged, answer.build)
    folder = workspace.reports / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-experiment-{tried.model}"
    (file,), _ = write_pages(store, report, [answer.judged], folder)
    row = settled(row_of(tried, answer, str(folder)), tried, verdict, report, store, forge)
    tell_dagster(workspace, tried, row, file)
    return row


@contextmanager
def _one_at_a_time(workspace: Workspace, model: str) -> Iterator[None]:
    from filelock import FileLock, Timeout

    path = workspace.home / "locks" / f"experiment-{model}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path, timeout=0):
            yield
    except Timeout:
        raise UsageError(f"{model}: another experiment of it runs here. Wait for it.") from None
