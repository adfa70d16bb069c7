"""The programs that the ``acts`` command starts. Dagster is imported when it has to run.

    python -m dagster_project build --repo R [--tree T] --kind dataset|model --name N --result FILE
    python -m dagster_project record --repo R [--deployed] FILE ...
    python -m dagster_project ingest --repo R --result FILE
    python -m dagster_project monitor --repo R [--model N] --part P ... --now TIME ... --result FILE
    python -m dagster_project labels --repo R --model N --to FOLDER --result FILE

Exit codes: 0 built or reused, 1 a blocking check said no, 2 a file the user wrote is wrong, 3 the machinery broke,
130 interrupted.
"""

import argparse
import os
import sqlite3
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from dagster_project.domain.base import StrictModel
from dagster_project.domain.build import BuildResult
from dagster_project.domain.errors import BROKEN, PASSED, REFUSED, ActsError, UsageError
from dagster_project.domain.experimenting import ExperimentRow
from dagster_project.domain.loading import load_repository
from dagster_project.domain.lock import ChampionLock
from dagster_project.domain.monitored import PARTS, MonitoredParts, PartName
from dagster_project.domain.repository import FolderTree, Repository
from dagster_project.domain.specs import load_lock
from dagster_project.domain.verdict import Verdict
from dagster_project.domain.workspace import Workspace
from dagster_project.training.lifetime import die_with_parent

if TYPE_CHECKING:
    from dagster_project.factories.record import Event

INTERRUPTED = 130
Document = TypeVar("Document", bound=StrictModel)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the programs; its exit code."""
    parsed = _parser().parse_args(arguments)
    if arguments is None:
        die_with_parent(os.getppid())
    workspace = Workspace(repo=parsed.repo.resolve())
    try:
        if parsed.program == "build":
            return build(workspace, parsed.kind, parsed.name, parsed.result, parsed.tree)
        if parsed.program == "ingest":
            return ingest(workspace, parsed.result)
        if parsed.program == "monitor":
            return monitor(workspace, parsed.model, parsed.part, parsed.now, parsed.result)
        if parsed.program == "labels":
            return labels(workspace, parsed.model, parsed.to, parsed.result)
        return record(workspace, parsed.files, deployed=parsed.deployed)
    except ActsError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted: nothing half-built was left", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last line of defence: whatever it was, the machinery broke
        words = _of_database(error, workspace)
        print(words, file=sys.stderr) if words else traceback.print_exc()
        return BROKEN


def build(workspace: Workspace, kind: str, name: str, result_file: Path, tree: Path | None = None) -> int:
    """Build a dataset or model with what it is made from; write the BuildResult to ``result_file``.

    ``tree``: a folder whose contracts and models are built, in place of the repository's.

    Raises:
        UsageError, UserFileError: there is no such subject, or a file is wrong.
        MachineryError: something broke; nothing half-written is left.
    """
    from dagster_project.factories.bookkeeping import keep
    from dagster_project.factories.locking import exclusive
    from dagster_project.storage.files import write_atomic

    repository = load_repository(FolderTree(tree or workspace.repo))
    _find(repository, kind, name)
    with exclusive(workspace.home / "locks" / f"{kind}-{name}.lock", f"{kind} {name}"):
        result = _unchanged(repository, workspace, kind, name) or _launch(repository, workspace, kind, name)
        keep(result, workspace)
    write_atomic(result_file, result.to_json().encode())
    return REFUSED if result.outcome == "failed" else PASSED


def record(workspace: Workspace, files: Sequence[Path], *, deployed: bool = False) -> int:
    """Tell Dagster of verdicts (``*.json``), experiments (``experiment-*.json``) and champion locks (``*.yaml``)."""
    from dagster_project.factories.experiments import experiment_events
    from dagster_project.factories.record import lock_event, verdict_events

    events: list[Event] = []
    for file in files:
        if file.match("experiment-*.json"):
            events += experiment_events(_read_json(ExperimentRow, file))
        elif file.suffix == ".json":
            report = file.with_name("report.html")
            events += verdict_events(_read_json(Verdict, file), report if report.exists() else None)
        else:
            events.append(lock_event(_read_lock(file), "deployment" if deployed else "champion"))
    _tell(workspace, events)
    return PASSED


def ingest(workspace: Workspace, result_file: Path) -> int:
    """Take the servers' segments into the prediction log's table; write the Ingested to ``result_file``.

    Raises:
        MachineryError: segments or table can't be read or written; what was committed stays.
    """
    from dagster_project.monitoring.ingest import ingest as take_in
    from dagster_project.storage.files import write_atomic

    done = take_in(workspace.serving_log, workspace.warehouse)
    if done.rows or done.labels or done.dropped or done.broken:
        from dagster_project.factories.prediction_log import ingested_event

        _tell(workspace, [ingested_event(done, workspace)])
    write_atomic(result_file, done.to_json().encode())
    return PASSED


def monitor(
    workspace: Workspace, model: str | None, parts: Sequence[PartName], times: Sequence[datetime], result: Path
) -> int:
    """Do ``parts`` for a model, or for each that has a champion, as at each time; the MonitoredParts go to ``result``.

    Raises:
        UsageError, UserFileError: there is no such model or no champion, or a file is wrong.
        MachineryError: tables can't be read or written; what was committed stays.
    """
    from dagster_project.factories.monitoring import monitored_events
    from dagster_project.monitoring.parts import look_at
    from dagster_project.monitoring.watched import Watched
    from dagster_project.storage.files import write_atomic

    repository = load_repository(FolderTree(workspace.repo))
    if model is not None:
        _find(repository, "model", model)
    looks = []
    for name in [model] if model else sorted(repository.locks):
        spec = repository.specs[name]
        watched = Watched(spec, repository.contracts[spec.contract.name], repository.locks.get(name), workspace)
        looks += [look_at(part, watched, now) for now in times for part in PARTS if part in parts]
    _tell(workspace, [event for look in looks for event in monitored_events(look)])
    write_atomic(result, MonitoredParts(looks=tuple(looks)).to_json().encode())
    return PASSED


def labels(workspace: Workspace, model: str, folder: str, result: Path) -> int:
    """Write a model's human labels to one more file in ``folder``; the LabelExport to ``result``.

    Raises:
        UsageError: there is no such model, or its labels join to no source.
        MachineryError: tables or folder can't be read or written; nothing was changed.
    """
    from dagster_project.monitoring.label_export import export_labels
    from dagster_project.monitoring.watched import Watched
    from dagster_project.storage.files import write_atomic

    repository = load_repository(FolderTree(workspace.repo))
    _find(repository, "model", model)
    spec = repository.specs[model]
    watched = Watched(spec, repository.contracts[spec.contract.name], repository.locks.get(model), workspace)
    place = folder if "://" in folder else str(workspace.repo / folder)
    write_atomic(result, export_labels(watched, place, datetime.now(UTC)).to_json().encode())
    return PASSED


def _tell(workspace: Workspace, events: Sequence["Event"]) -> None:
    """Write events to Dagster, with the commit and the pull request that they belong to."""
    from dagster_project.factories.instance import open_instance
    from dagster_project.factories.provenance import origin_of
    from dagster_project.factories.record import marked, report_events

    origin = origin_of(workspace)
    with open_instance(workspace) as instance:
        report_events(instance, [marked(event, origin) for event in events])


def _of_database(error: Exception, workspace: Workspace) -> str:
    """What Dagster's database said; empty where the error is not of a database."""
    from dagster_project.factories.shared import cause_of, shared_url, trouble

    told, shared = cause_of(error), shared_url(os.environ)
    if isinstance(told, sqlite3.Error):
        hint = "Make room there or move it with ACTS_HOME, then build again."
        return f"{workspace.dagster_home}: Dagster's databases can't be used: {told}. {hint}"
    if shared is not None and type(told).__module__.startswith("psycopg2"):
        return str(trouble(shared, error))
    return ""


def _unchanged(repository: Repository, workspace: Workspace, kind: str, name: str) -> BuildResult | None:
    from dagster_project.factories.unchanged import unchanged

    result = unchanged(repository, workspace, kind, name)
    if result:
        print(f"{kind} {name}: nothing has changed since it was built.", file=sys.stderr)
    return result


def _launch(repository: Repository, workspace: Workspace, kind: str, name: str) -> BuildResult:
    from dagster_project.factories.launch import launch

    return launch(repository, workspace, kind, name)


def _find(repository: Repository, kind: str, name: str) -> None:
    known = repository.specs if kind == "model" else repository.contracts
    if name not in known:
        there = ", ".join(sorted(known)) or "none"
        raise UsageError(f"there is no {kind} called {name}; there are: {there}.")


def _read_json(document: type[Document], file: Path) -> Document:
    try:
        return document.from_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise UsageError(f"{file}: no {document.__name__}: {error}") from error


def _read_lock(file: Path) -> ChampionLock:
    try:
        return load_lock(file.read_bytes(), str(file))
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dagster_project", description="Programs behind the acts command.")
    programs = parser.add_subparsers(dest="program", required=True)
    built = programs.add_parser("build", help="build a dataset or a model in a Dagster run")
    built.add_argument("--kind", choices=("dataset", "model"), required=True)
    built.add_argument("--name", required=True)
    built.add_argument("--result", type=Path, required=True, help="where the BuildResult is written")
    built.add_argument("--tree", type=Path, help="where contracts and models are read (default: the repository)")
    recorded = programs.add_parser("record", help="tell Dagster of verdicts and champion locks")
    recorded.add_argument("--deployed", action="store_true", help="the locks were deployed")
    recorded.add_argument("files", type=Path, nargs="+", metavar="FILE", help="a verdict's JSON or a lock's YAML")
    ingested = programs.add_parser("ingest", help="take the servers' segments into the prediction log's table")
    ingested.add_argument("--result", type=Path, required=True, help="where the Ingested is written")
    monitored = programs.add_parser("monitor", help="join labels to answers, measure, look for drift, explain, ask")
    monitored.add_argument("--model", help="one model; default: each that has a champion")
    monitored.add_argument("--part", choices=PARTS, action="append", required=True)
    monitored.add_argument(
        "--now", type=datetime.fromisoformat, action="append", required=True, help="with its time zone"
    )
    monitored.add_argument("--result", type=Path, required=True, help="where the MonitoredParts are written")
    labelled = programs.add_parser("labels", help="write what people said as files that a contract reads")
    labelled.add_argument("--model", required=True)
    labelled.add_argument("--to", required=True, help="a folder below the repository, or an object storage URI")
    labelled.add_argument("--result", type=Path, required=True, help="where the LabelExport is written")
    for program in (built, recorded, ingested, monitored, labelled):
        program.add_argument("--repo", type=Path, default=Path(), help="the repository (default: where you stand)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
